package dev.engagement.config;

import dev.engagement.connection.HostPort;
import dev.engagement.delivery.DeliveryOptions;
import dev.engagement.redrive.RedriveOptions;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.util.TimeUtils;

/**
 * How the text of an option becomes its value.
 *
 * @param form the unit or the possible words, for help
 * @param bounds what it may be, as the reference file says it; empty if anything
 * @param ordered whether values are more or less, so that one can be too low or too high
 * @param showsValue whether a message may repeat the text: not if a password may have slipped into it
 * @param parser reads the trimmed text; throws {@link IllegalArgumentException} with what the value must be
 */
record Type<T>(String form, String bounds, boolean ordered, boolean showsValue, Parser<T> parser) {

    Type(String form, boolean ordered, boolean showsValue, Parser<T> parser) {
        this(form, "", ordered, showsValue, parser);
    }

    /** Text to value. */
    @FunctionalInterface
    interface Parser<T> {
        T parse(String text);
    }

    private static final Duration LONGEST = Duration.ofDays(36_500);
    private static final String SUCH_AS_DURATION = "it must be a duration such as 250 ms, 30 s, 10 min, 1 h or PT30S";
    private static final Pattern PASSWORD_PARAMETER = Pattern.compile("(^|&)[^=&]*password=");
    private static final Pattern ISO_DURATION = Pattern.compile("[Pp].*");
    private static final Pattern STATUS_RANGE = Pattern.compile("([0-9]{3})(?:\\s*-\\s*([0-9]{3}))?");
    private static final Pattern SERVER =
            Pattern.compile("([a-zA-Z][a-zA-Z0-9+.-]*://)?(\\[[0-9a-fA-F:.%]+]|[0-9a-zA-Z._-]+):([0-9]{1,5})");

    /** Any text, surrounding white space left off. */
    static final Type<String> TEXT_OR_EMPTY = new Type<>("text", false, true, text -> text);

    /** Any text but none. */
    static final Type<String> TEXT = matching("text", ".+", "it must not be empty");

    /** A file's path, read elsewhere. */
    static final Type<String> PATH = matching("path", ".+", "it must be the path of a file");

    static final Type<String> TOPIC = matching(
            "topic name",
            "(?!\\.{1,2}$)[a-zA-Z0-9._-]{1,249}",
            "Kafka allows letters, digits, '.', '_' and '-' in a topic name, 1 to 249 of them");

    /** Stricter than PostgreSQL: what needs no quotes in SQL, in a Debezium table list or in a topic name. */
    static final Type<String> POSTGRES_NAME = matching(
            "name",
            "[A-Za-z_][A-Za-z0-9_]{0,62}",
            "it must be letters, digits and underscores, 1 to 63 of them, not beginning with a digit");

    static final Type<String> SLOT_NAME = matching(
            "name", "[a-z0-9_]{1,63}", "PostgreSQL allows lower-case letters, digits and underscores, 1 to 63 of them");

    static final Type<Boolean> BOOLEAN = new Type<>("true | false", false, true, text -> {
        if (text.equals("true") || text.equals("false")) {
            return Boolean.valueOf(text);
        }
        throw new IllegalArgumentException("it must be true or false");
    });

    static final Type<Boolean> FLAG = new Type<>("flag", false, true, text -> {
        if (text.equalsIgnoreCase("true") || text.equalsIgnoreCase("false")) {
            return Boolean.valueOf(text);
        }
        throw new IllegalArgumentException("it must be given without a value, or be true or false");
    });

    static final Type<String> SERVERS = new Type<>("host:port,…", false, false, text -> {
        String[] servers = text.split(",", -1);
        for (int i = 0; i < servers.length; i++) {
            servers[i] = servers[i].trim();
            var server = SERVER.matcher(servers[i]);
            if (!server.matches()
                    || Integer.parseInt(server.group(3)) > 65_535
                    || server.group(3).matches("0+")) {
                throw new IllegalArgumentException(
                        "it must be host:port, comma separated, for example kafka-1:9092,kafka-2:9092");
            }
        }
        return String.join(",", servers);
    });

    /** @param server the keys of that server, as in {@code SERVER.url}, to say where user and password belong */
    static Type<String> postgresUrl(String server) {
        return new Type<>("JDBC URL", false, false, text -> {
            if (!text.startsWith("jdbc:postgresql://")) {
                throw new IllegalArgumentException("it must be of the form jdbc:postgresql://host:port/database");
            }
            String rest = text.substring("jdbc:postgresql://".length());
            int query = rest.indexOf('?');
            String parameters = query < 0 ? "" : rest.substring(query + 1).toLowerCase(Locale.ROOT);
            if (rest.substring(0, query < 0 ? rest.length() : query).contains("@")
                    || PASSWORD_PARAMETER.matcher(parameters).find()) {
                throw new IllegalArgumentException("it contains a password or a user, which belong into " + server
                        + ".username and " + Key.waysOfSecret(server + ".password"));
            }
            return text;
        });
    }

