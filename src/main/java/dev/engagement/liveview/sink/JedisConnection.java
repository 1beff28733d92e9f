package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.liveview.WriteOutcome;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.ClientSetInfoConfig;
import redis.clients.jedis.Connection;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

/** One TCP or TLS connection by Jedis, to a single Redis. */
final class JedisConnection implements RedisConnection {

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
    private static final Duration SOCKET_TIMEOUT = Duration.ofSeconds(5);
    private static final Map<LiveViewScript, byte[]> SHA1 = new EnumMap<>(LiveViewScript.class);

    static {
        for (LiveViewScript script : LiveViewScript.values()) {
            SHA1.put(script, ascii(script.sha1()));
        }
    }

    private final Connection connection;
    private volatile boolean aborted;

    private JedisConnection(Connection connection) {
        this.connection = connection;
    }

    /** Connects as the options say; the password is read now, so that a rotated one is found by the next connect. */
    static JedisConnection connect(LiveViewOptions options) {
        return connect(options, (SSLSocketFactory) SSLSocketFactory.getDefault());
    }

    /** As {@link #connect(LiveViewOptions)}, with that trust in certificates instead of Java's own. */
    static JedisConnection connect(LiveViewOptions options, SSLSocketFactory trust) {
        URI url = options.url();
        DefaultJedisClientConfig config = DefaultJedisClientConfig.builder()
                .connectionTimeoutMillis((int) CONNECT_TIMEOUT.toMillis())
                .socketTimeoutMillis((int) SOCKET_TIMEOUT.toMillis())
                .ssl("rediss".equals(url.getScheme()))
                .sslSocketFactory(trust)
                .sslParameters(verifyingHostName())
                .user(user(url))
                .password(options.password().read())
                .database(options.database())
                // An access rule may allow no more than the scripts need.
                .clientSetInfoConfig(ClientSetInfoConfig.DISABLED)
                .build();
        return new JedisConnection(new Connection(new HostAndPort(url.getHost(), options.port()), config));
    }

    /** Jedis accepts any trusted certificate, of whatever host, unless it is told otherwise. */
    private static SSLParameters verifyingHostName() {
        SSLParameters parameters = new SSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        return parameters;
    }

    private static @Nullable String user(URI url) {
        String user = url.getUserInfo();
        return user == null || user.isEmpty() ? null : user;
    }

    @Override
    public void load(LiveViewScript... scripts) {
        for (LiveViewScript script : scripts) {
            connection.sendCommand(Protocol.Command.SCRIPT, "LOAD", script.text());
        }
        List<Object> answers = answers(scripts.length);
        for (int i = 0; i < scripts.length; i++) {
            if (answers.get(i) instanceof JedisDataException refused) {
                throw refused;
            }
            if (!Arrays.equals(SHA1.get(scripts[i]), (byte[]) answers.get(i))) {
                throw new IllegalStateException("Redis calls the script " + scripts[i].id() + " otherwise than "
                        + scripts[i].sha1() + "; is there a proxy that rewrites scripts?");
            }
        }
    }

    @Override
    public List<Reply> perform(List<ScriptedWrite> writes) {
        for (ScriptedWrite write : writes) {
            connection.sendCommand(Protocol.Command.EVALSHA, arguments(write));
        }
        List<Object> answers = answers(writes.size());
        List<Reply> replies = new ArrayList<>(writes.size());
        for (Object answer : answers) {
            replies.add(reply(answer));
        }
        return replies;
    }

    private List<Object> answers(int count) {
        List<Object> answers = connection.getMany(count);
        if (aborted) {
            // Jedis silently connects again when its socket was closed in between, without a password.
            throw new JedisConnectionException("The connection was given up: Redis did not answer in time");
        }
        return answers;
    }

    private static byte[][] arguments(ScriptedWrite write) {
        int keys = write.keys().size();
        byte[][] arguments = new byte[2 + keys + write.arguments().size()][];
        arguments[0] = SHA1.get(write.script());
        arguments[1] = ascii(Integer.toString(keys));
        for (int i = 0; i < keys; i++) {
            arguments[2 + i] = write.keys().get(i);
        }
        for (int i = 0; i < write.arguments().size(); i++) {
            arguments[2 + keys + i] = write.arguments().get(i);
        }
        return arguments;
    }

    private static Reply reply(Object answer) {
        if (answer instanceof Long number) {
            return new Reply.Done(WriteOutcome.of(number));
        }
        if (answer instanceof JedisDataException error) {
            return new Reply.Failed(String.valueOf(error.getMessage()));
        }
        throw new IllegalStateException("A script of the live view answers numbers, not " + answer);
    }

    @Override
    public void abort() {
        aborted = true;
        try {
            connection.forceDisconnect();
        } catch (IOException e) {
            throw new UncheckedIOException("The socket to Redis cannot be closed", e);
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }
}
