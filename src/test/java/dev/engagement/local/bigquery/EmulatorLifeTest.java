package dev.engagement.local.bigquery;

import static dev.engagement.local.bigquery.Client.append;
import static dev.engagement.local.bigquery.Client.events;
import static dev.engagement.local.bigquery.Client.rows;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.api.gax.rpc.AlreadyExistsException;
import com.google.api.gax.rpc.NotFoundException;
import com.google.cloud.bigquery.storage.v1.StreamWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What lasts, and what ends with time. */
class EmulatorLifeTest {

    private static final Clock NOW = Clock.fixed(Client.TIME, ZoneOffset.UTC);

    private static void create(BigQueryEmulator emulator, String resource) {
        emulator.createDataset(Client.PROJECT, Client.DATASET);
        emulator.createTable(Client.PROJECT, Client.DATASET, "t", resource);
    }

    private static String count(BigQueryEmulator emulator) {
        return String.valueOf(emulator.query(Client.PROJECT, "SELECT COUNT(*) FROM analytics.t")
                .get(0)
                .get(0));
    }

    @Test
    void rows_flushed_and_rows_waiting_are_there_after_a_restart(@TempDir Path directory) throws Throwable {
        String stream;
        try (BigQueryEmulator emulator = BigQueryEmulator.start(directory, 0, 0);
                Client client = new Client(emulator.grpc())) {
            create(emulator, Client.HOURLY);
            stream = client.stream("t");
            try (StreamWriter writer = client.writer(stream)) {
                append(writer, events(1, 5), 0);
                append(writer, events(6, 5), 5);
            }
            client.flush(stream, 6);
        }
        tear(directory);
        try (BigQueryEmulator emulator = BigQueryEmulator.start(directory, 0, 0);
                Client client = new Client(emulator.grpc())) {
            assertThat(count(emulator)).isEqualTo("7");
            assertThatThrownBy(() -> client.flush(stream, 6)).isInstanceOf(AlreadyExistsException.class);
            try (StreamWriter writer = client.writer(stream)) {
                assertThat(append(writer, events(11, 1), 10)).isEqualTo(10);
            }
            client.flush(stream, 10);
            assertThat(count(emulator)).isEqualTo("11");
        }
    }

    /** As a process killed while it wrote leaves it. */
    private static void tear(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory.resolve("streams"))) {
            for (Path file : files.toList()) {
                Files.write(file, new byte[] {2, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 1, 0, 0}, StandardOpenOption.APPEND);
            }
        }
    }

    @Test
    void a_stream_nobody_used_for_seven_days_is_gone(@TempDir Path directory) throws Throwable {
        try (BigQueryEmulator emulator = BigQueryEmulator.start(directory, 0, 0, NOW);
                Client client = new Client(emulator.grpc())) {
            create(emulator, Client.HOURLY);
            String stream = client.stream("t");
            try (StreamWriter writer = client.writer(stream)) {
                append(writer, events(1, 1), 0);
            }
            emulator.clock().advance(Duration.ofDays(6));
            assertThat(client.raw().getWriteStream(stream).getName()).isEqualTo(stream);
            emulator.clock().advance(Duration.ofDays(6));
            client.flush(stream, 0);

            emulator.clock().advance(Duration.ofDays(7));

            assertThatThrownBy(() -> client.flush(stream, 0)).isInstanceOf(NotFoundException.class);
            client.stream("t");
            assertThat(emulator.stats().streams()).isEqualTo(1);
        }
    }

    @Test
    void rows_of_expired_partitions_are_gone(@TempDir Path directory) throws Throwable {
        String expiring = Client.HOURLY.replace("\"HOUR\"", "\"HOUR\", \"expirationMs\": \"7200000\"");
        try (BigQueryEmulator emulator = BigQueryEmulator.start(directory, 0, 0, NOW);
                Client client = new Client(emulator.grpc())) {
            create(emulator, expiring);
            String stream = client.stream("t");
            Instant hour = Instant.parse("2026-01-08T14:00:00Z");
            try (StreamWriter writer = client.writer(stream)) {
                append(
                        writer,
                        rows(
                                Client.event(1, hour.minus(Duration.ofDays(1))),
                                Client.event(2, hour.minusSeconds(1)),
                                Client.event(3, hour),
                                Client.event(4, hour.plus(Duration.ofMinutes(59)))),
                        0);
            }
            client.flush(stream, 3);
            assertThat(count(emulator)).isEqualTo("3");

            // 16:01:52: the partition of 14 o'clock began more than two hours ago.
            emulator.clock().advance(Duration.ofMinutes(100));
            assertThat(count(emulator)).isEqualTo("0");
        }
    }

    @Test
    void the_clock_moves_over_rest_and_is_what_queries_call_now(@TempDir Path directory) {
        try (BigQueryEmulator emulator = BigQueryEmulator.start(directory, 0, 0, NOW)) {
            Rest.Answer answer = Rest.send(emulator, "POST", "/emulator/clock", "{\"advance\": \"P8D\"}");
            assertThat(answer.body().path("now").asText()).isEqualTo("2026-01-16T14:21:52Z");
            assertThat(Rest.send(emulator, "POST", "/emulator/clock", "{\"advance\": \"-P1D\"}")
                            .status())
                    .isEqualTo(400);
            assertThat(emulator.query(Client.PROJECT, "SELECT UNIX_SECONDS(CURRENT_TIMESTAMP()), CURRENT_DATE()"))
                    .containsExactly(List.of("1768573312", "2026-01-16"));
        }
    }
}
