package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveViewOptions;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

/** That a rebuild writes under a prefix of its own. */
public final class FreshLiveView {

    private static final JedisConnection.Patience TIMEOUT =
            new JedisConnection.Patience(Duration.ofSeconds(2), Duration.ofSeconds(10));

    /** Keys that Redis looks at for each answer. */
    private static final String KEYS_AT_ONCE = "5000";

    private FreshLiveView() {}

    /**
     * Looks for keys under the prefix, in each master of a cluster, from the client, before a job is submitted. The epoch of
     * a live view counts, as any other key does.
     *
     * @throws LiveViewRefusedException if there is one, or Redis cannot be asked: a rebuild that did not look is not started
     */
    public static void require(LiveViewOptions options) {
        try {
            HostAndPort address = new HostAndPort(options.host(), options.port());
            RedisConnector connector = new RedisConnector(options);
            Optional<ClusterSlots> slots;
            JedisConnection first = connector.open(address, TIMEOUT);
            try {
                slots = RedisConnector.slots(first, address);
                if (slots.isEmpty()) {
                    refuse(options, keyUnder(first, options.keyPrefix()));
                    return;
                }
            } finally {
                first.abort();
            }
            for (HostAndPort master : slots.get().masters()) {
                JedisConnection connection = connector.open(master, TIMEOUT);
                try {
                    refuse(options, keyUnder(connection, options.keyPrefix()));
                } finally {
                    connection.abort();
                }
            }
        } catch (JedisConnectionException | JedisDataException | IllegalStateException e) {
            throw new LiveViewRefusedException(
                    "Redis at " + options.server() + " cannot be asked whether something is under redis.key-prefix '"
                            + options.keyPrefix() + "' (" + e.getMessage() + "); a rebuild needs to know",
                    e);
        }
    }

    private static void refuse(LiveViewOptions options, @Nullable String key) {
        if (key != null) {
            throw new LiveViewRefusedException(
                    "Redis at " + options.server() + " has keys under redis.key-prefix '" + options.keyPrefix()
                            + "', such as " + key
                            + ": they are another job's, or of a rebuild that failed. A rebuild writes"
                            + " under a prefix of its own; give --redis.key-prefix with a new one, delete what a failed one"
                            + " left, or leave liveview out of destinations",
                    null);
        }
    }

    private static @Nullable String keyUnder(JedisConnection connection, String prefix) {
        String cursor = "0";
        do {
            Object answer =
                    connection.ask(Protocol.Command.SCAN, cursor, "MATCH", pattern(prefix), "COUNT", KEYS_AT_ONCE);
            if (answer instanceof JedisDataException e) {
                throw e;
            }
            List<?> parts = (List<?>) answer;
            cursor = text(parts.get(0));
            for (Object key : (List<?>) parts.get(1)) {
                String name = text(key);
                if (!name.startsWith(prefix + LiveViewPreflight.PROBES)) {
                    return name;
                }
            }
        } while (!cursor.equals("0"));
        return null;
    }

    private static String text(Object bytes) {
        return new String((byte[]) bytes, StandardCharsets.UTF_8);
    }

    /** The prefix itself, whatever stands in it, and anything behind it. */
    private static String pattern(String prefix) {
        return prefix.replaceAll("([\\\\*?\\[\\]])", "\\\\$1") + "*";
    }
}
