package dev.engagement.local;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What people do, made up: sessions of click, play, pause and finish over contents of Zipf popularity, contents that are
 * retitled now and then, and new ones whose first event follows at once. Nulls stand where real data have them:
 * duration, device, payload, user, length. A click that has a payload is worth something there ({@code value}), and some
 * plays are paid for ({@code price}): a number mostly, a number in a string as well, and now and then neither.
 *
 * <p>Deterministic: the same seed, number of contents and sequence of clock values give the same rows. Not thread safe.
 */
public final class Workload {

    /** One event, and the contents to be inserted or updated before it. */
    public record Step(List<ContentRow> contentChanges, EventRow event) {}

    /** Events are stamped this much or less before the clock, so that they arrive a little out of order. */
    static final Duration MAX_DISORDER = Duration.ofMillis(999);

    private static final double ZIPF_EXPONENT = 1.05;
    private static final int SESSIONS = 64;
    private static final int EVENTS_PER_RETITLING = 400;
    private static final int EVENTS_PER_PREMIERE = 1_000;
    private static final int RECENT_PREMIERES = 5;
    /** Of plays with a payload. */
    private static final int PAID_PERCENT = 20;

    private static final Instant PUBLISHED_BEFORE = Instant.parse("2026-01-01T00:00:00Z");
    private static final long PUBLISHED_WITHIN_MICROS = Duration.ofDays(700).toMillis() * 1_000;

    private static final List<String> DEVICES = List.of("web", "ios", "android", "tv");
    private static final List<String> SUBJECTS = List.of(
            "Rivers",
            "Bread",
            "Lighthouses",
            "Glaciers",
            "Violins",
            "Bees",
            "Night Trains",
            "Maps",
            "Old Maths",
            "Salt",
            "Moss",
            "Tides",
            "Typefaces",
            "Owls",
            "Bridges",
            "Tea",
            "Über-Hits",
            "Comets",
            "Kites",
            "日本の庭");
    private static final List<String> FORMS = List.of(
            "The Secret Life of %s",
            "%s, Explained",
            "What %s Taught Us",
            "Why %s Matter",
            "A Short History of %s",
            "%s after Dark",
            "Ten Minutes with %s",
            "In Praise of %s",
            "The Trouble with %s",
            "%s from Above");

    private enum Next {
        CLICK,
        PLAY,
        PAUSE,
        FINISH,
        LEAVE
    }

    private static final class Session {
        private final int content;
        private final @Nullable UUID user;
        private final @Nullable String device;
        private final String key;
        private Next next;
        private int positionMs;

        private Session(int content, @Nullable UUID user, @Nullable String device, String key, Next next) {
            this.content = content;
            this.user = user;
            this.device = device;
            this.key = key;
            this.next = next;
        }
    }

    private final SplittableRandom random;
    /** Of its own, so that everything else is as it would be without amounts. */
    private final SplittableRandom amounts;

    private final Zipf popularity;
    private final List<ContentRow> contents = new ArrayList<>();
    private final int initialContents;
    private final List<@Nullable Session> sessions = new ArrayList<>(Collections.nCopies(SESSIONS, null));
    private final UUID[] users = new UUID[500];
    private long events;
    private int retitlings;

    /**
     * @param seed of everything random
     * @param contents that exist from the beginning, at least 1
     */
    public Workload(long seed, int contents) {
        this.random = new SplittableRandom(seed);
        this.amounts = new SplittableRandom(~seed);
        this.popularity = new Zipf(contents, ZIPF_EXPONENT);
        this.initialContents = contents;
        for (int i = 0; i < contents; i++) {
            this.contents.add(content(i));
        }
        for (int i = 0; i < users.length; i++) {
            users[i] = uuid();
        }
    }

    /** The contents that must exist before the first event, the most popular first. */
    public List<ContentRow> initialContents() {
        return List.copyOf(contents.subList(0, initialContents));
    }

    /** All contents so far, as they are now. */
    List<ContentRow> contents() {
        return List.copyOf(contents);
    }

    /** The next event and what must happen before it, at that time. */
    public Step next(Instant now) {
        events++;
        List<ContentRow> changes = new ArrayList<>();
        int slot = random.nextInt(SESSIONS);
        Session session = sessions.get(slot);
        if (events % EVENTS_PER_PREMIERE == 0) {
            ContentRow premiere = content(contents.size());
            contents.add(premiere);
            changes.add(premiere);
            session = session(contents.size() - 1);
        } else if (session == null || session.next == Next.LEAVE) {
            session = session(anyContent());
        }
        if (events % EVENTS_PER_RETITLING == 0) {
            changes.add(retitled());
        }
        sessions.set(slot, session);
        return new Step(List.copyOf(changes), event(session, now));
    }

    private int anyContent() {
        int premieres = contents.size() - initialContents;
        if (premieres > 0 && random.nextInt(100) < 4) {
            return contents.size() - 1 - random.nextInt(Math.min(premieres, RECENT_PREMIERES));
        }
        return popularity.rank(random.nextDouble());
    }

    private Session session(int content) {
        UUID user = random.nextInt(100) < 8 ? null : users[random.nextInt(users.length)];
        String device = random.nextInt(100) < 10 ? null : DEVICES.get(random.nextInt(DEVICES.size()));
        boolean read = contents.get(content).contentType().equals("newsletter");
        Next first = read || random.nextInt(100) < 60 ? Next.CLICK : Next.PLAY;
        return new Session(content, user, device, Long.toHexString(random.nextLong()), first);
    }

