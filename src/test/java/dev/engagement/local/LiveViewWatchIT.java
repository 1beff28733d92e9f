package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.local.LiveViewWatch.Due;
import dev.engagement.local.LiveViewWatch.Outage;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.Jedis;

/** The watch sees what no reader may see, and is content with everything else. */
class LiveViewWatchIT {

    private static final Path DIRECTORY = Path.of("target/it/live-view-watch");
    private static final String BOARD = "stage:top:content:10m";
    /** Far ahead, so that nothing expires meanwhile. */
    private static final Instant END = Instant.now().plus(1, ChronoUnit.HOURS).truncatedTo(ChronoUnit.SECONDS);

    private static final Due ALWAYS = (board, end) -> true;

    private RedisServer redis;
    private LiveViewWatch watch;

    @BeforeEach
    void start() {
        RedisServer.discard(DIRECTORY);
        redis = RedisServer.startDurable(DIRECTORY, 0);
        watch = watch(ALWAYS);
        count("a", 5);
        count("b", 7);
        show(END, Map.of("a", 2.0, "b", 3.0));
        watchOn();
    }

    @AfterEach
    void stop() {
        watch.close();
        redis.close();
    }

    private LiveViewWatch watch(Due due) {
        return LiveViewWatch.start(redis, "stage:", () -> List.of("a", "b", "never"), due);
    }

    private void watchAnewWith(Due due) {
        watch.close();
        watch = watch(due);
        watchOn();
    }

    /** Until a round has begun and ended. */
    private void watchOn() {
        long before = watch.reads();
        await().until(() -> watch.reads() >= before + 2);
    }

    private void count(String id, long count) {
        try (Jedis jedis = redis.connect()) {
            jedis.set("stage:content:count:" + id, Long.toString(count));
        }
    }

    private void show(Instant end, Map<String, Double> scores) {
        try (Jedis jedis = redis.connect();
                AbstractTransaction all = jedis.multi()) {
            all.set("stage:version:{" + BOARD + "}", Long.toString(end.toEpochMilli()));
            all.del(BOARD);
            if (!scores.isEmpty()) {
                all.zadd(BOARD, scores);
                all.pexpireAt(BOARD, end.plusSeconds(120).toEpochMilli());
            }
            all.exec();
        }
    }

    @Test
    void risingCountsAndLeaderboardsThatMoveOnAreRight() {
        count("a", 6);
        count("never", 1);
        show(END.plusSeconds(1), Map.of("b", 1.0));
        watchOn();
        watch.stop();
        assertThat(watch.violations()).isEmpty();
        assertThat(watch.outages()).isEmpty();
        try (Jedis jedis = redis.connect()) {
            assertThat(jedis.keys("live-view-watch:*")).isEmpty();
        }
    }

    @Test
    void aCountThatGoesDownOrAwayIsSeen() {
        count("a", 4);
        watchOn();
        count("a", 5);
        watchOn();
        try (Jedis jedis = redis.connect()) {
            jedis.del("stage:content:count:b");
        }
        watchOn();
        assertThat(violations())
                .containsExactly("content:count:a: went down from 5 to 4", "content:count:b: was 7 and is gone");
    }

    @Test
    void aLeaderboardThatGoesBackInTimeIsSeenOnce() {
        show(END.minusSeconds(1), Map.of("a", 2.0));
        watchOn();
        watchOn();
        show(END.plusSeconds(1), Map.of("a", 2.0));
        watchOn();
        assertThat(violations())
                .containsExactly("top:content:10m: went back from " + END + " to " + END.minusSeconds(1));
    }

    @Test
    void aHalfLeaderboardIsSeen() {
        show(END, Map.of("a", 2.0));
        watchOn();
        assertThat(violations())
                .singleElement()
                .asString()
                .contains("changed while its slide end stood still at " + END);
    }

    @Test
    void aLeaderboardWithoutASlideEndIsSeen() {
        try (Jedis jedis = redis.connect()) {
            jedis.set("stage:version:{" + BOARD + "}", "soon");
        }
        watchOn();
        assertThat(violations()).containsExactly("top:content:10m: stands without a slide end; beside it stands soon");
    }

    @Test
    void aLeaderboardThatIsGoneIsSeenIfItsWindowHasEvents() {
        show(END.plusSeconds(1), Map.of());
        watchOn();
        show(END.plusSeconds(2), Map.of("a", 1.0));
        watchOn();
        try (Jedis jedis = redis.connect()) {
            jedis.del(BOARD, "stage:version:{" + BOARD + "}");
        }
        watchOn();
        assertThat(violations())
                .containsExactly(
                        "top:content:10m: is gone, though the ten minutes before " + END.plusSeconds(1)
                                + " have events",
                        "top:content:10m: is gone, though the ten minutes before " + END.plusSeconds(2)
                                + " have events");
    }

    @Test
    void aLeaderboardThatIsGoneIsRightIfItsWindowHasNone() {
        watchAnewWith((board, end) -> false);
        show(END.plusSeconds(1), Map.of());
        watchOn();
        show(END.plusSeconds(2), Map.of("a", 1.0));
        watchOn();
        assertThat(violations()).isEmpty();
    }

    @Test
    void aLeaderboardThatHasExpiredIsRight() {
        watchAnewWith(ALWAYS);
        watch.close();
        try (Jedis jedis = redis.connect()) {
            jedis.flushAll();
        }
        watch = watch(ALWAYS);
        Instant old = Instant.now().minusSeconds(119).truncatedTo(ChronoUnit.SECONDS);
        show(old, Map.of("a", 1.0));
        watchOn();
        await().until(() -> {
            try (Jedis jedis = redis.connect()) {
                return !jedis.exists(BOARD);
            }
        });
        watchOn();
        assertThat(violations()).isEmpty();
    }

    @Test
    void whatCannotBeJudgedIsSaid() {
        watchAnewWith((board, end) -> {
            throw new SQLException("down");
        });
        show(END.plusSeconds(1), Map.of());
        watchOn();
        assertThat(violations()).first().asString().contains("cannot be told: java.sql.SQLException: down");
    }

    @Test
    void anOutageIsNotedAndWhatIsReadAfterItIsComparedWithWhatWasBefore() {
        redis.kill();
        await().until(() -> !watch.outages().isEmpty());
        assertThat(watch.outages()).singleElement().extracting(Outage::to).isNull();
        redis.restart();
        watchOn();
        assertThat(watch.outages())
                .singleElement()
                .matches(outage -> outage.to() != null && outage.to().isAfter(outage.from()) && !outage.emptied());
        assertThat(violations()).isEmpty();
        count("a", 4);
        watchOn();
        assertThat(violations()).containsExactly("content:count:a: went down from 5 to 4");
    }

    @Test
    void afterALossEverythingMayBeginAnew() {
        try (Jedis jedis = redis.connect()) {
            jedis.flushAll();
        }
        watchOn();
        count("a", 1);
        show(END.minusSeconds(9), Map.of("a", 1.0));
        watchOn();
        assertThat(watch.outages()).singleElement().matches(Outage::emptied);
        assertThat(violations()).isEmpty();
        count("a", 0);
        watchOn();
        assertThat(violations()).containsExactly("content:count:a: went down from 1 to 0");
    }

    private List<String> violations() {
        return watch.violations().stream()
                .map(each -> each.key() + ": " + each.what())
                .toList();
    }
}
