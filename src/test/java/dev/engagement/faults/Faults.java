package dev.engagement.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.local.PostgresServer;
import java.io.OutputStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import redis.clients.jedis.Jedis;

/** The ways to break an {@link Installation}. */
final class Faults {

    /** What a supervisor waits before it starts a dead process again. */
    private static final Duration SUPERVISOR_DELAY = Duration.ofSeconds(1);

    /** Rows of the probe, and looks at the warehouse of which each finds more: what the others do while one hangs. */
    private static final int ROWS_MEANWHILE = 50;

    private static final int LOOKS = 3;

    /** A guard against hanging. */
    private static final Duration LIMIT = Duration.ofMinutes(5);

    private static final Duration POLL = Duration.ofMillis(100);

    /** No event is older than that when it is written; see the load. */
    private static final Duration LATENESS = Duration.ofSeconds(5);

    private Faults() {}

    /** SIGKILL; started again a second later. */
    static Fault kill(Role role) {
        return new Fault("kill -9 " + role.title(), true, false, installation -> {
            long killed = System.nanoTime();
            installation.victim(role).kill();
            hold(SUPERVISOR_DELAY);
            installation.victim(role).restart();
            return killed;
        });
    }

    /** SIGKILL of a Redis whose file outlives it; started again a second later with all that it held. */
    static Fault killDurableRedis() {
        return new Fault("kill -9 Redis, its file kept", true, false, installation -> {
            long killed = System.nanoTime();
            installation.victim(Role.REDIS).kill();
            hold(SUPERVISOR_DELAY);
            installation.restartRedisWithItsFile();
            return killed;
        });
    }

    /** FLUSHALL: Redis runs on, and has nothing. */
    static Fault emptyRedis() {
        return new Fault("Redis emptied", false, true, installation -> {
            try (Jedis redis = installation.connectToRedis()) {
                redis.flushAll();
            }
            return System.nanoTime();
        });
    }

    /** SIGKILL; started again only after that long. */
    static Fault outage(Role role, Duration length) {
        return new Fault(role.title() + " gone for " + length.toSeconds() + " s", true, false, installation -> {
            installation.victim(role).kill();
            hold(length);
            installation.victim(role).restart();
            return System.nanoTime();
        });
    }

    /** SIGSTOP, and SIGCONT after that long. */
    static Fault freeze(Role role, Duration length) {
        return new Fault(role.title() + " frozen for " + length.toSeconds() + " s", false, false, installation -> {
            installation.victim(role).freeze();
            try {
                hold(length);
            } finally {
                installation.victim(role).thaw();
            }
            return System.nanoTime();
        });
    }

    /**
     * A task manager stopped by SIGSTOP until the job manager has missed its heartbeats and given it up; then SIGCONT.
     */
    static Fault freezeBeyondTheHeartbeat(Role taskManager) {
        return new Fault(taskManager.title() + " frozen until it is given up", false, true, installation -> {
            int before = installation.taskManagers();
            installation.victim(taskManager).freeze();
            try {
                await().atMost(LIMIT).pollInterval(POLL).until(() -> installation.taskManagers() < before);
            } finally {
                installation.victim(taskManager).thaw();
            }
            return System.nanoTime();
        });
    }

    /** All connections of the jobs to that server reset at once. */
    static Fault cut(Role server) {
        return new Fault("connections to " + server.title() + " cut", false, false, installation -> {
            installation.network(server).cut();
            return System.nanoTime();
        });
    }

    /** Connections reset, and new ones refused for that long; the server itself is well. */
    static Fault refuse(Role server, Duration length) {
        return network(server, server.title() + " refuses for " + length.toSeconds() + " s", length, Faults::takeAway);
    }

    /** Every byte late for that long. */
    static Fault delay(Role server, Duration eachWay, Duration length) {
        return network(
                server,
                server.title() + " " + eachWay.toMillis() + " ms away for " + length.toSeconds() + " s",
                length,
                proxy -> proxy.delay(eachWay));
    }

    /** Connections that lead nowhere for that long, and are reset then. */
    static Fault halfOpen(Role server, Duration length) {
        return network(
                server, server.title() + " half-open for " + length.toSeconds() + " s", length, TcpProxy::swallow);
    }

    /**
     * Connections to the rollups' database reset, and new ones refused for that long; the source, in the same PostgreSQL,
     * is well.
     */
    static Fault rollupsGone(Duration length) {
        return network(Installation::rollupsNetwork, rollups("gone", length), length, Faults::takeAway);
    }

