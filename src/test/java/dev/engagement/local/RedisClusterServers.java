package dev.engagement.local;

import dev.engagement.connection.Pause;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.params.MigrateParams;

/**
 * A Redis Cluster of three real masters without replicas, on the loopback interface only. A master that is killed and
 * restarted is empty and serves its slots again; while it is away, the others serve theirs.
 *
 * <p>Not thread safe.
 */
public final class RedisClusterServers implements AutoCloseable {

    private static final int MASTERS = 3;
    private static final int MAX_KEYS_MOVED = 100_000;
    private static final int SLOTS = 16_384;
    private static final int NODE_TIMEOUT_MILLIS = 2_000;
    private static final Duration START_LIMIT = Duration.ofMinutes(5);
    private static final Duration POLL_INTERVAL = Duration.ofMillis(20);

    /**
     * TLS ends of the nodes, beside the plain ones.
     *
     * @param certificate PEM; also what the nodes trust among themselves
     * @param key PEM, PKCS #8
     * @param hostName what the nodes announce themselves as; the certificate's
     */
    public record Tls(Path certificate, Path key, String hostName) {}

    private final List<RedisServer> nodes;
    private final List<Integer> tlsPorts;
    private final @Nullable Tls tls;

    private RedisClusterServers(List<RedisServer> nodes, List<Integer> tlsPorts, @Nullable Tls tls) {
        this.nodes = nodes;
        this.tlsPorts = tlsPorts;
        this.tls = tls;
    }

    /** As {@link #start(Path, String, Tls)}, without password and TLS. */
    public static RedisClusterServers start(Path directory) {
        return start(directory, null, null);
    }

    /**
     * Starts an empty cluster; returns when every node says that it is whole.
     *
     * @param directory its nodes' folders are below it; what it held is deleted
     * @param password of every node's default user; null for none
     * @param tls null for plain connections only
     * @throws ServerException if a node does not start or the nodes do not find each other
     */
    public static RedisClusterServers start(Path directory, @Nullable String password, @Nullable Tls tls) {
        List<RedisServer> nodes = new ArrayList<>();
        List<Integer> busPorts = new ArrayList<>();
        List<Integer> tlsPorts = new ArrayList<>();
        try {
            for (int i = 0; i < MASTERS; i++) {
                Path folder = directory.resolve("node-" + i);
                RedisServer.discard(folder);
                int busPort = Ports.free();
                int tlsPort = tls == null ? 0 : Ports.free();
                busPorts.add(busPort);
                tlsPorts.add(tlsPort);
                nodes.add(RedisServer.start(folder, 0, password, settings(busPort, tlsPort, tls)));
            }
            join(nodes, tls == null ? List.of() : tlsPorts, busPorts);
            RedisClusterServers cluster = new RedisClusterServers(nodes, tlsPorts, tls);
            cluster.awaitWhole();
            return cluster;
        } catch (RuntimeException e) {
            nodes.forEach(RedisServer::close);
            throw e;
        }
    }

    private static List<String> settings(int busPort, int tlsPort, @Nullable Tls tls) {
        List<String> settings = new ArrayList<>(List.of(
                "cluster-enabled yes",
                "cluster-port " + busPort,
                "cluster-node-timeout " + NODE_TIMEOUT_MILLIS,
                // Without replicas, a master that is away would else take the others' slots with it.
                "cluster-require-full-coverage no"));
        if (tls != null) {
            settings.addAll(List.of(
                    "tls-port " + tlsPort,
                    // Redis 7.0 names TLS ports to clients only if the nodes themselves speak TLS.
                    "tls-cluster yes",
                    "tls-cert-file \"" + tls.certificate().toAbsolutePath() + "\"",
                    "tls-key-file \"" + tls.key().toAbsolutePath() + "\"",
                    "tls-ca-cert-file \"" + tls.certificate().toAbsolutePath() + "\"",
                    "tls-auth-clients no",
                    "cluster-announce-hostname " + tls.hostName(),
                    "cluster-preferred-endpoint-type hostname"));
        }
        return settings;
    }

