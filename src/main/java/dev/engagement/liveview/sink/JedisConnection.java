package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.liveview.WriteOutcome;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.ClientSetInfoConfig;
import redis.clients.jedis.Connection;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

/** One TCP or TLS connection by Jedis, to one server: a single Redis, or a node of a cluster. */
final class JedisConnection implements RedisConnection {

    private static final Map<LiveViewScript, byte[]> SHA1 = new EnumMap<>(LiveViewScript.class);
    private static final Pattern RUN_ID = Pattern.compile("(?m)^run_id:(\\w+)");

    static {
        for (LiveViewScript script : LiveViewScript.values()) {
            SHA1.put(script, ascii(script.sha1()));
        }
    }

    /**
     * How long to wait for a server.
     *
     * @param connect until it accepts
     * @param answer until it answers
     */
    record Patience(Duration connect, Duration answer) {
        static final Patience DEFAULT = new Patience(Duration.ofSeconds(2), Duration.ofSeconds(5));
    }

    private final Wire wire;
    private final LiveViewKeys keys;
    /** False once Redis said that the user may not ask. */
    private boolean mayAskInfo = true;

    private boolean askedInfo;
    private volatile boolean aborted;

    private JedisConnection(Wire wire, LiveViewKeys keys) {
        this.wire = wire;
        this.keys = keys;
    }

    /** To the server that the options name; the password is read now, so that a rotated one is found by the next connect. */
    static JedisConnection connect(LiveViewOptions options) {
        return connect(options, (SSLSocketFactory) SSLSocketFactory.getDefault());
    }

    /** As {@link #connect(LiveViewOptions)}, with that trust in certificates instead of Java's own. */
    static JedisConnection connect(LiveViewOptions options, SSLSocketFactory trust) {
        return connect(new HostAndPort(options.host(), options.port()), options, trust, Patience.DEFAULT);
    }

    /** To that server, as the options say in all else. */
    static JedisConnection connect(
            HostAndPort address, LiveViewOptions options, SSLSocketFactory trust, Patience timeout) {
        JedisClientConfig config = DefaultJedisClientConfig.builder()
                .connectionTimeoutMillis((int) timeout.connect().toMillis())
                .socketTimeoutMillis((int) timeout.answer().toMillis())
                .ssl(options.tls())
                .sslSocketFactory(trust)
                .sslParameters(verifyingHostName())
                .user(user(options))
                .password(options.password().read())
                .database(options.database())
                // An access rule may allow no more than the scripts need.
                .clientSetInfoConfig(ClientSetInfoConfig.DISABLED)
                .build();
        return new JedisConnection(new Wire(address, config), new LiveViewKeys(options.keyPrefix()));
    }

    /** Jedis accepts any trusted certificate, of whatever host, unless it is told otherwise. */
    private static SSLParameters verifyingHostName() {
        SSLParameters parameters = new SSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        return parameters;
    }

    private static @Nullable String user(LiveViewOptions options) {
        String user = options.user();
        return user == null || user.isEmpty() ? null : user;
    }

    @Override
    public void load(LiveViewScript... scripts) {
        for (LiveViewScript script : scripts) {
            wire.sendCommand(Protocol.Command.SCRIPT, "LOAD", script.text());
        }
        List<Object> answers = answers(scripts.length);
        for (int i = 0; i < scripts.length; i++) {
            byte[] sha1 = (byte[]) unlessRefused(answers.get(i));
            if (!Arrays.equals(SHA1.get(scripts[i]), sha1)) {
                throw new IllegalStateException("Redis calls the script " + scripts[i].id() + " otherwise than "
                        + scripts[i].sha1() + "; is there a proxy that rewrites scripts?");
            }
        }
    }

    @Override
    public List<Reply> perform(List<ScriptedWrite> writes) {
        send(writes);
        return receive(writes.size());
    }

    /** Sends the writes without waiting for answers, which {@link #receive} takes. */
    void send(List<ScriptedWrite> writes) {
        for (ScriptedWrite write : writes) {
            wire.sendCommand(Protocol.Command.EVALSHA, arguments(write));
        }
        wire.push();
    }

    /** The answers to what was sent, in its order. */
    List<Reply> receive(int count) {
        List<Object> answers = answers(count);
        List<Reply> replies = new ArrayList<>(count);
        for (Object answer : answers) {
            replies.add(reply(answer));
        }
        return replies;
    }

    @Override
    public String incarnation() {
        String epoch = keys.epoch("");
        askIncarnation(epoch);
        return receiveIncarnation(epoch);
    }

    /**
     * Asks without waiting for the answer, which {@link #receiveIncarnation} takes.
     *
     * @param epochKey of {@link LiveViewKeys#epoch}, served by this server
     */
    void askIncarnation(String epochKey) {
        askedInfo = mayAskInfo;
        if (askedInfo) {
            wire.sendCommand(Protocol.Command.INFO, "server");
        }
        wire.sendCommand(Protocol.Command.GET, epochKey);
        wire.push();
    }

    /** The answer to {@link #askIncarnation}; makes the epoch if there is none. */
    String receiveIncarnation(String epochKey) {
        List<Object> answers = answers(askedInfo ? 2 : 1);
        String run = askedInfo ? run(answers.get(0)) : "";
        Object epoch = answers.get(answers.size() - 1);
        if (epoch == null) {
            // Of several writers that find none, the first one makes it. Not by a plain SET each time: a full Redis
            // refuses
            // even one that changes nothing.
            wire.sendCommand(Protocol.Command.SET, epochKey, UUID.randomUUID().toString(), "NX");
            wire.sendCommand(Protocol.Command.GET, epochKey);
            List<Object> made = answers(2);
            if (made.get(0) instanceof JedisDataException refused) {
                throw refused;
            }
            epoch = made.get(1);
        }
        return run + "/" + (epoch == null ? "" : text(unlessRefused(epoch)));
    }

    private String run(@Nullable Object info) {
        if (info instanceof JedisDataException refused) {
            if (RedisVerdict.ofError(String.valueOf(refused.getMessage())) == RedisVerdict.TRANSIENT) {
                throw refused;
            }
            mayAskInfo = false;
            return "";
        }
        Matcher runId = RUN_ID.matcher(text(info));
        return runId.find() ? runId.group(1) : "";
    }

    /**
     * One command, there and back.
     *
     * @return what Redis answered; an error too, as a {@link JedisDataException}
     */
    @Nullable
    Object ask(Protocol.Command command, String... arguments) {
        wire.sendCommand(command, arguments);
        return answers(1).get(0);
    }

    /** How long the server may take for an answer, from now on. */
    void waitForAnswers(Duration timeout) {
        wire.setSoTimeout((int) timeout.toMillis());
    }

    private List<Object> answers(int count) {
        List<Object> answers = wire.getMany(count);
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

    private static Object unlessRefused(Object answer) {
        if (answer instanceof JedisDataException refused) {
            throw refused;
        }
        return answer;
    }

    /** Text of what Redis answered; the empty one for nil. */
    static String text(@Nullable Object answer) {
        return answer instanceof byte[] bytes ? new String(bytes, StandardCharsets.UTF_8) : "";
    }

    @Override
    public void abort() {
        aborted = true;
        try {
            wire.forceDisconnect();
        } catch (IOException e) {
            throw new UncheckedIOException("The socket to Redis cannot be closed", e);
        }
    }

    private static byte[] ascii(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    /** A connection that can be made to send what it buffers before an answer is waited for. */
    private static final class Wire extends Connection {

        Wire(HostAndPort address, JedisClientConfig config) {
            super(address, config);
        }

        void push() {
            flush();
        }
    }
}
