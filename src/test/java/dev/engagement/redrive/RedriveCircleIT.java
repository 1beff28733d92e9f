package dev.engagement.redrive;

import static dev.engagement.redrive.RedriveStage.event;
import static dev.engagement.redrive.RedriveStage.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.EngagementJob;
import dev.engagement.JobCluster;
import dev.engagement.deadletter.DeadLetterJson;
import dev.engagement.event.EventJson;
import dev.engagement.local.testing.Groups;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** From a failure in the running job, over its letter and the command, to where the event belongs. */
class RedriveCircleIT {

    private static final Path DIRECTORY = Path.of("target/it/redrive-circle");
    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final String CONTENT_ID = "5e8a4a8e-8f6f-4c0f-9d8e-0a0b0c0d0e0f";

    private static final PrintStream NOWHERE =
            new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);

    private static RedriveStage stage;
    private static JobCluster cluster;

    @BeforeAll
    static void start() throws Exception {
        stage = RedriveStage.start(DIRECTORY);
        stage.set("circle");
        cluster = JobCluster.shared(DIRECTORY, "hashmap");
    }

    @AfterAll
    static void stop() throws Exception {
        cluster.close();
        stage.close();
    }

    @Test
    void what_failed_arrives_once_when_its_cause_is_gone() throws Exception {
        String events = stage.topics().events();
        stage.bigQuery().createDataset("local", "analytics");
        stage.bigQuery().faults().refuseRows(Set.of(4L));
        JobID job =
                cluster.run(arguments("stream", "--destinations", "warehouse", "--enrichment.content-wait", "500 ms"));
        stage.send(events, 0, "{\"id\":1}", text(EventJson.envelope(event(1))));
        stage.send(events, 1, "{\"id\":2}", "no JSON");
        stage.send(
                events,
                2,
                "{\"id\":3}",
                "{\"schema\":\"" + "s".repeat(6_000) + "\",\"payload\":" + text(EventJson.envelope(event(3))) + "}");
        awaitReasons("OVERSIZE", "UNDECODABLE", "UNRESOLVED");
        stage.send(
                stage.topics().content(),
                0,
                "{\"id\":\"c-1\"}",
                "{\"op\":\"c\",\"after\":{\"id\":\"c-1\",\"slug\":\"s\"}}");
        Groups.awaitRead(stage.broker(), Groups.STREAM, stage.topics().content());
        stage.send(events, 3, "{\"id\":4}", text(EventJson.envelope(event(4))));
        stage.send(events, 3, "{\"id\":5}", text(EventJson.envelope(event(5))));
        // Of itself no row of BigQuery's: its JSON would make another number of this one.
        stage.send(
                events,
                3,
                "{\"id\":7}",
                text(EventJson.envelope(event(7, "{\"ratio\":0.12345678901234567891,\"n\":12}"))));
        awaitReasons("OVERSIZE", "REJECTED", "REJECTED", "UNDECODABLE", "UNRESOLVED");
        // The job leaves the refused row behind: rows of a later checkpoint are shown.
        cluster.awaitCheckpoint(job);
        stage.send(events, 3, "{\"id\":6}", text(EventJson.envelope(event(6))));
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(50)).until(() -> stage.rows()
                .equals(List.of("5", "6")));

        // Its causes go: the content came, the warehouse takes the row, and the row is smaller than its record was.
        stage.bigQuery().faults().clear();
        sql("INSERT INTO content VALUES ('" + CONTENT_ID + "', 's', 'T', 'video', 300, '2026-01-01Z')");
        sql("INSERT INTO engagement_events VALUES (3, '" + CONTENT_ID
                + "', NULL, 'play', '2026-01-08T14:21:52Z', 7000)");
        stage.send(
                stage.topics().content(),
                0,
                "{\"id\":\"" + CONTENT_ID + "\"}",
                "{\"op\":\"c\",\"after\":{\"id\":\"" + CONTENT_ID + "\",\"slug\":\"s\"}}");
        Groups.awaitRead(stage.broker(), Groups.STREAM, stage.topics().content());
        // All but the number, for which nothing has changed.
        assertThat(redrive("--reason", "OVERSIZE,REJECTED,UNRESOLVED")).isEqualTo(1);
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(50)).until(() -> stage.rows()
                .equals(List.of("1", "3", "4", "5", "6")));

        assertThat(redrive("--reason", "REJECTED", "--warehouse.json-numbers", "ROUND"))
                .isZero();
        assertThat(stage.rows()).containsExactly("1", "3", "4", "5", "6", "7");
        assertThat(stage.payload(7)).contains("\"n\":12", "\"ratio\":0.12345678901234568");

        // The cause of this one does not: it comes back, as a letter of its own.
        assertThat(redrive("--reason", "UNDECODABLE")).isZero();
        awaitReasons("OVERSIZE", "REJECTED", "REJECTED", "UNDECODABLE", "UNDECODABLE", "UNRESOLVED");

        int records = stage.committed(events).size();
        assertThat(redrive("--reason", "OVERSIZE,REJECTED,UNRESOLVED")).isZero();
        assertThat(stage.committed(events)).hasSize(records);
        cluster.awaitCheckpoint(job);
        assertThat(stage.rows()).containsExactly("1", "3", "4", "5", "6", "7");
        assertThat(cluster.status(job)).isEqualTo(JobStatus.RUNNING);
        assertThat(cluster.restarts(job)).isZero();
    }

    @Test
    void what_is_asked_wrongly_is_told_before_anything_is_done() throws Exception {
        assertThat(command("redrive")).isEqualTo(2);
        assertThat(command("redrive", "--reason", "REJECTED")).isEqualTo(2);
        assertThat(command("redrive", "--help")).isZero();
    }

    private static int redrive(String... more) throws Exception {
        return command(arguments(
                "redrive",
                Stream.concat(
                                Stream.of(
                                        "--postgres.url",
                                        stage.postgres().jdbcUrl(),
                                        "--postgres.username",
                                        stage.postgres().username(),
                                        "--postgres.password.secret-file",
                                        stage.password().toString()),
                                Arrays.stream(more))
                        .toArray(String[]::new)));
    }

    private static int command(String... args) {
        return EngagementJob.run(args, Map.of(), NOWHERE, NOWHERE);
    }

    private static String[] arguments(String command, String... more) {
        List<String> arguments = new ArrayList<>(List.of(
                command,
                "--kafka.bootstrap-servers",
                stage.kafka().bootstrapServers(),
                "--kafka.topics.events",
                stage.topics().events(),
                "--kafka.topics.content",
                stage.topics().content(),
                "--kafka.topics.dead-letters",
                stage.topics().deadLetters(),
                "--kafka.topics.dead-letters-redriven",
                stage.topics().redriven(),
                "--kafka.topics.delivery-retry",
                stage.topics().deliveryRetry(),
                "--ingest.max-record-bytes",
                Long.toString(RedriveStage.LIMIT),
                "--warehouse.project",
                "local",
                "--warehouse.table",
                stage.warehouse().table(),
                "--warehouse.endpoint",
                stage.bigQuery().rest(),
                "--warehouse.grpc-endpoint",
                "http://" + stage.bigQuery().grpc()));
        arguments.addAll(Arrays.asList(more));
        return arguments.toArray(String[]::new);
    }

    private static void awaitReasons(String... sorted) {
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(50)).untilAsserted(() -> {
            List<String> reasons = new ArrayList<>();
            for (ConsumerRecord<byte[], byte[]> record :
                    stage.committed(stage.topics().deadLetters())) {
                reasons.add(DeadLetterJson.read(record.value()).reason().name());
            }
            reasons.sort(null);
            assertThat(reasons).containsExactly(sorted);
        });
    }

    private static void sql(String sql) throws Exception {
        try (Connection connection = stage.postgres().connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }
}
