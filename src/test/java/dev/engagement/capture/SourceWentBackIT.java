package dev.engagement.capture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.capture.CaptureOptions.Start;
import dev.engagement.local.PostgresServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.apache.flink.api.common.JobStatus;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * A real PostgreSQL that goes back in time, by a copy of its files, and one that is promoted: a copy that recovers, out of
 * the log of the server that it was copied from, up to a point.
 */
class SourceWentBackIT extends OnCaptureServers {

    private static final Duration CHECKPOINTS = Duration.ofMillis(200);

    @Test
    void aCopyThatIsPutBackStopsCaptureAlsoWhenItHasOvertakenWhatWasCaptured() throws Exception {
        stage.start(Start.INITIAL);
        awaitCheckpointed();
        copy("copy");
        capturedBehindAHeartbeat();
        String savepoint = stage.stop();
        String known = stage.query("SELECT pg_current_wal_flush_lsn()");

        putBack("copy");
        stage.start(Start.INITIAL, savepoint, CHECKPOINTS);

        assertThat(stage.failure())
                .contains("SuppressRestartsException", "SourceWentBackException", "is not the source that was captured")
                .contains("its write-ahead log ends at LSN")
                .as("by the last heartbeat or by the position, whichever is looked at first")
                .containsPattern("- Known: system \\d+, timeline \\d+, (seen|captured) up to LSN")
                .containsPattern(
                        "- Seen: system \\d+, timeline \\d+, up to LSN \\S+ at 20\\S+, last heartbeat of capture"
                                + " there at 20\\S+, greatest id of " + stage.name + ".engagement_events \\d+")
                .contains("--capture.start latest", "setval(pg_get_serial_sequence('" + stage.name);

        while (stage.query("SELECT pg_current_wal_flush_lsn() <= '" + known + "'")
                .equals("t")) {
            stage.sql("INSERT INTO %s.elsewhere SELECT repeat('x', 1000) FROM generate_series(1, 1000)");
        }
        stage.start(Start.INITIAL, savepoint, CHECKPOINTS);

        assertThat(stage.failure()).contains("its heartbeat row is of ", "a copy of its data from before was put back");
    }

    /** The job is not told that anything was restored: it only loses its connection for a while. */
    @Test
    void aCopyThatIsPutBackUnderARunningCaptureStopsIt() throws Exception {
        stage.start(Start.INITIAL);
        awaitCheckpointed();
        copy("running");
        capturedBehindAHeartbeat();

        putBack("running");

        assertThat(stage.failure()).contains("SourceWentBackException", "is not the source that was captured so far");
    }

    @Test
    void withoutItsStateCaptureTakesTheSourceThatIsThere() throws Exception {
        stage.start(Start.INITIAL);
        awaitCheckpointed();
        copy("without");
        capturedBehindAHeartbeat();
        stage.stop();
        putBack("without");
        long again = stage.insertEvent();

        stage.start(Start.LATEST);

        stage.awaitEvent(again);
        stage.awaitChange();
        assertThat(stage.status()).isEqualTo(JobStatus.RUNNING);
    }

    @Test
    void aServerThatWasPromotedWithAllThatWasCapturedIsGoneOnWith() throws Exception {
        stage.start(Start.INITIAL);
        awaitCheckpointed();
        copy("ahead");
        capturedBehindAHeartbeat();
        String savepoint = stage.stop();
        long behind = stage.insertEvent();
        String timeline = timeline();

        promote("ahead", null);

        assertThat(timeline()).isNotEqualTo(timeline);
        long onIt = stage.insertEvent();
        stage.start(Start.INITIAL, savepoint, CHECKPOINTS);
        stage.awaitEvent(behind);
        stage.awaitEvent(onIt);
        assertThat(stage.status()).isEqualTo(JobStatus.RUNNING);
    }

    @Test
    void aServerThatWasPromotedBehindThePositionStopsCapture() throws Exception {
        stage.start(Start.INITIAL);
        awaitCheckpointed();
        copy("behind");
        stage.insertEvent();
        String target = stage.query("SELECT pg_current_wal_flush_lsn()");
        capturedBehindAHeartbeat();
        String savepoint = stage.stop();

        promote("behind", target);
        stage.sql("INSERT INTO %s.elsewhere SELECT repeat('x', 1000) FROM generate_series(1, 10000)");
        stage.start(Start.INITIAL, savepoint, CHECKPOINTS);

        assertThat(stage.failure())
                .contains("SourceWentBackException")
                .containsPattern("it left timeline \\d+ at LSN \\S+, before the position to continue at")
                .doesNotContain("--accept-timeline");
    }

    /** It was captured behind the checkpoint that the restart begins at, and not replicated before the promotion. */
    @Test
    void whatWasHandedOutAndNotReplicatedStopsCaptureUnlessItIsAccepted() throws Exception {
        stage.start(Start.INITIAL);
        awaitCheckpointed();
        copy("handedout");
        capturedBehindAHeartbeat();
        String savepoint = stage.stop();
        long kept = stage.insertEvent();
        String target = stage.query("SELECT pg_current_wal_flush_lsn()");
        stage.start(Start.INITIAL, savepoint, CHECKPOINTS);
        capturedBehindAHeartbeat();
        stage.stop();

        promote("handedout", target);
        stage.start(Start.INITIAL, savepoint, CHECKPOINTS);

        String timeline = Integer.toString(Integer.parseInt(timeline(), 16));
        assertThat(stage.failure())
                .contains("changes that were captured are behind LSN")
                .contains("--accept-timeline " + timeline);

        stage.acceptTimeline(Integer.parseInt(timeline));
        long onIt = stage.insertEvent();
        stage.start(Start.INITIAL, savepoint, CHECKPOINTS);
        stage.awaitEvent(kept);
        stage.awaitEvent(onIt);
    }