    private static void join(List<RedisServer> nodes, List<Integer> tlsPorts, List<Integer> busPorts) {
        for (int i = 0; i < nodes.size(); i++) {
            try (Jedis node = nodes.get(i).connect()) {
                node.clusterAddSlotsRange(SLOTS * i / nodes.size(), SLOTS * (i + 1) / nodes.size() - 1);
                // Else each begins as 0, and every pair of equal ones is a conflict to be settled.
                node.clusterSetConfigEpoch(i + 1);
            }
        }
        try (Jedis first = nodes.get(0).connect()) {
            for (int i = 1; i < nodes.size(); i++) {
                int port = tlsPorts.isEmpty() ? nodes.get(i).port() : tlsPorts.get(i);
                first.sendCommand(
                        Protocol.Command.CLUSTER,
                        "MEET",
                        nodes.get(i).host(),
                        Integer.toString(port),
                        Integer.toString(busPorts.get(i)));
            }
        }
    }

    /**
     * Returns when every node knows every other one and sees all slots served.
     *
     * @throws ServerException if that takes too long
     */
    public void awaitWhole() {
        long deadline = System.nanoTime() + START_LIMIT.toNanos();
        while (!nodes.stream().allMatch(RedisClusterServers::isWhole)) {
            if (System.nanoTime() > deadline) {
                throw new ServerException("The nodes of the Redis Cluster did not find each other within "
                        + START_LIMIT.toSeconds() + " s; their logs are in the folders of " + nodes);
            }
            try {
                Pause.real().of(POLL_INTERVAL);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new ServerException("Interrupted while the nodes of the Redis Cluster find each other", e);
            }
        }
    }

    private static boolean isWhole(RedisServer server) {
        try (Jedis node = server.connect()) {
            String info = node.clusterInfo();
            return info.contains("cluster_state:ok")
                    && info.contains("cluster_known_nodes:" + MASTERS)
                    && info.contains("cluster_slots_ok:" + SLOTS)
                    && node.clusterNodes().lines().noneMatch(line -> line.contains("handshake"));
        }
    }

    /** The nodes, in the order of their slots. */
    public List<RedisServer> nodes() {
        return List.copyOf(nodes);
    }

    /** {@code redis://host:port} of a node, or {@code rediss://} if there is TLS. */
    public String url(int node) {
        return tls == null ? nodes.get(node).url() : "rediss://" + tls.hostName() + ":" + tlsPorts.get(node);
    }

    /**
     * Moves a slot with its keys to another node, as resharding does.
     *
     * @param slot 0..16383
     * @param from index of the node that serves it
     * @param to index of the node that serves it from now on
     */
    public void moveSlot(int slot, int from, int to) {
        beginMove(slot, from, to);
        endMove(slot, from, to);
    }

    /** The first half of {@link #moveSlot}: until the second, what is not there any more or not yet is answered ASK. */
    public void beginMove(int slot, int from, int to) {
        try (Jedis source = nodes.get(from).connect();
                Jedis target = nodes.get(to).connect()) {
            target.clusterSetSlotImporting(slot, source.clusterMyId());
            source.clusterSetSlotMigrating(slot, target.clusterMyId());
        }
    }

    /** The second half of {@link #moveSlot}. */
    public void endMove(int slot, int from, int to) {
        RedisServer target = nodes.get(to);
        String newOwner = id(target);
        try (Jedis source = nodes.get(from).connect()) {
            MigrateParams params = MigrateParams.migrateParams();
            if (target.password() != null) {
                params.auth(target.password());
            }
            for (String key : source.clusterGetKeysInSlot(slot, MAX_KEYS_MOVED)) {
                source.migrate(target.host(), target.port(), NODE_TIMEOUT_MILLIS, params, key);
            }
        }
        // First the new owner, who raises its epoch and so tells the others.
        setSlot(target, slot, newOwner);
        for (RedisServer node : nodes) {
            setSlot(node, slot, newOwner);
        }
    }

    private static void setSlot(RedisServer server, int slot, String id) {
        try (Jedis node = server.connect()) {
            node.clusterSetSlotNode(slot, id);
        }
    }

    private static String id(RedisServer server) {
        try (Jedis node = server.connect()) {
            return node.clusterMyId();
        }
    }

    @Override
    public void close() {
        nodes.forEach(RedisServer::close);
    }
}
