package dev.engagement.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.engagement.capture.CaptureOptions.Start;
import dev.engagement.capture.CaptureStage.Record;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.Reason;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.flink.api.common.JobStatus;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.postgresql.PGConnection;

/** Capture as a running job between a real PostgreSQL and a real Kafka. */
class CaptureIT extends OnCaptureServers {

    private static final int TRANSACTIONS_A_FAILURE = 150;

    private static final String CONTENT = "11111111-1111-1111-1111-111111111111";

    @Test
    void snapshotThenChangesArriveInBothTopics() throws Exception {
        stage.sql("INSERT INTO %s.content VALUES ('" + CONTENT + "', 's', 'T', 'video', NULL, '2026-01-01T00:00:00Z')");
        long old = stage.insertEvent();
        stage.start(Start.INITIAL);
        stage.await(all -> all.size() >= 2);

        long fresh = stage.insertEvent();
        stage.sql("UPDATE %s.content SET title = 'U'");
        stage.sql("DELETE FROM %s.content");
        stage.sql("DELETE FROM %s.engagement_events WHERE id = " + fresh);
        List<Record> records = stage.await(all -> all.size() >= 7);

        assertThat(of(records, stage.eventsTopic()))
                .extracting(Record::key, Record::op)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("{\"id\":" + old + "}", "r"),
                        org.assertj.core.groups.Tuple.tuple("{\"id\":" + fresh + "}", "c"),
                        org.assertj.core.groups.Tuple.tuple("{\"id\":" + fresh + "}", "d"));
        assertThat(of(records, stage.contentTopic()))
                .extracting(Record::key, Record::op)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("{\"id\":\"" + CONTENT + "\"}", "r"),
                        org.assertj.core.groups.Tuple.tuple("{\"id\":\"" + CONTENT + "\"}", "u"),
                        org.assertj.core.groups.Tuple.tuple("{\"id\":\"" + CONTENT + "\"}", "d"),
                        org.assertj.core.groups.Tuple.tuple("{\"id\":\"" + CONTENT + "\"}", "tombstone"));
        JsonNode created = of(records, stage.eventsTopic()).get(1).value();
        assertThat(created.fieldNames()).toIterable().contains("before", "after", "source", "op", "ts_ms");
        assertThat(created.path("after").path("duration_ms").asInt()).isEqualTo(7000);
        assertThat(created.path("after").path("raw_payload").isTextual()).isTrue();
        assertThat(created.path("source").path("table").asText()).isEqualTo("engagement_events");
        assertThat(created.path("source").path("ts_ms").asLong()).isPositive();
    }

    /** A commit is in the log before it can be seen: by long, if it waits for a standby. */
    @Test
    void aRowThatNobodyCanSeeYetWhenTheSnapshotIsReadComesByTheLog() throws Exception {
        stage.query("SELECT pg_create_logical_replication_slot('%s_slot', 'pgoutput')");
        stage.sql("SET synchronous_commit = 'local'");
        stage.sql("ALTER ROLE engagement SET synchronous_commit = 'local'");
        stage.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
        stage.query("SELECT pg_reload_conf()");
        CompletableFuture<Void> committing;
        try {
            committing = CompletableFuture.runAsync(() -> stage.elsewhere("SET synchronous_commit = 'on'; INSERT INTO"
                    + " %s.engagement_events (id, event_type, event_ts) OVERRIDING SYSTEM VALUE"
                    + " VALUES (4711, 'play', now())"));
            Awaitility.await("a commit that waits")
                    .pollInterval(CaptureStage.POLL)
                    .until(() -> !stage.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
                            .isEmpty());
            stage.start(Start.INITIAL);
            awaitStreaming();
        } finally {
            stage.sql("ALTER SYSTEM RESET synchronous_standby_names");
            stage.query("SELECT pg_reload_conf()");
            stage.sql("ALTER ROLE engagement RESET synchronous_commit");
        }
        committing.get(5, TimeUnit.MINUTES);

        stage.awaitEvent(4711);
    }

    @Test
    void aSnapshotOfManySplitsIsWhole() throws Exception {
        stage.sql("INSERT INTO %s.engagement_events (event_type, event_ts)"
                + " SELECT 'play', now() FROM generate_series(1, 60000)");
        stage.start(Start.INITIAL);
        stage.await(all -> all.size() >= 60_000);
        assertThat(capturedEvents()).hasSize(60_000);
    }

    @Test
    void nothingIsLostHoweverOftenItFails() throws Exception {
        // Every oversize row fails the job once, in the midst of whatever transactions are under way.
        Set<Long> failed = new HashSet<>();
        stage.onLetter(letter -> {
            if (failed.add(letter.eventId().number())) {
                throw new IllegalStateException("a test's failure");
            }
        });
        stage.start(Start.INITIAL);
        awaitStreaming();
        AtomicBoolean writing = new AtomicBoolean(true);
        // So many a failure, and not as many as fit into the time until it is overcome: capture has to catch up.
        Semaphore transactions = new Semaphore(0);
        ExecutorService writers = Executors.newFixedThreadPool(3);
        List<Future<?>> ends = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            ends.add(writers.submit(() -> {
                write(writing, transactions);
                return null;
            }));
        }
        for (int failure = 1; failure <= 6; failure++) {
            int target = failure;
            transactions.release(TRANSACTIONS_A_FAILURE);
            stage.sql("INSERT INTO %s.engagement_events (event_type, event_ts, raw_payload)"
                    + " VALUES ('play', now(), to_jsonb(repeat('x', 30000)))");
            Awaitility.await("failure " + target)
                    .atMost(CaptureStage.TIMEOUT)
                    .pollInterval(CaptureStage.POLL)
                    .until(() -> failed.size() >= target);
            long before = stage.completedCheckpoints();
            Awaitility.await("checkpoint after failure " + target)
                    .atMost(CaptureStage.TIMEOUT)
                    .until(() -> stage.completedCheckpoints() > before);
        }
        writing.set(false);
        transactions.release(3);
        for (Future<?> end : ends) {
            end.get();
        }
        writers.shutdown();

        Set<Long> written = ids("SELECT id FROM %s.engagement_events WHERE raw_payload IS NULL");
        stage.awaitEvent(stage.insertEvent());
        Set<Long> captured = capturedEvents();
        assertThat(written).hasSizeGreaterThan(1000);
        written.removeAll(captured);
        assertThat(written).as("written and not captured").isEmpty();
        assertThat(stage.restarts()).isGreaterThanOrEqualTo(6);
    }

    /** The first change after a commit often has the very sequence number at which that commit ended. */
    @Test
    void theFirstRowAfterAQuietTimeIsNotLost() throws Exception {
        stage.start(Start.INITIAL);
        awaitStreaming();
        for (long id = 1_000; id < 1_005; id++) {
            String savepoint = stage.stop();
            // With an id of its own: a sequence would put a record of its own before the row's.
            stage.sql("INSERT INTO %s.engagement_events (id, event_type, event_ts) VALUES (" + id + ", 'play', now())");
            stage.start(Start.INITIAL, savepoint, Duration.ofMillis(200));
            stage.awaitEvent(id);
            long before = stage.completedCheckpoints();
            Awaitility.await("checkpoint")
                    .atMost(CaptureStage.TIMEOUT)
                    .until(() -> stage.completedCheckpoints() > before + 2);
        }
    }

    /** Transactions of one row, of several, and by COPY, whose rows share a log sequence number. */
    private void write(AtomicBoolean writing, Semaphore transactions) throws Exception {
        try (Connection connection = servers.postgres().connect();
                java.sql.Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            String insert = "INSERT INTO " + stage.name
                    + ".engagement_events (event_type, event_ts) SELECT 'play', now() FROM generate_series(1, ";
            while (writing.get()) {
                transactions.acquire();
                int rows = ThreadLocalRandom.current().nextInt(1, 5);
                switch (ThreadLocalRandom.current().nextInt(3)) {
                    case 0 -> statement.execute(insert + "1)");
                    case 1 -> {
                        statement.execute(insert + rows + ")");
                        statement.execute("SELECT pg_sleep(0.003)");
                        statement.execute(insert + rows + ")");
                    }
                    default ->
                        connection
                                .unwrap(PGConnection.class)
                                .getCopyAPI()
                                .copyIn(
                                        "COPY " + stage.name + ".engagement_events (event_type, event_ts) FROM STDIN",
                                        new java.io.StringReader("play\t2026-01-01T00:00:00Z\n".repeat(rows * 20)));
                }
                connection.commit();
            }
        }
    }

    @Test
    void aSlotDroppedWhileStoppedStopsCaptureWithTheGapAndWhatFillsIt() throws Exception {
        stage.start(Start.INITIAL);
        awaitStreaming();
        String savepoint = stage.stop();
        stage.dropSlot();
        stage.insertEvent();

        stage.start(Start.INITIAL, savepoint, Duration.ofMillis(200));

        assertThat(stage.failure())
                .contains("SuppressRestartsException")
                .contains("the replication slot " + stage.slot() + " of database engagement (publication " + stage.name
                        + "_publication) does not exist any more. Rows committed from 20")
                .containsPattern("flink run engagement-job.jar backfill --from 20\\S+Z --to 20\\S+Z")
                .contains("flink run -d engagement-job.jar capture --capture.start latest");
        assertThat(stage.slotColumn("slot_name")).as("no slot is created").isEmpty();

        stage.query("SELECT pg_create_logical_replication_slot('%s_slot', 'pgoutput')");
        stage.start(Start.INITIAL, savepoint, Duration.ofMillis(200));

        assertThat(stage.failure()).contains("it was dropped and created again");
    }

    @Test
    void aSlotDroppedWhileRunningStopsCapture() throws Exception {
        stage.start(Start.INITIAL);
        awaitStreaming();
        stage.dropSlot();
        assertThat(stage.failure()).contains("SlotLostException").contains("does not exist any more");
    }

    @Test
    void aSlotThatRanOutOfLogStopsCapture() throws Exception {
        stage.start(Start.INITIAL);
        awaitStreaming();
        String savepoint = stage.stop();
        stage.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'");
        stage.query("SELECT pg_reload_conf()");
        try {
            Awaitility.await("slot lost")
                    .atMost(CaptureStage.TIMEOUT)
                    .pollInterval(CaptureStage.POLL)
                    .until(() -> {
                        stage.sql("INSERT INTO %s.elsewhere SELECT repeat('x', 1000) FROM generate_series(1, 10000)");
                        stage.query("SELECT pg_switch_wal()");
                        stage.sql("CHECKPOINT");
                        return stage.slotColumn("wal_status").equals("lost");
                    });
            stage.start(Start.INITIAL, savepoint, Duration.ofMillis(200));
            assertThat(stage.failure())
                    .contains("is lost: PostgreSQL removed")
                    .contains("SELECT pg_drop_replication_slot('" + stage.slot() + "')");
        } finally {
            stage.sql("ALTER SYSTEM RESET max_slot_wal_keep_size");
            stage.query("SELECT pg_reload_conf()");
        }
    }

    @Test
    void anIdleDatabaseDoesNotHoldTheSlotBack() throws Exception {
        stage.start(Start.INITIAL);
        awaitStreaming();
        stage.sql("INSERT INTO %s.elsewhere SELECT repeat('x', 1000) FROM generate_series(1, 1000)");
        String lsn = stage.query("SELECT pg_current_wal_lsn()");
        awaitConfirmed(lsn);
        assertThat(stage.records())
                .as("heartbeats stay out of Kafka")
                .extracting(Record::topic)
                .containsOnly(stage.eventsTopic());
        assertThat(stage.query("SELECT count(*) FROM %s.heartbeat")).isEqualTo("1");
    }

    @Test
    void aSlotThatMovedWhileNothingWasReadIsNotTakenForALostOne() throws Exception {
        // The server asks for confirmation often, the driver confirms what it has seen no change in, and nothing is
        // published but what the restart itself writes.
        stage.heartbeat(Duration.ofHours(1));
        stage.sql("ALTER ROLE engagement SET wal_sender_timeout = '6s'");
        try {
            stage.start(Start.INITIAL);
            awaitStreaming();
            String savepoint = stage.stop();
            for (int i = 0; i < 5; i++) {
                stage.sql("INSERT INTO %s.elsewhere SELECT repeat('x', 1000) FROM generate_series(1, 1000)");
                stage.sql("CHECKPOINT");
            }
            // No checkpoint completes, so a failure goes back to the savepoint.
            AtomicBoolean fail = new AtomicBoolean();
            stage.onLetter(letter -> {
                if (fail.compareAndSet(true, false)) {
                    throw new IllegalStateException("a test's failure");
                }
            });
            stage.start(Start.INITIAL, savepoint, Duration.ofHours(1));
            Awaitility.await("streaming again")
                    .atMost(CaptureStage.TIMEOUT)
                    .pollInterval(CaptureStage.POLL)
                    .until(() -> stage.slotColumn("active").equals("t"));
            long start = System.nanoTime();
            Awaitility.await("some confirmations")
                    .atMost(CaptureStage.TIMEOUT)
                    .pollInterval(CaptureStage.POLL)
                    .until(() -> {
                        stage.sql("CHECKPOINT");
                        return System.nanoTime() - start > Duration.ofSeconds(5).toNanos();
                    });
            fail.set(true);
            stage.sql("INSERT INTO %s.engagement_events (event_type, event_ts, raw_payload)"
                    + " VALUES ('play', now(), to_jsonb(repeat('x', 30000)))");
            Awaitility.await("failure")
                    .atMost(CaptureStage.TIMEOUT)
                    .pollInterval(CaptureStage.POLL)
                    .until(() -> !fail.get());

            stage.awaitEvent(stage.insertEvent());
            assertThat(stage.status()).isEqualTo(JobStatus.RUNNING);
        } finally {
            stage.sql("ALTER ROLE engagement RESET wal_sender_timeout");
        }
    }

    @Test
    void anOversizeRowBecomesALetterAndCaptureGoesOn() throws Exception {
        String big = "INSERT INTO %s.engagement_events (event_type, event_ts, raw_payload)"
                + " VALUES ('play', now(), to_jsonb(repeat('x', 30000))) RETURNING id";
        long fromSnapshot = Long.parseLong(stage.query(big));
        long another = Long.parseLong(stage.query(big));
        stage.start(Start.INITIAL);
        awaitStreaming();
        long fromStream = Long.parseLong(stage.query(big));
        stage.awaitEvent(stage.insertEvent());

        List<DeadLetter> letters = List.copyOf(stage.letters());
        assertThat(letters)
                .extracting(letter -> letter.eventId().number())
                .containsExactly(fromSnapshot, another, fromStream);
        assertThat(letters).extracting(DeadLetter::id).doesNotHaveDuplicates();
        DeadLetter letter = letters.get(2);
        assertThat(letter.reason()).isEqualTo(Reason.OVERSIZE);
        assertThat(letter.stage()).isEqualTo("capture");
        assertThat(letter.payload()).isNull();
        assertThat(letter.source().topic()).isEqualTo(stage.name + ".engagement_events");
        assertThat(letter.source().partition()).isEqualTo(-1);
        assertThat(letter.source().offset()).isPositive();
        assertThat(letter.source().timestampMillis()).isPositive();
        assertThat(letter.error()).contains("{\"id\":" + fromStream + "}").contains("op c");
        assertThat(capturedEvents()).doesNotContain(fromSnapshot, another, fromStream);
    }

    @Test
    void latestBeginsAtThePresentEnd() throws Exception {
        long old = stage.insertEvent();
        stage.start(Start.LATEST);
        stage.awaitChange();
        assertThat(stage.records()).extracting(Record::op).containsOnly("c");
        assertThat(capturedEvents()).doesNotContain(old);
    }

    @Test
    void latestContinuesAtASlotThatIsThere() throws Exception {
        long before = stage.insertEvent();
        stage.query("SELECT pg_create_logical_replication_slot('%s_slot', 'pgoutput')");
        long after = stage.insertEvent();
        stage.start(Start.LATEST);
        stage.awaitEvent(after);
        assertThat(capturedEvents()).containsExactly(after).doesNotContain(before);
    }

    @Test
    void aKilledWalsenderIsReplaced() throws Exception {
        stage.start(Start.INITIAL);
        awaitStreaming();
        assertThat(stage.query("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
                        + " WHERE slot_name = '%s_slot'"))
                .isEqualTo("t");
        long id = stage.insertEvent();
        stage.awaitEvent(id);
    }

    @Test
    void aRestartOfPostgresIsSurvived() throws Exception {
        stage.start(Start.INITIAL);
        awaitStreaming();
        servers.postgres().kill();
        servers.postgres().restart();
        stage.awaitEvent(stage.insertEvent());
        assertThat(capturedEvents()).containsAll(ids("SELECT id FROM %s.engagement_events"));
    }

    @Test
    void whatIsNotSetUpStopsTheJobAndSaysHowToSetItUp() throws Exception {
        assertThatCode(() -> CapturePreflight.check(stage.options(Start.INITIAL)))
                .doesNotThrowAnyException();
        stage.sql("DROP PUBLICATION %s_publication");
        stage.sql("DROP TABLE %s.heartbeat");
        stage.start(Start.INITIAL);
        assertThat(stage.failure())
                .contains("SuppressRestartsException")
                .contains("CREATE PUBLICATION " + stage.name + "_publication FOR TABLE " + stage.name
                        + ".engagement_events, " + stage.name + ".content, " + stage.name + ".heartbeat")
                .contains(
                        "CREATE TABLE " + stage.name + ".heartbeat (id INT PRIMARY KEY, beat_at TIMESTAMPTZ NOT NULL)");
        assertThat(stage.slotColumn("slot_name")).isEmpty();
        assertThatThrownBy(() -> CapturePreflight.check(stage.options(Start.INITIAL)))
                .isInstanceOf(CaptureSetupException.class)
                .hasMessageContaining("The publication " + stage.name + "_publication does not exist");
    }

    /** The snapshot is over, changes come, and a completed checkpoint holds all of them. */
    private void awaitStreaming() throws Exception {
        stage.awaitChange();
        String before = stage.query("SELECT pg_current_wal_insert_lsn()");
        stage.insertEvent();
        awaitConfirmed(before);
    }

    private void awaitConfirmed(String lsn) {
        Awaitility.await("slot confirmed beyond " + lsn)
                .atMost(CaptureStage.TIMEOUT)
                .until(() ->
                        stage.slotColumn("confirmed_flush_lsn > '" + lsn + "'").equals("t"));
    }

    private Set<Long> capturedEvents() {
        Set<Long> ids = new HashSet<>();
        for (Record record : of(stage.records(), stage.eventsTopic())) {
            ids.add(record.eventId());
        }
        return ids;
    }

    private Set<Long> ids(String sql) throws Exception {
        Set<Long> ids = new HashSet<>();
        try (Connection connection = servers.postgres().connect();
                java.sql.Statement statement = connection.createStatement();
                java.sql.ResultSet row = statement.executeQuery(String.format(sql, stage.name))) {
            while (row.next()) {
                ids.add(row.getLong(1));
            }
        }
        return ids;
    }

    private static List<Record> of(List<Record> records, String topic) {
        return records.stream().filter(record -> record.topic().equals(topic)).toList();
    }
}