    private EventRow event(Session session, Instant now) {
        ContentRow content = contents.get(session.content);
        Next step = session.next;
        Integer duration = random.nextInt(100) < 4 ? null : duration(step, session, content);
        // Most arrive at once, a fifth up to a second late.
        long disorderMicros =
                random.nextInt(100) < 80 ? random.nextLong(50_000) : random.nextLong(MAX_DISORDER.toMillis() * 1_000);
        EventRow row = new EventRow(
                content.id(),
                session.user,
                step.name().toLowerCase(Locale.ROOT),
                now.truncatedTo(ChronoUnit.MICROS).minus(disorderMicros, ChronoUnit.MICROS),
                duration,
                session.device,
                payload(step, session));
        session.next = after(step, content);
        return row;
    }

    private @Nullable Integer duration(Next step, Session session, ContentRow content) {
        int lengthMs = (content.lengthSeconds() == null ? 240 : content.lengthSeconds()) * 1_000;
        switch (step) {
            case PLAY -> {
                return random.nextInt(30_000);
            }
            case PAUSE -> {
                int played = 500 + random.nextInt(Math.max(1, lengthMs / 3));
                session.positionMs += played;
                return played;
            }
            case FINISH -> {
                // Some listen to the end, some to the credits twice.
                session.positionMs = lengthMs;
                return (int) (lengthMs * (0.8 + 0.4 * random.nextDouble()));
            }
            default -> {
                return null;
            }
        }
    }

    private Next after(Next step, ContentRow content) {
        int dice = random.nextInt(100);
        return switch (step) {
            case CLICK ->
                content.contentType().equals("newsletter")
                        ? (dice < 40 ? Next.FINISH : Next.LEAVE)
                        : (dice < 85 ? Next.PLAY : Next.LEAVE);
            case PLAY -> dice < 60 ? Next.PAUSE : dice < 90 ? Next.FINISH : Next.LEAVE;
            case PAUSE -> dice < 65 ? Next.PLAY : Next.LEAVE;
            case FINISH, LEAVE -> Next.LEAVE;
        };
    }

    private @Nullable String payload(Next step, Session session) {
        int dice = random.nextInt(100);
        if (dice < 25) {
            return null;
        }
        String position = BigDecimal.valueOf(session.positionMs, 3).toPlainString();
        String common = "\"session\":\"" + session.key + "\",\"position\":" + position + amount(step);
        if (dice < 28) {
            return "{" + common
                    + ",\"note\":\"naïve \\\"quote\\\" \\\\ 🎧 \\u00e9\\n\",\"tags\":[\"a\",null,1e3,{\"b\":true}]}";
        }
        return "{" + common + ",\"app\":\"4." + random.nextInt(9) + "\"}";
    }

    /** A field of the payload, or nothing. */
    private String amount(Next step) {
        return switch (step) {
            case CLICK -> ",\"value\":" + amount(amounts.nextInt(1, 500));
            case PLAY -> amounts.nextInt(100) < PAID_PERCENT ? ",\"price\":" + amount(amounts.nextInt(99, 2_000)) : "";
            default -> "";
        };
    }

    private String amount(int cents) {
        String decimal = BigDecimal.valueOf(cents, 2).toPlainString();
        int dice = amounts.nextInt(100);
        return dice < 85 ? decimal : dice < 98 ? "\"" + decimal + "\"" : "\"free\"";
    }

    private ContentRow content(int number) {
        String type =
                switch (random.nextInt(4)) {
                    case 0 -> "newsletter";
                    case 1 -> "podcast";
                    default -> "video";
                };
        Integer length =
                switch (type) {
                    case "podcast" -> 600 + random.nextInt(4_800);
                    case "video" -> random.nextInt(100) < 5 ? null : 30 + random.nextInt(1_800);
                    default -> null;
                };
        String title = String.format(
                Locale.ROOT, FORMS.get(random.nextInt(FORMS.size())), SUBJECTS.get(random.nextInt(SUBJECTS.size())));
        return new ContentRow(
                uuid(),
                type + "-" + (number + 1),
                title,
                type,
                length,
                PUBLISHED_BEFORE.minus(random.nextLong(PUBLISHED_WITHIN_MICROS), ChronoUnit.MICROS));
    }

    /** An editor's hand: a new title, and every fourth time another length. */
    private ContentRow retitled() {
        int index = random.nextInt(contents.size());
        ContentRow old = contents.get(index);
        retitlings++;
        Integer length = old.lengthSeconds();
        if (length != null && retitlings % 4 == 0) {
            length += 1 + random.nextInt(20);
        }
        String title = old.title().replaceFirst(" \\(edit \\d+\\)$", "") + " (edit " + retitlings + ")";
        ContentRow edited = new ContentRow(old.id(), old.slug(), title, old.contentType(), length, old.publishTs());
        contents.set(index, edited);
        return edited;
    }

    /** A random UUID of version 4, but from the seed. */
    private UUID uuid() {
        long high = (random.nextLong() & 0xffff_ffff_ffff_0fffL) | 0x4000L;
        long low = (random.nextLong() & 0x3fff_ffff_ffff_ffffL) | 0x8000_0000_0000_0000L;
        return new UUID(high, low);
    }
}
