package dev.engagement.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.JobCluster;
import dev.engagement.local.BigQueryProcess;
import dev.engagement.local.DestinationCheck;
import dev.engagement.local.DestinationCheck.Comparison;
import dev.engagement.local.LoadGenerator;
import dev.engagement.local.LoadOptions;
import dev.engagement.local.RedisCheck;
import dev.engagement.local.RedisServer;
import dev.engagement.local.SelfCheck;
import dev.engagement.local.WarehouseCheck;
import dev.engagement.local.testing.SharedServers;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.exceptions.JedisException;

/**
 * A BigQuery that takes connections and answers nothing, under load, and what becomes of one job that feeds the live view
 * and the warehouse, and of two jobs that feed one each. All three run at once, each from offsets of its own.
 */
class WarehouseAwayIT {

    private static final Path DIRECTORY = Path.of("target/it/warehouse-away");
    /** A guard against hanging. */
    private static final Duration LIMIT = Duration.ofMinutes(5);

    private static final Duration POLL = Duration.ofMillis(100);
    /** What the live view's own job does while BigQuery is silent, at least. */
    private static final int CHECKPOINTS_MEANWHILE = 10;

    private static final int PROBE_ROWS_MEANWHILE = 50;
    private static final int CONTENTS = 100;
    private static final double RATE = 200;

    private static SharedServers servers;
    /** Of the job that feeds both. */
    private static RedisServer other;

    private static JobCluster cluster;
    private static LoadGenerator load;

    @BeforeAll
    static void start() throws Exception {
        RedisServer.discard(DIRECTORY.resolve("other-redis"));
        servers = SharedServers.lease(DIRECTORY);
        other = RedisServer.start(DIRECTORY.resolve("other-redis"), 0);
        cluster = JobCluster.shared(DIRECTORY, "hashmap");
        load = LoadGenerator.start(
                new LoadOptions(7, CONTENTS, RATE, 0, 0, Duration.ZERO),
                servers.postgres().connect(),
                Clock.systemUTC());
        cluster.run(
                "capture",
                "--kafka.bootstrap-servers",
                servers.kafka().bootstrapServers(),
                "--postgres.url",
                servers.postgres().jdbcUrl(),
                "--postgres.username",
                servers.postgres().username(),
                "--postgres.password.secret-file",
                servers.postgresPasswordFile(),
                "--parallelism",
                "1");
    }

    @AfterAll
    static void stop() throws Exception {
        if (load != null) {
            load.close();
        }
        if (cluster != null) {
            cluster.close();
        }
        if (other != null) {
            other.close();
        }
        servers.close();
    }

    @Test
    void silence_holds_back_one_job_without_loss_and_of_two_jobs_only_the_warehouse() throws Exception {
        silence(Duration.ZERO);
    }

    /** Beyond what any call may take. */
    @Test
    @Tag("faults")
    void so_do_two_minutes_of_silence() throws Exception {
        silence(Duration.ofMinutes(2));
    }

