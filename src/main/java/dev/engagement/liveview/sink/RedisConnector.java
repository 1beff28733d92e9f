package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveViewOptions;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

/**
 * Connects to the Redis that the options name, and finds out whether it is a single server or a node of a cluster. Of a
 * cluster it remembers the nodes, each of which can later stand in for the one that the options name.
 *
 * <p>The password is read at each connect, so that a rotated one is found by the next. Serializable without what it
 * remembers. Used by one thread at a time.
 */
final class RedisConnector implements RedisConnection.Connector {

    private static final long serialVersionUID = 1L;

    private final LiveViewOptions options;
    /** Null: Java's own. */
    private final transient @Nullable SSLSocketFactory trust;
    /** Null: the default. */
    private final transient JedisConnection.@Nullable Patience timeout;

    private transient @Nullable KnownNodes known;

    RedisConnector(LiveViewOptions options) {
        this(options, null, null);
    }

    /**
     * For one process.
     *
     * @param trust in certificates; null for Java's own
     * @param timeout with a server; null for the default
     */
    RedisConnector(
            LiveViewOptions options, @Nullable SSLSocketFactory trust, JedisConnection.@Nullable Patience timeout) {
        this.options = options;
        this.trust = trust;
        this.timeout = timeout;
    }

    LiveViewOptions options() {
        return options;
    }

    @Override
    public RedisConnection connect() {
        KnownNodes nodes = known();
        JedisConnectionException unreachable = null;
        for (HostAndPort address : nodes.seeds()) {
            try {
                return connect(address, nodes);
            } catch (JedisConnectionException e) {
                // The one that the options name comes first, and it is the one to be named.
                unreachable = unreachable == null ? e : unreachable;
            }
        }
        throw unreachable == null ? new JedisConnectionException("There is no address of Redis") : unreachable;
    }

    private RedisConnection connect(HostAndPort address, KnownNodes nodes) {
        JedisConnection connection = open(address, timeout());
        try {
            Optional<ClusterSlots> slots = slots(connection, address);
            return slots.isPresent()
                    ? new ClusterConnection(this, nodes, address, connection, slots.get())
                    : connection;
        } catch (RuntimeException e) {
            connection.abort();
            throw e;
        }
    }

    /** A connection to that server. */
    JedisConnection open(HostAndPort address, JedisConnection.Patience timeout) {
        try {
            return JedisConnection.connect(address, options, trust(), timeout);
        } catch (JedisDataException e) {
            if (options.database() != 0 && String.valueOf(e.getMessage()).contains("not allowed in cluster mode")) {
                throw new LiveViewRefusedException(
                        "redis.url names database " + options.database() + ", and " + address
                                + " is a Redis Cluster, which has none but 0: leave the database off, and use"
                                + " redis.key-prefix to tell environments apart",
                        e);
            }
            throw e;
        }
    }

    /**
     * Where the slots are.
     *
     * @return empty if the server is not a node of a cluster
     */
    static Optional<ClusterSlots> slots(JedisConnection connection, HostAndPort address) {
        Object answer = connection.ask(Protocol.Command.CLUSTER, "SLOTS");
        if (answer instanceof List<?> ranges) {
            return Optional.of(ClusterSlots.of(ranges, address));
        }
        if (answer instanceof JedisDataException error) {
            String message = String.valueOf(error.getMessage());
            if (message.startsWith("ERR")) {
                // Cluster support disabled, or something that speaks Redis and has never heard of clusters.
                return Optional.empty();
            }
            boolean noRight = message.startsWith("NOPERM");
            if (noRight && !isCluster(connection)) {
                return Optional.empty();
            }
            throw error;
        }
        return Optional.empty();
    }

    private static boolean isCluster(JedisConnection connection) {
        return JedisConnection.text(connection.ask(Protocol.Command.INFO, "cluster"))
                .contains("cluster_enabled:1");
    }

    private KnownNodes known() {
        KnownNodes nodes = known;
        if (nodes == null) {
            LongSupplier ticker = System::nanoTime;
            nodes = new KnownNodes(new HostAndPort(options.host(), options.port()), ticker);
            known = nodes;
        }
        return nodes;
    }

    JedisConnection.Patience timeout() {
        return timeout == null ? JedisConnection.Patience.DEFAULT : timeout;
    }

    private SSLSocketFactory trust() {
        return trust == null ? (SSLSocketFactory) SSLSocketFactory.getDefault() : trust;
    }
}
