package dev.engagement.api.web;

import dev.engagement.connection.SecretRef;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who may do what. A token is compared by its digest, with all that there are and to the last byte, so that how long it
 * takes tells nothing. Immutable.
 */
public final class Tokens {

    /** What a token says of a request. */
    public enum Verdict {
        ALLOWED,
        /** A token is needed, and there is none. */
        MISSING,
        /** A token that nobody knows. */
        UNKNOWN,
        /** A token that allows something else. */
        OF_OTHERS
    }

    /** Shortest token: what is shorter can be tried out. */
    static final int MIN_LENGTH = 16;

    /** Longest token, so that it has room in a cookie. */
    static final int MAX_LENGTH = 512;

    private record Known(byte[] digest, Set<Right> rights) {}

    private final List<Known> known;
    private final Set<Right> open;

    private Tokens(List<Known> known, Set<Right> open) {
        this.known = List.copyOf(known);
        this.open = open;
    }

    /**
     * Reads the tokens, here and now.
     *
     * @throws SecretRef.UnreadableSecretException if one is not where it should be
     * @throws IllegalArgumentException if one is too short, or has what a header cannot hold
     */
    public static Tokens read(TokenRefs refs) {
        List<Known> known = new ArrayList<>();
        add(known, "api.token", refs.all(), EnumSet.allOf(Right.class));
        add(known, "api.read-token", refs.read(), EnumSet.of(Right.READ));
        add(known, "api.write-token", refs.write(), EnumSet.of(Right.WRITE));
        add(known, "api.metrics-token", refs.metrics(), EnumSet.of(Right.METRICS));
        Set<Right> open = EnumSet.noneOf(Right.class);
        for (Right right : Right.values()) {
            if (right == Right.NONE || refs.isOpen(right)) {
                open.add(right);
            }
        }
        return new Tokens(known, open);
    }

    private static void add(List<Known> known, String option, SecretRef ref, Set<Right> rights) {
        String token = ref.read();
        if (token == null) {
            return;
        }
        if (token.length() < MIN_LENGTH || token.length() > MAX_LENGTH) {
            throw new IllegalArgumentException(option + " has " + token.length() + " characters; it must have "
                    + MIN_LENGTH + " to " + MAX_LENGTH + ", such as those of: openssl rand -hex 32");
        }
        if (!token.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
            throw new IllegalArgumentException(option + " has a space, a line end or a letter beyond ASCII in it; a"
                    + " header holds none of them. Make one by: openssl rand -hex 32");
        }
        known.add(new Known(digest(token), rights));
    }

    /** Whether nobody is asked for a token. */
    public boolean isOpen(Right right) {
        return open.contains(right);
    }

    /** What that token, or none, allows. */
    public Verdict ask(@Nullable String token, Right right) {
        if (open.contains(right)) {
            return Verdict.ALLOWED;
        }
        if (token == null) {
            return Verdict.MISSING;
        }
        byte[] digest = digest(token);
        boolean isKnown = false;
        boolean isAllowed = false;
        for (Known each : known) {
            boolean same = MessageDigest.isEqual(each.digest(), digest);
            isKnown |= same;
            isAllowed |= same & each.rights().contains(right);
        }
        return isAllowed ? Verdict.ALLOWED : isKnown ? Verdict.OF_OTHERS : Verdict.UNKNOWN;
    }

    /** By which a token can be told from others, and which tells nothing of it. */
    static String fingerprint(String token) {
        return HexFormat.of().formatHex(digest(token));
    }

    private static byte[] digest(String token) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This Java has no SHA-256, which every Java has", e);
        }
    }
}
