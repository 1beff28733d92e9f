package dev.engagement.local.bigquery;

import static dev.engagement.local.bigquery.Client.append;
import static dev.engagement.local.bigquery.Client.events;
import static dev.engagement.local.bigquery.Client.rows;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import com.google.api.core.ApiFuture;
import com.google.api.gax.rpc.AbortedException;
import com.google.api.gax.rpc.AlreadyExistsException;
import com.google.api.gax.rpc.PermissionDeniedException;
import com.google.cloud.bigquery.storage.v1.AppendRowsResponse;
import com.google.cloud.bigquery.storage.v1.Exceptions.AppendSerializationError;
import com.google.cloud.bigquery.storage.v1.Exceptions.OffsetAlreadyExists;
import com.google.cloud.bigquery.storage.v1.Exceptions.StreamFinalizedException;
import com.google.cloud.bigquery.storage.v1.StreamWriter;
import io.grpc.Status;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each fault, as Google's client meets it. */
class FaultsTest {

    private static final AtomicInteger TABLES = new AtomicInteger();

    private static BigQueryEmulator emulator;
    private static Client client;

    private String table;
    private String stream;

    @BeforeAll
    static void start(@TempDir Path directory) {
        emulator = BigQueryEmulator.start(directory, 0, 0);
        emulator.createDataset(Client.PROJECT, Client.DATASET);
        client = new Client(emulator.grpc());
    }

    @AfterAll
    static void stop() {
        client.close();
        emulator.close();
    }

    @BeforeEach
    void createTable() {
        table = "t" + TABLES.incrementAndGet();
        emulator.createTable(Client.PROJECT, Client.DATASET, table, Client.HOURLY);
        stream = client.stream(table);
    }

    @AfterEach
    void mend() {
        emulator.faults().clear();
    }

    private long visible() {
        return Long.parseLong(String.valueOf(emulator.query(Client.PROJECT, "SELECT COUNT(*) FROM analytics." + table)
                .get(0)
                .get(0)));
    }

    @Test
    void a_lost_acknowledgement_leaves_the_rows_and_breaks_the_connection() throws Throwable {
        emulator.faults().loseAppendAcknowledgements(1);
        try (StreamWriter writer = client.writer(stream)) {
            // The client connects again by itself and sends them again: they are there.
            assertThatThrownBy(() -> append(writer, events(1, 2), 0)).isInstanceOf(OffsetAlreadyExists.class);
            assertThat(append(writer, events(3, 1), 2)).isEqualTo(2);
        }
        client.flush(stream, 2);
        assertThat(visible()).isEqualTo(3);
    }

    @Test
    void refused_appends_stand_in_the_answer_as_often_as_asked_for() throws Throwable {
        emulator.faults().refuseAppends(Status.Code.RESOURCE_EXHAUSTED, 2);
        try (StreamWriter writer = client.writer(stream)) {
            for (int i = 0; i < 2; i++) {
                assertThat(StorageWriteApiTest.statusOf(catchThrowable(() -> append(writer, events(1, 1), 0))))
                        .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
            }
            assertThat(append(writer, events(1, 1), 0)).isZero();
        }
    }

    @Test
    void broken_connections_are_made_again_by_the_client() throws Throwable {
        emulator.faults().breakAppends(Status.Code.UNAVAILABLE, 2);
        try (StreamWriter writer = client.writer(stream)) {
            assertThat(append(writer, events(1, 1), 0)).isZero();
        }
        assertThat(emulator.faults().toJson().has("breakAppends")).isFalse();
    }

    @Test
    void a_lost_reply_to_a_flush_means_that_the_next_try_finds_it_done() throws Throwable {
        try (StreamWriter writer = client.writer(stream)) {
            append(writer, events(1, 3), 0);
        }
        emulator.faults().loseFlushReplies(1);

        // The client tries again by itself.
        assertThatThrownBy(() -> client.flush(stream, 2)).isInstanceOf(AlreadyExistsException.class);
        assertThat(visible()).isEqualTo(3);
    }

    @Test
    void refused_flushes_do_nothing() throws Throwable {
        try (StreamWriter writer = client.writer(stream)) {
            append(writer, events(1, 3), 0);
        }
        // One that the client does not try again by itself.
        emulator.faults().refuseFlushes(Status.Code.ABORTED, 1);

        assertThatThrownBy(() -> client.flush(stream, 2)).isInstanceOf(AbortedException.class);
        assertThat(visible()).isZero();
        assertThat(client.flush(stream, 2)).isEqualTo(2);
    }

    @Test
    void refused_streams_are_none() {
        emulator.faults().refuseCreates(Status.Code.PERMISSION_DENIED, 1);

        assertThatThrownBy(() -> client.stream(table)).isInstanceOf(PermissionDeniedException.class);
        assertThat(client.stream(table)).startsWith(Client.path(table));
    }

    @Test
    void a_fresh_table_is_denied_until_it_is_old_enough() throws Throwable {
        emulator.faults().denyFreshTables(Duration.ofHours(1));

        assertThatThrownBy(() -> client.stream(table)).isInstanceOf(PermissionDeniedException.class);
        assertThatThrownBy(() -> client.flush(stream, 0)).isInstanceOf(PermissionDeniedException.class);
        try (StreamWriter writer = client.writer(stream)) {
            assertThat(StorageWriteApiTest.statusOf(catchThrowable(() -> append(writer, events(1, 1), 0))))
                    .isEqualTo(Status.Code.PERMISSION_DENIED);
        }

        emulator.clock().advance(Duration.ofMinutes(61));
        try (StreamWriter writer = client.writer(client.stream(table))) {
            assertThat(append(writer, events(1, 1), 0)).isZero();
        }
    }

