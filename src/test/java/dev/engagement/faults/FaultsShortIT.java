package dev.engagement.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Each process killed once, and the common faults beside, one after the other on one installation under load: after each
 * of them every destination equals SQL. A killed Redis comes back empty. A fault lasts no longer than it takes to be
 * noticed; what only lasts is {@link FaultsAtLengthLongIT}. How soon all is right again is printed.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class FaultsShortIT {

    private static final long SEED = 1;
    /** Enough to be under way at every moment, and little enough to be compared often. */
    private static final double RATE = 300;

    /** Beyond the ten seconds after which a post that is not answered is given up. */
    private static final Duration BEYOND_A_POST = Duration.ofSeconds(12);

    private static FaultRun run;

    @BeforeAll
    static void start() throws Exception {
        run = FaultRun.start(
                "short faults",
                Path.of("target/it/faults-short"),
                FaultOptions.fromSystemProperties(() -> SEED, RATE),
                System.out);
    }

    @AfterAll
    static void stop() throws Exception {
        if (run != null) {
            run.close();
        }
    }

    @ParameterizedTest
    @EnumSource(value = Role.class, names = "TASK_MANAGER_2", mode = EnumSource.Mode.EXCLUDE)
    @Order(1)
    void a_killed_process_loses_and_doubles_nothing(Role role) throws Exception {
        strikeAndCompare(Faults.kill(role));
    }

    @Test
    @Order(2)
    void an_emptied_redis_and_one_that_comes_back_with_its_file_show_everything_again() throws Exception {
        run.strike(Faults.emptyRedis());
        strikeAndCompare(Faults.killDurableRedis());
    }

    @Test
    @Order(3)
    void a_terminated_walsender_loses_and_doubles_nothing() throws Exception {
        strikeAndCompare(Faults.terminateWalsender());
    }

    @Test
    @Order(4)
    void a_task_manager_frozen_beyond_the_heartbeat_loses_and_doubles_nothing() throws Exception {
        strikeAndCompare(Faults.freezeBeyondTheHeartbeat(Role.TASK_MANAGER_2));
    }

    @Test
    @Order(5)
    void a_savepoint_restored_at_another_parallelism_loses_and_doubles_nothing() throws Exception {
        strikeAndCompare(Faults.rescale(4));
    }

    @Test
    @Order(6)
    void a_warehouse_that_freezes_loses_replies_or_vanishes_loses_and_doubles_nothing() throws Exception {
        run.strike(Faults.freeze(Role.BIGQUERY, Duration.ofSeconds(4)));
        run.strike(Faults.lostReplies());
        strikeAndCompare(Faults.halfOpen(Role.BIGQUERY, Duration.ofSeconds(4)));
    }

    @Test
    @Order(7)
    void a_receiver_that_hangs_or_answers_500_holds_up_nobody_and_gets_everything() throws Exception {
        run.strike(Faults.receiverHangsAlone(BEYOND_A_POST));
        strikeAndCompare(Faults.receiverAnswers(500, Duration.ofSeconds(4)));
    }

    @Test
    @Order(8)
    void a_rollups_database_that_is_away_or_may_only_be_read_holds_up_nobody_and_gets_everything() throws Exception {
        run.strike(Faults.rollupsGoneAlone(Duration.ofSeconds(4)));
        strikeAndCompare(Faults.rollupsReadOnly(Duration.ofSeconds(4)));
    }

    private static void strikeAndCompare(Fault fault) throws Exception {
        run.strike(fault);
        run.compare();
        assertThat(run.table()).last().asString().contains(fault.name());
    }
}