    static final Type<URI> REDIS_URL = new Type<>("URL", false, false, text -> {
        String form = "it must be of the form redis://host:port or rediss://host:port, with /database if it is not 0";
        URI url;
        try {
            url = new URI(text);
        } catch (URISyntaxException e) {
            // The exception's own text repeats the URL.
            throw new IllegalArgumentException(form, withoutText(e));
        }
        HostPort server = HostPort.of(url);
        boolean password = url.getRawAuthority() != null
                && url.getRawAuthority().contains("@")
                && (server == null
                        || server.rawUserInfo() == null
                        || server.rawUserInfo().contains(":"));
        boolean parameter = url.getRawQuery() != null
                && url.getRawQuery().toLowerCase(Locale.ROOT).contains("password=");
        if (password || parameter) {
            throw new IllegalArgumentException(
                    "it contains a password, which belongs into " + Key.waysOfSecret("redis.password"));
        }
        if (!List.of("redis", "rediss").contains(String.valueOf(url.getScheme())) || server == null) {
            throw new IllegalArgumentException(form);
        }
        if (url.getPath() != null && !url.getPath().matches("/?|/[0-9]{1,4}")) {
            throw new IllegalArgumentException(form);
        }
        return server.port() >= 0 ? url : HostPort.withPort(url, 6379);
    });

