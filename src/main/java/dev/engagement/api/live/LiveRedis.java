package dev.engagement.api.live;

import dev.engagement.event.RollupShape;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.ClientSetInfoConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.exceptions.JedisMovedDataException;

/** The live view's Redis, as the hub uses it. The password is read at each connect. */
final class LiveRedis {

    private final LiveViewOptions options;
    private final Duration timeout;
    private final LiveViewKeys keys;

    LiveRedis(LiveViewOptions options, Duration timeout) {
        this.options = options;
        this.timeout = timeout;
        this.keys = new LiveViewKeys(options.keyPrefix());
    }

    /** A subscription of the channel of changes, confirmed by Redis: it misses nothing from now on. */
    Subscription subscribe() {
        return Subscription.open(address(), config(), keys.metricsUpdates());
    }

    /** The newest windows of each series, up to {@link Feed#WINDOWS_SHOWN}. */
    List<WindowUpdate> newestWindows(Collection<Feed.Series> all) {
        List<WindowUpdate> found = new ArrayList<>();
        try (Jedis jedis = new Jedis(address(), config())) {
            for (Feed.Series series : all) {
                try {
                    for (String member : jedis.zrange(key(series), -Feed.WINDOWS_SHOWN, -1)) {
                        WindowUpdate window = WindowUpdate.parse(member);
                        if (window != null && window.isMetric()) {
                            found.add(window);
                        }
                    }
                } catch (JedisMovedDataException elsewhere) {
                    // Of a Redis Cluster every node has the messages, and another one this key: its windows come with
                    // their next change.
                }
            }
        }
        return found;
    }

    private String key(Feed.Series series) {
        RollupShape shape =
                new RollupShape("metrics", List.of("event_type"), List.of(), series.windowSize(), true, true);
        return keys.windows(shape, List.of(series.eventType()));
    }

    private HostAndPort address() {
        return new HostAndPort(options.host(), options.port());
    }

    private JedisClientConfig config() {
        return DefaultJedisClientConfig.builder()
                .connectionTimeoutMillis((int) timeout.toMillis())
                .socketTimeoutMillis((int) timeout.toMillis())
                .ssl(options.tls())
                .sslSocketFactory((SSLSocketFactory) SSLSocketFactory.getDefault())
                .sslParameters(verifyingHostName())
                .user(user())
                .password(options.password().read())
                .database(options.database())
                // An access rule may allow no more than is needed.
                .clientSetInfoConfig(ClientSetInfoConfig.DISABLED)
                .build();
    }

    private @Nullable String user() {
        String user = options.user();
        return user == null || user.isEmpty() ? null : user;
    }

    /** Jedis accepts any trusted certificate, of whatever host, unless it is told otherwise. */
    private static SSLParameters verifyingHostName() {
        SSLParameters parameters = new SSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        return parameters;
    }
}
