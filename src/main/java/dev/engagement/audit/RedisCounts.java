package dev.engagement.audit;

import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewOptions;
import java.io.IOException;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.ClientSetInfoConfig;
import redis.clients.jedis.Connection;
import redis.clients.jedis.ConnectionPool;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.params.ScanParams;
import redis.clients.jedis.resps.ScanResult;

/** The counts in a Redis, or in a Redis Cluster. Reads only: GET, MGET and SCAN. */
final class RedisCounts implements Counts, AutoCloseable {

    private static final int TIMEOUT_MILLIS = 10_000;
    private static final int SCANNED_AT_ONCE = 1_000;

    private final LiveViewKeys keys;
    private final String server;
    private final Jedis single;
    private final @Nullable RedisClusterClient cluster;

    private RedisCounts(LiveViewKeys keys, String server, Jedis single, @Nullable RedisClusterClient cluster) {
        this.keys = keys;
        this.server = server;
        this.single = single;
        this.cluster = cluster;
    }

    /**
     * Connects; the password is read now.
     *
     * @throws IOException if Redis does not answer, or refuses
     */
    static RedisCounts connect(LiveViewOptions options) throws IOException {
        HostAndPort address = new HostAndPort(options.host(), options.port());
        JedisClientConfig config = config(options);
        LiveViewKeys keys = new LiveViewKeys(options.keyPrefix());
        String server = "Redis at " + options.url();
        Jedis single = null;
        try {
            single = new Jedis(address, config);
            RedisClusterClient cluster = isCluster(single)
                    ? RedisClusterClient.builder()
                            .nodes(Set.of(address))
                            .clientConfig(config)
                            .build()
                    : null;
            return new RedisCounts(keys, server, single, cluster);
        } catch (JedisException e) {
            if (single != null) {
                single.close();
            }
            throw new IOException(
                    server + " cannot be read: " + e.getMessage() + ". Check redis.url and redis.password, or leave"
                            + " liveview out of destinations",
                    e);
        }
    }

    private static boolean isCluster(Jedis server) {
        try {
            return server.info("cluster").contains("cluster_enabled:1");
        } catch (JedisDataException e) {
            // An access rule may forbid the question; who has a cluster and such a rule is told by the first MOVED.
            return false;
        }
    }

    private static JedisClientConfig config(LiveViewOptions options) {
        SSLParameters verifyingHostName = new SSLParameters();
        verifyingHostName.setEndpointIdentificationAlgorithm("HTTPS");
        String user = options.user();
        return DefaultJedisClientConfig.builder()
                .connectionTimeoutMillis(TIMEOUT_MILLIS)
                .socketTimeoutMillis(TIMEOUT_MILLIS)
                .ssl(options.tls())
                .sslParameters(verifyingHostName)
                .user(user == null || user.isEmpty() ? null : user)
                .password(options.password().read())
                .database(options.database())
                .clientSetInfoConfig(ClientSetInfoConfig.DISABLED)
                .build();
    }

    @Override
    public Map<String, String> of(Collection<String> contentIds) throws IOException {
        return asking(() -> {
            Map<String, String> counts = new HashMap<>();
            List<String> ids = List.copyOf(contentIds);
            if (cluster != null) {
                // The keys of one MGET would have to be of one slot.
                for (String id : ids) {
                    put(counts, id, cluster.get(keys.count(id)));
                }
            } else if (!ids.isEmpty()) {
                List<String> values = single.mget(ids.stream().map(keys::count).toArray(String[]::new));
                for (int i = 0; i < ids.size(); i++) {
                    put(counts, ids.get(i), values.get(i));
                }
            }
            return counts;
        });
    }

    private static void put(Map<String, String> counts, String id, @Nullable String value) {
        if (value != null) {
            counts.put(id, value);
        }
    }

    @Override
    public void contents(Consumer<String> each) throws IOException {
        asking(() -> {
            if (cluster == null) {
                scan(single, each);
            } else {
                for (ConnectionPool node : cluster.getClusterNodes().values()) {
                    try (Connection connection = node.getResource()) {
                        scan(new Jedis(connection), each);
                    }
                }
            }
            return true;
        });
    }

    private void scan(Jedis node, Consumer<String> each) {
        String all = keys.count("");
        // A prefix may hold what a pattern means otherwise.
        ScanParams params = new ScanParams()
                .match(all.replaceAll("[*?\\[\\]\\\\^]", "\\\\$0") + "*")
                .count(SCANNED_AT_ONCE);
        String cursor = ScanParams.SCAN_POINTER_START;
        do {
            ScanResult<String> found = node.scan(cursor, params);
            found.getResult().forEach(key -> each.accept(key.substring(all.length())));
            cursor = found.getCursor();
        } while (!cursor.equals(ScanParams.SCAN_POINTER_START));
    }

    private <T> T asking(Supplier<T> question) throws IOException {
        try {
            return question.get();
        } catch (JedisException e) {
            throw new IOException(server + " does not answer what content:count has: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() {
        single.close();
        if (cluster != null) {
            cluster.close();
        }
    }
}