    /**
     * As {@link #rollupsGone}, and nobody notices but the rollups: for that long rows go on to be readable in Redis and
     * visible in the warehouse, and both jobs complete checkpoints that began meanwhile.
     */
    static Fault rollupsGoneAlone(Duration length) {
        return new Fault(rollups("gone", length) + ", alone", false, true, installation -> {
            long clock = System.currentTimeMillis();
            long begin = System.nanoTime();
            takeAway(installation.rollupsNetwork());
            try {
                othersGoOn(installation, begin, length);
                await("checkpoints without the rollups' database")
                        .atMost(LIMIT)
                        .pollInterval(POLL)
                        .until(() -> installation.hasCheckpointsAfter(clock));
            } finally {
                installation.rollupsNetwork().restore();
            }
            return System.nanoTime();
        });
    }

    /** The rollups' database takes what is sent and says nothing, for that long. */
    static Fault rollupsSilent(Duration length) {
        return network(Installation::rollupsNetwork, rollups("silent", length), length, TcpProxy::swallow);
    }

    /** The rollups' database may only be read for that long, as after a failover to a standby: who connects finds out. */
    static Fault rollupsReadOnly(Duration length) {
        return new Fault(rollups("read-only", length), false, false, installation -> {
            // A fault in haste may have left it dead.
            List<Role> unused = installation.restartDead();
            alterRollups(installation, "SET default_transaction_read_only = on");
            try {
                installation.rollupsNetwork().cut();
                hold(length);
            } finally {
                alterRollups(installation, "RESET default_transaction_read_only");
            }
            return System.nanoTime();
        });
    }

    /** From the database beside it, as nothing can be changed from within. */
    private static void alterRollups(Installation installation, String how) throws SQLException {
        try (Connection connection = installation.connectToSource();
                Statement statement = connection.createStatement()) {
            statement.execute("ALTER DATABASE " + PostgresServer.ANALYTICS + " " + how);
        }
    }

    /** Somebody locks a table of the rollups, and goes away only after that long. */
    static Fault rollupsLocked(Duration length) {
        return new Fault(rollups("locked", length), false, true, installation -> {
            try (Connection connection = installation.connectToRollups();
                    Statement statement = connection.createStatement()) {
                connection.setAutoCommit(false);
                statement.execute("LOCK TABLE metrics IN EXCLUSIVE MODE");
                hold(length);
                connection.commit();
            }
            return System.nanoTime();
        });
    }

    private static String rollups(String how, Duration length) {
        return "rollups' database " + how + " for " + length.toSeconds() + " s";
    }

    private static void takeAway(TcpProxy proxy) {
        proxy.refuse();
        proxy.cut();
    }

    private interface Damage {
        void to(TcpProxy proxy);
    }

    private interface Network {
        TcpProxy of(Installation installation);
    }

    private static Fault network(Role server, String name, Duration length, Damage damage) {
        return network(installation -> installation.network(server), name, length, damage);
    }

    private static Fault network(Network network, String name, Duration length, Damage damage) {
        return new Fault(name, false, false, installation -> {
            TcpProxy proxy = network.of(installation);
            damage.to(proxy);
            try {
                hold(length);
            } finally {
                proxy.restore();
            }
            return System.nanoTime();
        });
    }

    /** BigQuery does what it is asked and cannot say so: the next appends and flushes are done, and not answered well. */
    static Fault lostReplies() {
        return new Fault("BigQuery's replies lost", false, false, installation -> {
            installation.bigQuery().faults("{\"loseAppendAcknowledgements\": 3, \"loseFlushReplies\": 2}");
            return System.nanoTime();
        });
    }

    /** The receiver takes what is posted and never answers, for that long. */
    static Fault receiverHangs(Duration length) {
        return behaviour("receiver hangs for " + length.toSeconds() + " s", "{\"mode\": \"hang\"}", length);
    }

    /**
     * As {@link #receiverHangs}, and neither of the other destinations notices: for that long and until posts have hung,
     * rows go on to be readable in Redis and visible in the warehouse.
     */
    static Fault receiverHangsAlone(Duration length) {
        Fault hang = receiverHangs(length);
        return new Fault(hang.name() + ", alone", false, true, installation -> {
            long begin = System.nanoTime();
            installation.receiver().behave("{\"mode\": \"hang\"}");
            try {
                await().atMost(LIMIT)
                        .pollInterval(POLL)
                        .until(() -> installation
                                        .receiver()
                                        .get("/stats")
                                        .path("failed")
                                        .asLong()
                                > 0);
                othersGoOn(installation, begin, length);
            } finally {
                installation.receiver().behave("{\"mode\": \"ok\"}");
            }
            return System.nanoTime();
        });
    }