    /** As a role that may replicate and read, and no more. */
    @Test
    void aPlainRoleMayAskForItsLine() throws Exception {
        String role = stage.name + "_role";
        Path password = Files.writeString(directory.resolve("plain-password"), "of the role");
        stage.sql("CREATE ROLE " + role + " LOGIN REPLICATION PASSWORD 'of the role'");
        stage.sql("GRANT USAGE ON SCHEMA %s TO " + role);
        stage.sql("GRANT SELECT ON ALL TABLES IN SCHEMA %s TO " + role);
        stage.sql("GRANT INSERT, UPDATE ON %s.heartbeat TO " + role);
        stage.username(role, password);
        stage.insertEvent();
        SourceDatabase database = new SourceDatabase(stage.options(Start.INITIAL));

        KnownSource seen = database.look();

        String system = stage.query("SELECT system_identifier FROM pg_control_system()");
        assertThat(Long.toUnsignedString(seen.line().systemId())).isEqualTo(system);
        assertThat(seen.line().timeline()).isEqualTo(Integer.parseInt(timeline(), 16));
        assertThat(seen.greatestId()).isEqualTo(1);

        stage.sql("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
        try {
            assertThat(database.look().line()).as("by the replication protocol").isEqualTo(seen.line());
        } finally {
            stage.sql("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC");
        }
    }

    /** What is to be done with rows under ids that the stream knows of others. */
    @Test
    void aRowThatGetsAnIdOfItsOwnComesUnderThat() throws Exception {
        stage.start(Start.INITIAL);
        awaitCheckpointed();
        long id = stage.insertEvent();
        long own = Long.parseLong(
                stage.query("UPDATE %s.engagement_events SET id = DEFAULT WHERE id = " + id + " RETURNING id"));

        stage.await(all -> all.stream()
                .anyMatch(record -> record.topic().equals(stage.eventsTopic())
                        && record.eventId() == own
                        && record.op().equals("c")));
    }

    /** Captures an event, and lets a heartbeat and a checkpoint pass behind it; gives its id. */
    private long capturedBehindAHeartbeat() throws Exception {
        long id = stage.insertEvent();
        stage.awaitEvent(id);
        String beat = stage.query("SELECT beat_at FROM %s.heartbeat");
        Awaitility.await("two heartbeats")
                .atMost(CaptureStage.TIMEOUT)
                .pollInterval(CaptureStage.POLL)
                .until(() -> stage.query("SELECT beat_at > '" + beat + "'::timestamptz + interval '400 ms' FROM"
                                + " %s.heartbeat")
                        .equals("t"));
        awaitCheckpoints();
        return id;
    }

    private void awaitCheckpointed() throws Exception {
        stage.awaitChange();
        awaitCheckpoints();
    }

    private static final int CHECKPOINTS_AFTER = 3;

    private void awaitCheckpoints() throws Exception {
        long before = stage.completedCheckpoints();
        Awaitility.await("checkpoints")
                .atMost(CaptureStage.TIMEOUT)
                .pollInterval(CaptureStage.POLL)
                .until(() -> stage.completedCheckpoints() >= before + CHECKPOINTS_AFTER);
    }

    private String timeline() throws Exception {
        return stage.query("SELECT substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8)");
    }

    private static Path copyNamed(String name) {
        return servers.postgres().dataDirectory().resolveSibling("copy-" + name);
    }

    /** Copies the files of the stopped server, and lets it go on. */
    private static void copy(String name) throws Exception {
        PostgresServer postgres = servers.postgres();
        postgres.stop();
        run("cp", "-a", postgres.dataDirectory().toString(), copyNamed(name).toString());
        postgres.restart();
    }

    private static void putBack(String name) throws Exception {
        PostgresServer postgres = servers.postgres();
        postgres.stop();
        run("rm", "-rf", postgres.dataDirectory().toString());
        run("mv", copyNamed(name).toString(), postgres.dataDirectory().toString());
        postgres.restart();
    }

    /**
     * Lets the copy recover out of the log of the server, and become a primary.
     *
     * @param target LSN to recover up to; null for all
     */
    private void promote(String name, String target) throws Exception {
        PostgresServer postgres = servers.postgres();
        postgres.stop();
        Path data = postgres.dataDirectory();
        Path archive = data.resolveSibling("archive-" + name);
        run("mv", data.resolve("pg_wal").toString(), archive.toString());
        run("rm", "-rf", data.toString());
        run("mv", copyNamed(name).toString(), data.toString());
        String settings = "restore_command = 'cp " + archive + "/%f %p'\n"
                + (target == null ? "" : "recovery_target_lsn = '" + target + "'\n")
                + "recovery_target_action = 'promote'\n";
        Path auto = data.resolve("postgresql.auto.conf");
        Files.writeString(auto, Files.readString(auto) + settings);
        Path signal = Files.createFile(data.resolve("recovery.signal"));
        run("chown", "--reference=" + data, signal.toString());
        postgres.restart();
        Awaitility.await("promoted")
                .atMost(CaptureStage.TIMEOUT)
                .pollInterval(CaptureStage.POLL)
                .ignoreExceptions()
                .until(() -> stage.query("SELECT pg_is_in_recovery()").equals("f"));
        stage.sql("ALTER SYSTEM RESET restore_command");
        stage.sql("ALTER SYSTEM RESET recovery_target_lsn");
        stage.sql("ALTER SYSTEM RESET recovery_target_action");
    }

    private static void run(String... command) throws Exception {
        Process process = new ProcessBuilder(List.of(command)).inheritIO().start();
        assertThat(process.waitFor()).as(String.join(" ", command)).isZero();
    }
}
