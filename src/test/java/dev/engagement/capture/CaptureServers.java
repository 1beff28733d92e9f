package dev.engagement.capture;

import dev.engagement.local.PostgresServer;
import dev.engagement.local.testing.SharedServers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.util.FileUtils;
import org.junit.jupiter.api.TestInfo;

/**
 * What capture's tests run on: a PostgreSQL of their own, which may be killed and configured, the shared Kafka, and a
 * cluster of one slot.
 */
final class CaptureServers implements AutoCloseable {

    private static final int MAX_NAME = 40;

    private final PostgresServer postgres;
    private final SharedServers shared;
    private final Path passwordFile;
    private final MiniCluster cluster;

    private CaptureServers(PostgresServer postgres, SharedServers shared, Path passwordFile, MiniCluster cluster) {
        this.postgres = postgres;
        this.shared = shared;
        this.passwordFile = passwordFile;
        this.cluster = cluster;
    }

    /** Starts them; the folder is emptied. */
    static CaptureServers start(Path directory) throws Exception {
        PostgresServer.discard(directory.resolve("postgres"));
        FileUtils.deleteDirectory(directory.toFile());
        Files.createDirectories(directory);
        PostgresServer postgres = PostgresServer.start(directory.resolve("postgres"), 0);
        SharedServers shared = SharedServers.lease(directory.resolve("shared"));
        Path passwordFile = Files.writeString(directory.resolve("password"), postgres.password() + "\n");
        Configuration configuration = new Configuration();
        configuration.setString("rest.port", "0");
        // A machine that stands still loses no task manager.
        configuration.setString("heartbeat.timeout", "5 min");
        configuration.setString("pekko.ask.timeout", "5 min");
        MiniCluster cluster = new MiniCluster(new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(1)
                .build());
        cluster.start();
        return new CaptureServers(postgres, shared, passwordFile, cluster);
    }

    PostgresServer postgres() {
        return postgres;
    }

    /** Schema, topics and slot of one test, named for it. */
    CaptureStage stage(TestInfo test) throws Exception {
        String name = test.getTestMethod().orElseThrow().getName().toLowerCase(Locale.ROOT);
        return new CaptureStage(
                name.substring(0, Math.min(MAX_NAME, name.length())), postgres, shared.kafka(), cluster, passwordFile);
    }

    @Override
    public void close() throws Exception {
        cluster.close();
        shared.close();
        postgres.close();
    }
}