    /**
     * For that long, and some looks and rows more, rows go on to be readable in Redis and visible in the warehouse.
     *
     * @param begin from when on; of {@code System.nanoTime}
     */
    private static void othersGoOn(Installation installation, long begin, Duration length) throws Exception {
        int look = 0;
        while (look < LOOKS || System.nanoTime() - begin < length.toNanos()) {
            look++;
            long rows = installation.visibleRows();
            await("rows of the warehouse at look " + look)
                    .atMost(LIMIT)
                    .pollInterval(POLL)
                    .until(() -> installation.visibleRows() > rows);
            int readable = installation.probe().readableAfter(begin);
            await("rows of the live view at look " + look)
                    .atMost(LIMIT)
                    .pollInterval(POLL)
                    .until(() -> installation.probe().readableAfter(begin) > readable);
        }
        await().atMost(LIMIT)
                .pollInterval(POLL)
                .until(() -> installation.probe().readableAfter(begin) >= ROWS_MEANWHILE);
    }

    /** The receiver answers everything with that status, for that long. */
    static Fault receiverAnswers(int status, Duration length) {
        return behaviour(
                "receiver answers " + status + " for " + length.toSeconds() + " s",
                "{\"mode\": \"fail\", \"status\": " + status + "}",
                length);
    }

    /** The receiver does now this and now that, but for what a sender may give up at, for that long. */
    static Fault receiverIsMoody(int seed, Duration length) {
        return behaviour(
                "receiver moody for " + length.toSeconds() + " s",
                "[{\"mode\": \"fail\", \"share\": 0.1, \"seed\": " + seed + "},"
                        + "{\"mode\": \"fail\", \"status\": 429, \"retryAfter\": \"1\", \"share\": 0.1},"
                        + "{\"mode\": \"slow\", \"delayMillis\": 300, \"share\": 0.2},"
                        + "{\"mode\": \"hang\", \"share\": 0.02},"
                        + "{\"mode\": \"reset\", \"share\": 0.05},"
                        + "{\"mode\": \"lose\", \"share\": 0.05},"
                        + "{\"mode\": \"endless\", \"share\": 0.02}]",
                length);
    }

    private static Fault behaviour(String name, String behaviour, Duration length) {
        return new Fault(name, false, false, installation -> {
            // A fault in haste may have left it dead, and a dead one has no behaviour.
            List<Role> unused = installation.restartDead();
            installation.receiver().behave(behaviour);
            try {
                hold(length);
            } finally {
                installation.receiver().behave("{\"mode\": \"ok\"}");
            }
            return System.nanoTime();
        });
    }

    /** PostgreSQL ends the connection that capture reads from. */
    static Fault terminateWalsender() {
        return new Fault("walsender terminated", false, true, installation -> {
            try (Connection connection = installation.connectToSource();
                    Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery(
                            "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_replication) t")) {
                rows.next();
                assertThat(rows.getInt(1)).as("walsenders").isPositive();
            }
            return System.nanoTime();
        });
    }

    /** Savepoint, stop, restore at that parallelism; recovery counts from the order to stop. */
    static Fault rescale(int parallelism) {
        return new Fault("savepoint, restored at " + parallelism, false, true, installation -> {
            long ordered = System.nanoTime();
            installation.rescale(parallelism);
            return ordered;
        });
    }

    /** The jar that runs, deployed again at that parallelism; recovery counts from the order. */
    static Fault deploy(int parallelism) {
        return new Fault("deployed at " + parallelism, false, true, installation -> {
            long ordered = System.nanoTime();
            Shell.Outcome outcome =
                    installation.deploy(installation.jar(), parallelism).orFail();
            assertThat(outcome.output()).contains("restored", "the gap was", "checkpoint completed", "is done");
            assertThat(installation.streamParallelism()).isEqualTo(parallelism);
            return ordered;
        });
    }

