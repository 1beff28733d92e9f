package dev.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.local.LoadGenerator;
import dev.engagement.local.LoadOptions;
import dev.engagement.local.LocalServers;
import dev.engagement.local.Ports;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class MetricsIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final Path DIRECTORY = Path.of("target/it/metrics");
    private static LocalServers servers;
    private static JobCluster cluster;
    private static LoadGenerator load;
    private static int reporter;

    @BeforeAll
    static void start() throws Exception {
        servers = LocalServers.start(DIRECTORY);
        reporter = Ports.free();
        Configuration prometheus = new Configuration();
        prometheus.setString(
                "metrics.reporter.prom.factory.class",
                "org.apache.flink.metrics.prometheus.PrometheusReporterFactory");
        prometheus.setString("metrics.reporter.prom.port", Integer.toString(reporter));
        cluster = JobCluster.start(DIRECTORY, 1, 4, "hashmap", prometheus);
        Path password = DIRECTORY.resolve("postgres.password");
        Files.writeString(password, servers.postgres().password());
        JobID capture = cluster.run(
                "capture",
                "--kafka.bootstrap-servers",
                servers.kafka().bootstrapServers(),
                "--postgres.url",
                servers.postgres().jdbcUrl(),
                "--postgres.username",
                servers.postgres().username(),
                "--postgres.password.secret-file",
                password.toAbsolutePath().toString(),
                "--capture.heartbeat-interval",
                "500 ms",
                "--parallelism",
                "1");
        JobID stream = cluster.run(Stream.concat(
                        Stream.of(
                                "stream",
                                "--kafka.bootstrap-servers",
                                servers.kafka().bootstrapServers(),
                                "--redis.url",
                                servers.redis().url()),
                        servers.bigQuery().streamArguments().stream())
                .toArray(String[]::new));
        load = LoadGenerator.start(
                new LoadOptions(1, 50, 200, 0, 0, Duration.ZERO), servers.postgres().connect(), Clock.systemUTC());
        cluster.awaitCheckpoint(capture);
        cluster.awaitCheckpoint(stream);
    }

    @AfterAll
    static void stop() throws Exception {
        load.close();
        cluster.close();
        servers.close();
    }

    @Test
    void dump() throws Exception {
        Thread.sleep(3000);
        Files.writeString(DIRECTORY.resolve("exposition.txt"), get("http://127.0.0.1:" + reporter + "/metrics"));
    }

    private static String get(String url) throws IOException, InterruptedException {
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }
}
