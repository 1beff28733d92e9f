package dev.engagement.api;

import dev.engagement.connection.HostPort;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.DateTimeException;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How the text of an option becomes its value. Forms are those of the job's options, which share a file with these.
 *
 * @param form the unit or the possible words, for help
 * @param bounds what it may be, as the reference file says it; empty if anything
 * @param showsValue whether a message may repeat the text: not if a password may have slipped into it
 * @param parser reads the trimmed text; throws {@link IllegalArgumentException} with what the value must be
 */
record ApiKeyType<T>(String form, String bounds, boolean showsValue, Parser<T> parser) {

    /** Text to value. */
    @FunctionalInterface
    interface Parser<T> {
        T parse(String text);
    }

    private static final Pattern NUMBER_AND_UNIT = Pattern.compile("([0-9]{1,10})\\s*([a-z]+)");
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,10})\\s*(b|kb|mb|gb)?");
    private static final Pattern HOST = Pattern.compile("[a-z0-9]([a-z0-9._-]{0,252}[a-z0-9])?|\\[[0-9a-f:.]{2,45}]");
    private static final Pattern ORIGIN = Pattern.compile("https?://[a-z0-9.\\[\\]:_-]{1,260}");
    private static final Pattern ADDRESS = Pattern.compile("[A-Za-z0-9.:\\[\\]_-]{1,255}");

    private static final Pattern ROLLUP_NAME = Pattern.compile("[a-z][a-z0-9_]{0,39}");

    private static final Map<String, Long> MILLIS = Map.ofEntries(
            Map.entry("ms", 1L),
            Map.entry("s", 1_000L),
            Map.entry("sec", 1_000L),
            Map.entry("m", 60_000L),
            Map.entry("min", 60_000L),
            Map.entry("h", 3_600_000L),
            Map.entry("d", 86_400_000L));

    private static final Map<String, Long> BYTES =
            Map.of("b", 1L, "kb", 1_024L, "mb", 1_024L * 1_024, "gb", 1_024L * 1_024 * 1_024);

    /** Any text, surrounding white space left off. */
    static final ApiKeyType<String> TEXT_OR_EMPTY = new ApiKeyType<>("text", "", true, text -> text);

    /** Any text but none. */
    static final ApiKeyType<String> TEXT = matching("text", Pattern.compile(".+"), "it must not be empty");

    /** A file's path, read elsewhere. */
    static final ApiKeyType<String> PATH = matching("path", Pattern.compile(".+"), "it must be the path of a file");

    /** Of an interface of this machine. */
    static final ApiKeyType<String> LISTEN_ADDRESS = matching(
            "address", ADDRESS, "it must be an address or a name of this machine, such as 127.0.0.1 or 0.0.0.0");

    /** What needs no quotes in SQL. */
    static final ApiKeyType<String> POSTGRES_NAME = matching(
            "name",
            Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,62}"),
            "it must be letters, digits and underscores, 1 to 63 of them, not beginning with a digit");

    /** Comma separated, in order; none if the text is empty. */
    static final ApiKeyType<List<String>> WORDS = new ApiKeyType<>("list", "", true, ApiKeyType::words);

    /** Names that a request may ask for. */
    static final ApiKeyType<Set<String>> HOSTS = each(HOST, "a host without a port, such as metrics.example.com");

    /** Origins of pages. */
    static final ApiKeyType<Set<String>> ORIGINS =
            each(ORIGIN, "an origin without a path, such as https://metrics.example.com");

    /** Names of rollups. */
    static final ApiKeyType<Set<String>> NAMES = each(ROLLUP_NAME, "a rollup's name");

    static final ApiKeyType<URI> REDIS_URL = new ApiKeyType<>("URL", "", false, text -> {
        String form = "it must be of the form redis://host:port or rediss://host:port, with /database if it is not 0,"
                + " and without a password, which belongs into " + ApiKey.waysOfSecret("redis.password");
        URI url;
        try {
            url = new URI(text);
        } catch (URISyntaxException e) {
            // The exception's own text repeats the URL.
            throw new IllegalArgumentException(form, new IllegalArgumentException(e.getReason()));
        }
        HostPort server = HostPort.of(url);
        boolean hasPassword = server != null
                && server.rawUserInfo() != null
                && server.rawUserInfo().contains(":");
        if (!Set.of("redis", "rediss").contains(String.valueOf(url.getScheme())) || server == null || hasPassword) {
            throw new IllegalArgumentException(form);
        }
        return server.port() >= 0 ? url : HostPort.withPort(url, 6379);
    });

    /** Of a server that is asked without logging in. */
    static final ApiKeyType<URI> HTTP_URL = new ApiKeyType<>("URL", "", false, text -> {
        String form = "it must be of the form http://host:port or https://host:port, without a user";
        URI url;
        try {
            url = new URI(text);
        } catch (URISyntaxException e) {
            // The exception's own text repeats the URL.
            throw new IllegalArgumentException(form, new IllegalArgumentException(e.getReason()));
        }
        if (!Set.of("http", "https").contains(String.valueOf(url.getScheme()))
                || url.getHost() == null
                || url.getRawUserInfo() != null
                || url.getRawQuery() != null
                || url.getRawFragment() != null) {
            throw new IllegalArgumentException(form);
        }
        return url;
    });

    /** Of BigQuery's REST interface: the name of a container may have an underscore, if there is no TLS. */
    static final ApiKeyType<URI> WAREHOUSE_URL = new ApiKeyType<>("URL", "", false, text -> {
        String form = "it must be of the form https://host:port, or http://host:port for a local emulator";
        URI url;
        try {
            url = new URI(text);
        } catch (URISyntaxException e) {
            // The exception's own text repeats the URL.
            throw new IllegalArgumentException(form, new IllegalArgumentException(e.getReason()));
        }
        HostPort server = HostPort.of(url);
        if (!Set.of("http", "https").contains(String.valueOf(url.getScheme()))
                || server == null
                || server.rawUserInfo() != null) {
            throw new IllegalArgumentException(form);
        }
        if ("https".equals(url.getScheme())) {
            HostPort.checkCertifiable("its value", url);
        }
        return url;
    });

    /** @param server the keys of that server, as in {@code SERVER.url}, to say where user and password belong */
    static ApiKeyType<String> postgresUrl(String server) {
        return new ApiKeyType<>("JDBC URL", "", false, text -> {
            String prefix = "jdbc:postgresql://";
            int query = text.indexOf('?');
            String address = query < 0 ? text : text.substring(0, query);
            String parameters = query < 0 ? "" : text.substring(query).toLowerCase(Locale.ROOT);
            if (!text.startsWith(prefix)) {
                throw new IllegalArgumentException("it must be of the form jdbc:postgresql://host:port/database");
            }
            if (address.contains("@") || parameters.contains("password=")) {
                throw new IllegalArgumentException("it contains a password or a user, which belong into " + server
                        + ".username and " + ApiKey.waysOfSecret(server + ".password"));
            }
            return text;
        });
    }

    static ApiKeyType<Integer> integer(int min, int max) {
        String bounds = min + " to " + max;
        return new ApiKeyType<>("number", bounds, true, text -> {
            String form = "it must be a whole number, " + bounds;
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

    /** Bytes, of what fits into memory. */
    static ApiKeyType<Integer> size(String min, String max) {
        ApiKeyType<Long> any = largeSize(min, max);
        return new ApiKeyType<>(
                any.form(),
                any.bounds(),
                true,
                text -> Math.toIntExact(any.parser().parse(text)));
    }

    /** Bytes. */
    static ApiKeyType<Long> largeSize(String min, String max) {
        String bounds = min + " to " + max;
        long least = bytes(min);
        long most = bytes(max);
        return new ApiKeyType<>("size", bounds, true, text -> {
            long value = bytes(text);
            if (value < least || value > most) {
                throw new IllegalArgumentException("it must be " + bounds);
            }
            return value;
        });
    }

    static ApiKeyType<Duration> duration(String min, String max) {
        String bounds = min + " to " + max;
        Duration least = time(min);
        Duration most = time(max);
        return new ApiKeyType<>("duration", bounds, true, text -> {
            Duration value = time(text);
            if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
                throw new IllegalArgumentException("it must be " + bounds);
            }
            return value;
        });
    }

    /** Whether values are more or less, so that one can be too low or too high. */
    boolean isOrdered() {
        return !bounds.isEmpty();
    }

    private static ApiKeyType<String> matching(String form, Pattern pattern, String reason) {
        return new ApiKeyType<>(form, "", true, text -> {
            if (!pattern.matcher(text).matches()) {
                throw new IllegalArgumentException(reason);
            }
            return text;
        });
    }

    private static ApiKeyType<Set<String>> each(Pattern pattern, String what) {
        return new ApiKeyType<>("list", "", true, text -> {
            Set<String> all = new LinkedHashSet<>();
            for (String word : words(text.toLowerCase(Locale.ROOT))) {
                if (!pattern.matcher(word).matches()) {
                    throw new IllegalArgumentException("'" + word + "' in it is not " + what);
                }
                all.add(word);
            }
            return all;
        });
    }

    private static List<String> words(String text) {
        if (text.isEmpty()) {
            return List.of();
        }
        List<String> words =
                Arrays.stream(text.split(",", -1)).map(String::trim).toList();
        if (words.contains("")) {
            throw new IllegalArgumentException("it has an empty place; it must be a list, comma separated");
        }
        return words;
    }

    private static long bytes(String text) {
        Matcher size = SIZE.matcher(text.toLowerCase(Locale.ROOT));
        if (!size.matches()) {
            throw new IllegalArgumentException("it must be a size such as 512 kb, 1 mb or 1048576 (bytes)");
        }
        long unit = size.group(2) == null ? 1 : BYTES.getOrDefault(size.group(2), 1L);
        return Long.parseLong(size.group(1)) * unit;
    }

    private static Duration time(String text) {
        String form = "it must be a duration such as 250 ms, 30 s, 10 min, 1 h or PT30S";
        if (text.matches("[0-9]+")) {
            throw new IllegalArgumentException("it has no unit; " + form);
        }
        if (text.matches("[Pp].*")) {
            try {
                return Duration.parse(text);
            } catch (DateTimeException e) {
                throw new IllegalArgumentException(form, e);
            }
        }
        Matcher parts = NUMBER_AND_UNIT.matcher(text.toLowerCase(Locale.ROOT));
        Long unit = parts.matches() ? MILLIS.get(parts.group(2)) : null;
        if (unit == null) {
            throw new IllegalArgumentException(form);
        }
        return Duration.ofMillis(Math.multiplyExact(Long.parseLong(parts.group(1)), unit));
    }
}