    /**
     * A jar whose tasks miss a class: its start fails, and the old one goes on, with the options it had.
     *
     * @param parallelism of the broken one
     * @param before of the one that runs
     */
    static Fault deployBroken(int parallelism, int before) {
        return new Fault("a broken jar deployed, rolled back", false, true, installation -> {
            Path broken = installation.directory().resolve("lacks-a-class.jar");
            Files.copy(installation.jar(), broken, StandardCopyOption.REPLACE_EXISTING);
            try (FileSystem entries = FileSystems.newFileSystem(broken)) {
                // Known to tasks alone: what builds the job does without.
                Files.delete(entries.getPath("dev/engagement/ranking/Board.class"));
            }
            long ordered = System.nanoTime();
            Shell.Outcome outcome = installation.deploy(broken, parallelism);
            assertThat(outcome.exit()).as(outcome.output()).isEqualTo(4);
            assertThat(outcome.output())
                    .contains("dev/engagement/ranking/Board", "from the same savepoint", "ROLLED BACK");
            assertThat(installation.streamParallelism()).isEqualTo(before);
            return ordered;
        });
    }

    /**
     * Capture's slot dropped for that long, then a new one, and a backfill of what nobody captured, beside the stream;
     * recovery counts from the loss.
     *
     * @param beside what happens while the backfill runs
     */
    static Fault slotLost(Duration length, Fault... beside) {
        String name = "slot lost for " + length.toSeconds() + " s, backfilled"
                + Arrays.stream(beside).map(each -> ", " + each.name()).collect(Collectors.joining());
        return new Fault(name, false, true, installation -> {
            long lost = System.nanoTime();
            String from = Instant.now().minus(LATENESS).toString();
            installation.loseSlot();
            hold(length);
            installation.captureFromNow();
            String to = Instant.now().toString();
            CompletableFuture<Shell.Outcome> backfill = CompletableFuture.supplyAsync(() -> {
                try {
                    return installation.backfill("--from", from, "--to", to);
                } catch (Exception e) {
                    throw new CompletionException(e);
                }
            });
            for (Fault each : beside) {
                each.strike().hit(installation);
            }
            assertThat(backfill.get().orFail().output())
                    .containsPattern("Backfill done\\. inserted=[1-9][0-9]* skipped=");
            // What it left to be done is nothing.
            assertThat(installation
                            .backfill("--from", from, "--to", to)
                            .orFail()
                            .output())
                    .containsPattern("Backfill done\\. inserted=0 skipped=[1-9]");
            return lost;
        });
    }

    /** The receiver refuses for good for that long, and a redrive puts back every letter that this made. */
    static Fault refusedAndRedriven(Duration length) {
        return new Fault(
                "receiver answers 400 for " + length.toSeconds() + " s, redriven", false, true, installation -> {
                    installation.receiver().behave("{\"mode\": \"fail\", \"status\": 400}");
                    try {
                        hold(length);
                    } finally {
                        installation.receiver().behave("{\"mode\": \"ok\"}");
                    }
                    long mended = System.nanoTime();
                    assertThat(installation.deadLetters()).as("letters").isPositive();
                    // What was aside or under way may become letters after the first look.
                    await().atMost(LIMIT).until(() -> {
                        long letters = installation.deadLetters();
                        installation.redrive("--reason", "UNDELIVERABLE").orFail();
                        return installation.deadLetters() == letters;
                    });
                    installation.lettersArePutBack();
                    return mended;
                });
    }

    /** A jar that is no jar of ours, and one that was cut short by the copy: both refused, and the jobs run on. */
    static Fault wrongJar() {
        return new Fault("wrong jars submitted", false, true, installation -> {
            Set<String> before = installation.livingJobs();
            Path foreign = installation.directory().resolve("foreign.jar");
            Manifest manifest = new Manifest();
            manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
            manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, "nobody.knows.This");
            try (OutputStream out = Files.newOutputStream(foreign);
                    JarOutputStream jar = new JarOutputStream(out, manifest)) {
                jar.finish();
            }
            Path broken = installation.directory().resolve("broken.jar");
            try (var whole = Files.newInputStream(installation.jar())) {
                Files.write(broken, whole.readNBytes(1_000_000));
            }
            long submitted = System.nanoTime();
            for (Path jar : new Path[] {foreign, broken}) {
                Shell.Outcome outcome = installation.cluster().flink("run", "-d", jar.toString(), "stream");
                assertThat(outcome.exit()).as(outcome.output()).isNotZero();
            }
            assertThat(installation.livingJobs()).isEqualTo(before);
            return submitted;
        });
    }

    /** Lets that time pass. */
    static void hold(Duration time) {
        if (!time.isZero()) {
            await().pollDelay(time).atMost(time.plus(LIMIT)).until(() -> true);
        }
    }
}