    @Test
    void slow_appends_are_slow_side_by_side() throws Throwable {
        emulator.faults().delayAppends(Duration.ofMillis(500));
        long before = emulator.stats().appends();
        long begin = System.nanoTime();
        try (StreamWriter writer = client.writer(stream)) {
            List<ApiFuture<AppendRowsResponse>> answers = new java.util.ArrayList<>();
            for (int i = 0; i < 20; i++) {
                answers.add(writer.append(events(i, 1), i));
            }
            Client.answer(answers.get(0));
            assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThanOrEqualTo(Duration.ofMillis(500));
            // One after the other, only the next one would be under way.
            assertThat(emulator.stats().appends() - before).isGreaterThan(2);
            for (ApiFuture<AppendRowsResponse> answer : answers) {
                Client.answer(answer);
            }
        }
    }

    @Test
    void connections_end_after_so_many_appends() throws Throwable {
        emulator.faults().disconnectAfter(2);
        long refused = emulator.stats().appendsRefused();
        try (StreamWriter writer = client.writer(stream)) {
            for (int i = 0; i < 5; i++) {
                assertThat(append(writer, events(i, 1), i)).isEqualTo(i);
            }
        }
        assertThat(emulator.stats().appendsRefused() - refused).isEqualTo(2);
        await().untilAsserted(() -> assertThat(emulator.stats().connections()).isZero());
    }

    @Test
    void all_streams_can_be_finalized_at_once() throws Throwable {
        try (StreamWriter writer = client.writer(stream)) {
            append(writer, events(1, 1), 0);
            emulator.faults().finalizeStreams();
            assertThatThrownBy(() -> append(writer, events(2, 1), 1)).isInstanceOf(StreamFinalizedException.class);
        }
    }

    @Test
    void chosen_rows_are_refused() throws Throwable {
        emulator.faults().refuseRows(Set.of(2L));
        try (StreamWriter writer = client.writer(stream)) {
            assertThatThrownBy(() -> append(writer, events(1, 3), 0))
                    .isInstanceOfSatisfying(
                            AppendSerializationError.class,
                            e -> assertThat(e.getRowIndexToErrorMessage()).containsOnlyKeys(1));
            assertThat(append(writer, rows(Client.event(1), Client.event(3)), 0))
                    .isZero();
        }
    }

    @Test
    void a_black_hole_answers_nothing_until_it_ends() throws Throwable {
        try (StreamWriter writer = client.writer(stream)) {
            append(writer, events(1, 1), 0);
            emulator.faults().blackHole(true);

            ApiFuture<AppendRowsResponse> swallowed = writer.append(events(2, 1), 1);
            CompletableFuture<Rest.Answer> query =
                    CompletableFuture.supplyAsync(() -> Rest.query(emulator, "SELECT 1"));
            // Whoever asks the emulator itself is answered, and after that long the others would have been too.
            for (int i = 0; i < 20; i++) {
                Rest.send(emulator, "GET", "/emulator/stats", "");
            }
            assertThat(swallowed.isDone()).isFalse();
            assertThat(query).isNotDone();

            emulator.faults().blackHole(false);
            assertThat(query.join().status()).isEqualTo(503);
            // Broken, connected again by the client, and sent again.
            assertThat(Client.answer(swallowed).getAppendResult().getOffset().getValue())
                    .isEqualTo(1);
        }
        client.flush(stream, 1);
        assertThat(visible()).isEqualTo(2);
    }

    @Test
    void discarded_rows_are_counted_and_their_offsets_pass() throws Throwable {
        emulator.faults().discardRows(true);
        EmulatorStats before = emulator.stats();
        try (StreamWriter writer = client.writer(stream)) {
            append(writer, events(1, 10), 0);
            assertThat(append(writer, events(11, 10), 10)).isEqualTo(10);
        }
        client.flush(stream, 19);

        EmulatorStats after = emulator.stats();
        assertThat(after.rowsDiscarded() - before.rowsDiscarded()).isEqualTo(20);
        assertThat(after.rowsFlushed() - before.rowsFlushed()).isEqualTo(20);
        assertThat(visible()).isZero();
    }

    @Test
    void faults_are_set_and_told_over_rest() throws Throwable {
        Rest.Answer answer = Rest.send(emulator, "POST", "/emulator/faults", """
                {"clear": true, "loseAppendAcknowledgements": 2, "refuseAppends": {"code": "unavailable", "times": 3},
                 "delayAppends": "PT0.05S", "denyFreshTables": 1500, "refuseRows": [7], "discardRows": true}
                """);

        assertThat(answer.status()).isEqualTo(200);
        assertThat(answer.body().path("loseAppendAcknowledgements").asInt()).isEqualTo(2);
        assertThat(answer.body().path("refuseAppends").toString()).isEqualTo("{\"code\":\"UNAVAILABLE\",\"times\":3}");
        assertThat(answer.body().path("delayAppends").asText()).isEqualTo("PT0.05S");
        assertThat(answer.body().path("denyFreshTables").asText()).isEqualTo("PT1.5S");
        assertThat(emulator.faults().refusedRows()).containsExactly(7L);

        for (String wrong : List.of(
                "{\"typo\": 1}",
                "{\"refuseAppends\": {\"code\": \"NOPE\", \"times\": 1}}",
                "{\"delayAppends\": \"soon\"}",
                "{\"loseFlushReplies\": -1}",
                "no json")) {
            assertThat(Rest.send(emulator, "POST", "/emulator/faults", wrong).status())
                    .as(wrong)
                    .isEqualTo(400);
        }
    }
}