    /** Comma separated, in order. */
    static final Type<List<URI>> HTTP_URLS = new Type<>("URL,…", false, false, text -> {
        List<URI> urls = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            try {
                urls.add(Type.HTTP_URL.parser().parse(part.trim()));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        "each must be of the form https://host:port or http://host:port, comma separated", e);
            }
        }
        return List.copyOf(urls);
    });

    static final Type<URI> HTTP_URL = new Type<>("URL", false, false, text -> {
        String form = "it must be of the form https://host or https://host:port, http:// for a local emulator";
        URI url;
        try {
            url = new URI(text);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(form, withoutText(e));
        }
        HostPort server = HostPort.of(url);
        if (!List.of("http", "https").contains(String.valueOf(url.getScheme()))
                || server == null
                || server.rawUserInfo() != null
                || !url.getRawPath().matches("/?")
                || url.getRawQuery() != null
                || url.getRawFragment() != null) {
            throw new IllegalArgumentException(form);
        }
        return URI.create(url.getScheme() + "://" + url.getRawAuthority());
    });

    static final Type<URI> WEBHOOK_URL = new Type<>("URL", false, false, text -> {
        String form = "it must be of the form https://host/path, without user and password";
        URI url;
        try {
            url = new URI(text);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(form, withoutText(e));
        }
        HostPort server = HostPort.of(url);
        if (!List.of("http", "https").contains(String.valueOf(url.getScheme()))
                || server == null
                || server.rawUserInfo() != null
                || url.getRawFragment() != null) {
            throw new IllegalArgumentException(form);
        }
        return url;
    });

    static final Type<Integer> ID_BYTES = new Type<>("4 | 8", false, true, text -> {
        if (text.equals("4") || text.equals("8")) {
            return Integer.valueOf(text);
        }
        throw new IllegalArgumentException("it must be 4 or 8");
    });

    static final Type<URI> REGISTRY_URL = new Type<>("URL", false, false, text -> {
        URI url = WEBHOOK_URL.parser().parse(text);
        if (url.getRawQuery() != null) {
            throw new IllegalArgumentException(
                    "it must be of the form https://host/path, without anything behind the path");
        }
        String whole = url.toString();
        return whole.endsWith("/") ? URI.create(whole.substring(0, whole.length() - 1)) : url;
    });

    /** Comma separated, in order; none if the text is empty. */
    static final Type<List<String>> WORDS = new Type<>("list", false, true, text -> {
        if (text.isEmpty()) {
            return List.of();
        }
        List<String> words =
                Arrays.stream(text.split(",", -1)).map(String::trim).toList();
        if (words.contains("")) {
            throw new IllegalArgumentException("it has an empty place; it must be a list, comma separated");
        }
        return words;
    });

    static final Type<List<DeliveryOptions.StatusRange>> STATUSES = new Type<>("list", false, true, text -> {
        List<DeliveryOptions.StatusRange> ranges = new ArrayList<>();
        for (String part : text.split(",", -1)) {
            var range = STATUS_RANGE.matcher(part.trim());
            if (!range.matches()) {
                throw new IllegalArgumentException(
                        "it must be statuses and ranges of them, comma separated, such as 200-299,409");
            }
            int from = Integer.parseInt(range.group(1));
            ranges.add(new DeliveryOptions.StatusRange(
                    from, range.group(2) == null ? from : Integer.parseInt(range.group(2))));
        }
        return List.copyOf(ranges);
    });

    static final Type<Optional<Duration>> NONE_OR_DURATION = new Type<>("none | duration", true, true, text -> {
        if (text.equalsIgnoreCase("none")) {
            return Optional.empty();
        }
        try {
            return Optional.of(parseDuration(text));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(e.getMessage() + ", or 'none'", e);
        }
    });

    static final Type<Set<Destination>> DESTINATIONS = new Type<>("list", false, true, text -> {
        EnumSet<Destination> chosen = EnumSet.noneOf(Destination.class);
        for (String part : text.split(",", -1)) {
            String word = part.trim();
            Destination destination = Arrays.stream(Destination.values())
                    .filter(d -> d.word().equals(word))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("'" + word + "' is no destination; there are "
                            + String.join(", ", Destination.words()) + ", comma separated"));
            if (!chosen.add(destination)) {
                throw new IllegalArgumentException("it names '" + word + "' twice");
            }
        }
        return Collections.unmodifiableSet(chosen);
    });

    static final Type<RedriveOptions.Reasons> REASONS =
            new Type<>("REASON,…", false, true, RedriveOptions.Reasons::parse);

    static final Type<Instant> TIME = new Type<>("time", false, true, text -> {
        try {
            return OffsetDateTime.parse(text).toInstant();
        } catch (DateTimeParseException e) {
            throw new IllegalArgumentException("it must be a time with its zone such as 2026-01-08T09:00:00Z", e);
        }
    });

    static final Type<Long> ID = new Type<>("number", false, true, text -> {
        try {
            return Long.valueOf(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("it must be a whole number, as in engagement_events.id", e);
        }
    });

    static Type<Duration> duration(Duration min) {
        String bounds = min.isZero() ? "" : "at least " + TimeUtils.formatWithHighestUnit(min);
        return new Type<>("duration", bounds, true, true, text -> {
            Duration value = parseDuration(text);
            if (value.compareTo(min) < 0) {
                throw new IllegalArgumentException("it must be " + bounds);
            }
            return value;
        });
    }

    static Type<MemorySize> size(MemorySize min, MemorySize max) {
        return new Type<>("size", words(min) + " to " + words(max), true, true, text -> {
            MemorySize value;
            try {
                value = MemorySize.parse(text);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("it must be a size such as 512 kb, 1 mb or 1048576 (bytes)", e);
            }
            if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
                throw new IllegalArgumentException("it must be between " + min + " and " + max);
            }
            return value;
        });
    }

    private static String words(MemorySize size) {
        return size.toString().replaceFirst("(\\d)([a-z])", "$1 $2");
    }

    static Type<Integer> integer(int min, int max) {
        String form = "it must be a whole number between " + min + " and " + max;
        String bounds = max == Integer.MAX_VALUE ? "at least " + min : min + " to " + max;
        return new Type<>("number", bounds, true, true, text -> {
            int value;
            try {
                value = Integer.parseInt(text);
            } catch (NumberFormatException e) {
                throw new IllegalArgumentException(form, e);
            }
            if (value < min || value > max) {
                throw new IllegalArgumentException(form);
            }
            return value;
        });
    }

    static Type<Integer> replicationFactor() {
        Type<Integer> number = integer(-1, Short.MAX_VALUE);
        return new Type<>("number", true, true, text -> {
            int value = number.parser.parse(text);
            if (value == 0) {
                throw new IllegalArgumentException("it must be at least 1, or -1 for the broker's own default");
            }
            return value;
        });
    }

    static <E extends Enum<E>> Type<E> oneOf(Class<E> words) {
        E[] constants = words.getEnumConstants();
        String form = Arrays.stream(constants).map(Type::word).collect(Collectors.joining("|"));
        return new Type<>(form, false, true, text -> Arrays.stream(constants)
                .filter(constant -> word(constant).equals(text.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("it must be " + form.replace("|", " or "))));
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    private static Type<String> matching(String form, String regex, String reason) {
        Pattern pattern = Pattern.compile(regex);
        return new Type<>(form, false, true, text -> {
            if (!pattern.matcher(text).matches()) {
                throw new IllegalArgumentException(reason);
            }
            return text;
        });
    }

    private static Duration parseDuration(String text) {
        if (text.matches("[0-9]+")) {
            // Flink would read milliseconds, most people mean seconds.
            throw new IllegalArgumentException("it has no unit; " + SUCH_AS_DURATION);
        }
        Duration value;
        try {
            value = ISO_DURATION.matcher(text).matches() ? Duration.parse(text) : TimeUtils.parseDuration(text);
        } catch (IllegalArgumentException | ArithmeticException | DateTimeParseException e) {
            throw new IllegalArgumentException(SUCH_AS_DURATION, e);
        }
        if (value.isNegative() || value.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("it must be between 0 s and " + LONGEST.toDays() + " d");
        }
        return value;
    }

    private static Throwable withoutText(URISyntaxException e) {
        return new IllegalArgumentException(e.getReason() + " at index " + e.getIndex());
    }
}
