package dev.engagement.local;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.jspecify.annotations.Nullable;

/**
 * A real Kafka broker in KRaft mode (broker and controller in one) inside this JVM, on the loopback interface only.
 * Topics are not created by being used, as in production; messages may be up to {@value #MAX_MESSAGE_BYTES} bytes.
 *
 * <p>Being inside this JVM it has no process to kill: {@link #kill} ends it like {@link #stop}. Not thread safe. Its
 * records survive {@link #stop} and a later {@link #start} in the same folder.
 */
public final class KafkaServer implements AutoCloseable {

    /** The largest message. */
    public static final int MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

    private static final String HOST = "127.0.0.1";

    private final KafkaConfig config;
    private final int port;
    private @Nullable KafkaRaftServer server;

    private KafkaServer(KafkaConfig config, int port) {
        this.config = config;
        this.port = port;
        launch();
    }

    /**
     * Starts a broker, on a new log if the folder has none yet.
     *
     * @param directory for its records; created if missing
     * @param port where clients connect; 0 takes a free one
     * @throws ServerException if it does not start
     */
    public static KafkaServer start(Path directory, int port) {
        int broker = Ports.orFree(port);
        return start(directory, broker, broker);
    }

    /**
     * As {@link #start(Path, int)}, behind a proxy.
     *
     * @param port where it listens
     * @param advertisedPort where clients are told to connect
     */
    static KafkaServer start(Path directory, int port, int advertisedPort) {
        Path absolute = Folders.create(directory.toAbsolutePath().normalize());
        Properties properties = properties(absolute.resolve("log"), port, advertisedPort, Ports.free());
        format(absolute, properties);
        return new KafkaServer(KafkaConfig.fromProps(properties), port);
    }

    private static Properties properties(Path log, int broker, int advertised, int controller) {
        Properties properties = new Properties();
        properties.setProperty("process.roles", "broker,controller");
        properties.setProperty("node.id", "1");
        properties.setProperty("controller.quorum.voters", "1@" + HOST + ":" + controller);
        properties.setProperty(
                "listeners", "PLAINTEXT://" + HOST + ":" + broker + ",CONTROLLER://" + HOST + ":" + controller);
        properties.setProperty("advertised.listeners", "PLAINTEXT://" + HOST + ":" + advertised);
        properties.setProperty("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
        properties.setProperty("controller.listener.names", "CONTROLLER");
        properties.setProperty("inter.broker.listener.name", "PLAINTEXT");
        properties.setProperty("log.dirs", log.toString());
        properties.setProperty("auto.create.topics.enable", "false");
        properties.setProperty("message.max.bytes", Integer.toString(MAX_MESSAGE_BYTES));
        properties.setProperty("replica.fetch.max.bytes", Integer.toString(MAX_MESSAGE_BYTES));
        // One broker: nothing to replicate to, and few partitions of Kafka's own topics start faster.
        properties.setProperty("offsets.topic.replication.factor", "1");
        properties.setProperty("offsets.topic.num.partitions", "4");
        properties.setProperty("transaction.state.log.replication.factor", "1");
        properties.setProperty("transaction.state.log.min.isr", "1");
        properties.setProperty("transaction.state.log.num.partitions", "4");
        properties.setProperty("group.initial.rebalance.delay.ms", "0");
        // After a kill the broker is let in again once its own former session has expired: nine seconds by default.
        properties.setProperty("broker.session.timeout.ms", "3000");
        properties.setProperty("broker.heartbeat.interval.ms", "500");
        // Small for a machine that runs everything at once; the cleaner would take 128 MiB of this JVM's heap.
        properties.setProperty("log.cleaner.dedupe.buffer.size", Integer.toString(8 * 1024 * 1024));
        properties.setProperty("log.index.size.max.bytes", Integer.toString(1024 * 1024));
        properties.setProperty("num.network.threads", "2");
        properties.setProperty("num.io.threads", "4");
        properties.setProperty("background.threads", "2");
        return properties;
    }

    private static void format(Path directory, Properties properties) {
        if (Files.exists(directory.resolve("log").resolve("meta.properties"))) {
            return;
        }
        Path file = directory.resolve("server.properties");
        // Kafka reads it as ISO-8859-1: a stream has other letters escaped, which a writer does not.
        try (OutputStream out = Files.newOutputStream(file)) {
            properties.store(out, null);
        } catch (IOException e) {
            throw new ServerException("The file " + file + " cannot be written", e);
        }
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        int exit = StorageTool.execute(
                new String[] {
                    "format",
                    "--config",
                    file.toString(),
                    "--cluster-id",
                    Uuid.randomUuid().toString()
                },
                new PrintStream(output, true, StandardCharsets.UTF_8));
        if (exit != 0) {
            throw new ServerException("Kafka's folder " + directory + " could not be formatted: "
                    + output.toString(StandardCharsets.UTF_8));
        }
    }

    private void launch() {
        KafkaRaftServer starting = new KafkaRaftServer(config, Time.SYSTEM);
        try {
            starting.startup();
            server = starting;
        } catch (RuntimeException e) {
            starting.shutdown();
            throw new ServerException("Kafka did not start on port " + port + ": " + e.getMessage(), e);
        }
    }

    /** {@code host:port}. */
    public String bootstrapServers() {
        return HOST + ":" + port;
    }

    public int port() {
        return port;
    }

    public boolean isAlive() {
        return server != null;
    }

    /** As {@link #stop}: there is no process of its own to kill. */
    public void kill() {
        stop();
    }

    /** Stops in order; records stay on disk. */
    public void stop() {
        KafkaRaftServer running = server;
        if (running != null) {
            running.shutdown();
            running.awaitShutdown();
            server = null;
        }
    }

    /** Starts it again on the same port and records; a running one is stopped first. */
    public void restart() {
        stop();
        launch();
    }

    @Override
    public void close() {
        stop();
    }
}
