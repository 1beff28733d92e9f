package dev.engagement.api.read;

import dev.engagement.liveview.LiveViewOptions;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import javax.net.ssl.SSLParameters;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.ClientSetInfoConfig;
import redis.clients.jedis.ConnectionPool;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.DefaultRedisCredentials;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.UnifiedJedis;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Redis, or a Redis Cluster, as a bounded number of connections that are made when somebody asks. Which of the two it
 * is, is found out with the first one, so that nobody waits for Redis before. Thread-safe.
 *
 * <p>Whatever Redis does, a question ends within some times the timeout, and at once while Redis is known not to
 * answer.
 */
final class RedisStore implements AutoCloseable {

    /** For people. */
    static final String NAME = "Redis";

    /**
     * A connection that was broken while nobody used it fails as fast as that; a server that is away may take longer.
     */
    private static final Duration AT_ONCE = Duration.ofMillis(200);

    private static final Duration TOPOLOGY_REFRESH = Duration.ofSeconds(5);
    private static final int CLUSTER_ATTEMPTS = 3;

    /** Several commands that are sent together. */
    @FunctionalInterface
    interface Question<T> {

        /** Sends the commands; what comes back reads their answers, once they are there. */
        Supplier<T> in(AbstractPipeline pipeline);
    }

    private final HostAndPort address;
    private final JedisClientConfig config;
    private final ConnectionPoolConfig pool;
    private final Duration timeout;
    private final Silence silence = new Silence(NAME, System::nanoTime);

    private volatile @Nullable UnifiedJedis client;
    private boolean closed;

    /** Connects to nobody yet. */
    RedisStore(LiveViewOptions options, int maxConnections, Duration timeout) {
        this.address = new HostAndPort(options.host(), options.port());
        this.timeout = timeout;
        this.config = config(options, (int) timeout.toMillis());
        this.pool = new ConnectionPoolConfig();
        pool.setMaxTotal(maxConnections);
        pool.setMaxIdle(maxConnections);
        pool.setMaxWait(timeout);
        pool.setJmxEnabled(false);
    }

    private static JedisClientConfig config(LiveViewOptions options, int timeoutMillis) {
        SSLParameters verifyingHostName = new SSLParameters();
        verifyingHostName.setEndpointIdentificationAlgorithm("HTTPS");
        DefaultJedisClientConfig.Builder config = DefaultJedisClientConfig.builder()
                .connectionTimeoutMillis(timeoutMillis)
                .socketTimeoutMillis(timeoutMillis)
                .ssl(options.tls())
                .sslParameters(verifyingHostName)
                .database(options.database())
                .clientSetInfoConfig(ClientSetInfoConfig.DISABLED);
        if (options.password().isPresent()) {
            String name = options.user();
            String user = name == null || name.isEmpty() ? null : name;
            // At each connect, so that a rotated one is found.
            config.credentialsProvider(() -> new DefaultRedisCredentials(
                    user, Objects.requireNonNull(options.password().read(), "redis.password")));
        }
        return config.build();
    }

    /**
     * The answers to several commands.
     *
     * @throws UnavailableException if Redis does not answer in time, or not as it should
     */
    <T> T ask(Question<T> question) throws UnavailableException {
        silence.check();
        long begun = System.nanoTime();
        try {
            return attempt(question);
        } catch (JedisConnectionException e) {
            forgetIdleConnections();
            if (System.nanoTime() - begun > AT_ONCE.toNanos()) {
                throw failed(e);
            }
        } catch (JedisException | IllegalStateException e) {
            throw failed(e);
        }
        try {
            return attempt(question);
        } catch (JedisException | IllegalStateException e) {
            throw failed(e);
        }
    }

    private <T> T attempt(Question<T> question) throws UnavailableException {
        Supplier<T> answer;
        try (AbstractPipeline pipeline = client().pipelined()) {
            answer = question.in(pipeline);
            pipeline.sync();
        }
        return answer.get();
    }

    /** A server that was started again leaves as many broken connections as were idle. */
    private void forgetIdleConnections() {
        UnifiedJedis open = client;
        if (open instanceof RedisClient single) {
            single.getPool().clear();
        } else if (open instanceof RedisClusterClient cluster) {
            cluster.getClusterNodes().values().forEach(ConnectionPool::clear);
        }
    }

    private UnavailableException failed(RuntimeException failure) {
        // What Redis said is an answer: the next question may have another one. And one node of a cluster is not all of
        // it.
        if (failure instanceof JedisConnectionException && !(client instanceof RedisClusterClient)) {
            silence.begin(String.valueOf(failure.getMessage()));
        }
        return new UnavailableException(NAME, Silence.PAUSE, failure);
    }

    private UnifiedJedis client() throws UnavailableException {
        UnifiedJedis open = client;
        return open == null ? connect() : open;
    }

    private synchronized UnifiedJedis connect() throws UnavailableException {
        UnifiedJedis open = client;
        if (open != null) {
            return open;
        }
        if (closed) {
            throw new UnavailableException(NAME, Silence.PAUSE, "The connections to Redis are closed", null);
        }
        // Whoever waited for one that tried in vain does not try again.
        silence.check();
        try {
            UnifiedJedis made = isCluster() ? cluster() : single();
            client = made;
            return made;
        } catch (JedisException | IllegalStateException e) {
            silence.begin(String.valueOf(e.getMessage()));
            throw new UnavailableException(NAME, Silence.PAUSE, e);
        }
    }

    private boolean isCluster() {
        try (Jedis server = new Jedis(address, config)) {
            return server.info("cluster").contains("cluster_enabled:1");
        } catch (JedisDataException e) {
            // An access rule may forbid the question; who has a cluster and such a rule is told by the first MOVED.
            if (String.valueOf(e.getMessage()).startsWith("NOPERM")) {
                return false;
            }
            throw e;
        }
    }

    private UnifiedJedis single() {
        return RedisClient.builder()
                .hostAndPort(address)
                .clientConfig(config)
                .poolConfig(pool)
                .build();
    }

    private UnifiedJedis cluster() {
        return RedisClusterClient.builder()
                .nodes(Set.of(address))
                .clientConfig(config)
                .poolConfig(pool)
                .maxAttempts(CLUSTER_ATTEMPTS)
                .maxTotalRetriesDuration(timeout)
                .topologyRefreshPeriod(TOPOLOGY_REFRESH)
                .build();
    }

    @Override
    public synchronized void close() {
        closed = true;
        UnifiedJedis open = client;
        client = null;
        if (open != null) {
            open.close();
        }
    }
}