    /** Silence until the live view's own job has done enough meanwhile, and at least for that long. */
    private static void silence(Duration length) throws Exception {
        JobID together = stream("together", "liveview,warehouse", other, "together");
        JobID warehouse = stream("warehouse", "warehouse", servers.redis(), "apart");
        JobID liveView = stream("live-view", "liveview", servers.redis(), "none");
        await().atMost(LIMIT).pollInterval(POLL).until(() -> rows("together") > 500 && rows("apart") > 500);
        try (Probe probe = Probe.start(servers.postgres(), servers.redis())) {
            long calm = System.nanoTime();
            await().atMost(LIMIT).pollInterval(POLL).until(() -> probe.isCalmAfter(calm));

            servers.bigQuery().emulator().faults().blackHole(true);
            long gone = System.nanoTime();
            long created = load.created();
            long togetherBefore = cluster.completedCheckpoints(together);
            long liveViewBefore = cluster.completedCheckpoints(liveView);
            await().atMost(LIMIT)
                    .pollInterval(POLL)
                    .until(() -> cluster.completedCheckpoints(liveView) >= liveViewBefore + CHECKPOINTS_MEANWHILE
                            && probe.readableAfter(gone) >= PROBE_ROWS_MEANWHILE
                            && System.nanoTime() - gone >= length.toNanos());
            // Those of the end are seen as well: whoever went on at first goes on still.
            long nearTheEnd = System.nanoTime();
            await().atMost(LIMIT).pollInterval(POLL).until(() -> probe.isCalmAfter(nearTheEnd));
            long togetherAfter = cluster.completedCheckpoints(together);
            say(
                    "BigQuery silent for %.0f s and %d events: the live view's own job completed %d checkpoints, its slowest"
                            + " of ten rows a second was readable after %.2f s; the job that feeds both completed %d",
                    seconds(Duration.ofNanos(System.nanoTime() - gone)),
                    load.created() - created,
                    cluster.completedCheckpoints(liveView) - liveViewBefore,
                    seconds(probe.recovery(gone, gone).worst()),
                    togetherAfter - togetherBefore);
            // Otherwise nothing would have been shown: one may have been on its way.
            assertThat(togetherAfter - togetherBefore).isLessThanOrEqualTo(1);

            servers.bigQuery().emulator().faults().blackHole(false);
            long back = System.nanoTime();
            long due = load.created();
            await().atMost(LIMIT).pollInterval(POLL).until(() -> rows("together") >= due && rows("apart") >= due);
            say(
                    "back: %d rows that came up to then were visible in both tables %.1f s later",
                    due, seconds(Duration.ofNanos(System.nanoTime() - back)));
        }
        load.close();
        assertThat((Throwable) load.failure()).isNull();

        awaitEqual(warehouse("together"));
        awaitEqual(warehouse("apart"));
        awaitEqual(new RedisCheck(servers.postgres(), other, load::versions));
        awaitEqual(new RedisCheck(servers.postgres(), servers.redis(), load::versions));
        for (JobID job : List.of(together, warehouse, liveView)) {
            assertThat(cluster.status(job)).isEqualTo(JobStatus.RUNNING);
            assertThat(cluster.restarts(job)).isZero();
        }
    }

    private static JobID stream(String name, String destinations, RedisServer redis, String table) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(
                "stream",
                "--job.name",
                name,
                "--kafka.group-id",
                name,
                "--destinations",
                destinations,
                "--kafka.bootstrap-servers",
                servers.kafka().bootstrapServers(),
                "--redis.url",
                redis.url(),
                "--warehouse.table",
                table));
        arguments.addAll(servers.bigQuery().streamArguments());
        return cluster.run(arguments.toArray(String[]::new));
    }

    /** The warehouse that is that table. */
    private static WarehouseCheck warehouse(String table) {
        return new WarehouseCheck(
                servers.postgres(),
                sql -> servers.bigQuery()
                        .query(
                                BigQueryProcess.PROJECT,
                                sql.replace("analytics.engagement_events", "analytics." + table)),
                load::versions);
    }

    /** Visible rows, 0 while there is no table. */
    private static long rows(String table) throws Exception {
        try {
            return warehouse(table).arrived();
        } catch (IllegalStateException notYet) {
            return 0;
        }
    }

    private static void awaitEqual(DestinationCheck check) throws Exception {
        try {
            await().atMost(LIMIT).pollInterval(POLL).until(() -> {
                try {
                    List<Comparison> found = check.compare();
                    return !found.isEmpty() && SelfCheck.isPassed(found);
                } catch (JedisException | IllegalStateException notYet) {
                    return false;
                }
            });
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(
                    check.destination() + " is not what SQL computes:\n"
                            + String.join("\n", SelfCheck.table("source (SQL)", check.destination(), check.compare())),
                    e);
        }
    }

    private static double seconds(Duration duration) {
        return TimeUnit.NANOSECONDS.toMillis(duration.toNanos()) / 1e3;
    }

    private static void say(String line, Object... values) {
        System.out.println("  " + String.format(Locale.ROOT, line, values));
    }
}
