package dev.engagement.api.live;

import static dev.engagement.api.live.Samples.window;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.api.read.UnavailableException;
import dev.engagement.connection.Pause;
import dev.engagement.local.RedisServer;
import dev.engagement.local.testing.SharedServers;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** The hub on a real Redis. */
class LiveHubIT {

    private static final Path DIRECTORY = Path.of("target/it/live-hub");
    private static final String CHANNEL = "p:metrics_updates";

    /** A server that is well but slow is not given up. */
    private static final Duration TIMEOUT = Duration.ofMinutes(1);

    /** At the start of the windows. */
    private final Clock clock = new ManualClock(Instant.ofEpochMilli(Samples.START));

    private final ScriptedBoards boards = new ScriptedBoards();
    private SharedServers servers;
    private RedisServer redis;

    @BeforeEach
    void lease() throws IOException {
        servers = SharedServers.lease(DIRECTORY);
        redis = servers.redis();
    }

    @AfterEach
    void giveBack() {
        servers.close();
    }

    private LiveHub open(RedisServer server) {
        return LiveHub.open(
                Samples.options(server.url(), "p:", 2_000, 256, 1_024, TIMEOUT), boards, clock, Pause.real());
    }

    @Test
    void what_is_published_is_told_to_those_who_want_it() {
        try (Jedis jedis = redis.connect();
                LiveHub hub = open(redis)) {
            await().until(() -> !hub.isStale());
            RecordingSink sink = RecordingSink.reading();

            hub.join(LiveFilter.ofTypes("click"), null, sink);
            jedis.publish(CHANNEL, window("play", 2, 1));
            jedis.publish(CHANNEL, "no window");
            jedis.publish(
                    CHANNEL, "{\"window_start\":1,\"window_end\":2,\"content_id\":\"c\",\"rollup\":\"audience\"}");
            jedis.publish(CHANNEL, window("click", 2, 7));

            await().untilAsserted(() -> assertThat(sink.sent("metric")).containsExactly(window("click", 2, 7)));
            assertThat(sink.sent().get(0).event()).isEqualTo("snapshot");
            assertThat(hub.leftOut()).isEqualTo(2);
        }
    }

    @Test
    void windows_that_redis_shows_are_read_when_it_is_found() {
        try (Jedis jedis = redis.connect()) {
            for (int i = 0; i < 20; i++) {
                jedis.zadd("p:metric:click:30s", Samples.START + i * 10_000 + 30_000, window("click", i, i));
            }
            try (LiveHub hub = open(redis)) {
                RecordingSink sink = RecordingSink.reading();
                hub.join(LiveFilter.ALL, null, sink);

                await().untilAsserted(() -> assertThat(sink.sent("snapshot")).anySatisfy(json -> assertThat(json)
                        .contains(window("click", 19, 19))
                        .contains(window("click", 10, 10))
                        .doesNotContain(window("click", 9, 9))
                        .contains("\"stale\":false")));
            }
        }
    }

    @Test
    void leaderboards_are_looked_at_for_all_and_told_when_they_change() {
        boards.show("events", "1");
        try (LiveHub hub = open(redis)) {
            RecordingSink one = RecordingSink.reading();
            RecordingSink two = RecordingSink.reading();
            hub.join(LiveFilter.ALL, null, one);
            hub.join(LiveFilter.ofTypes("play"), null, two);
            boards.show("events", "2");

            for (RecordingSink sink : List.of(one, two)) {
                await().untilAsserted(() ->
                        assertThat(sink.sent("leaderboard")).contains("{\"by\":\"events\",\"places\":[2]}"));
            }
        }
    }

    @Test
    void a_board_that_cannot_be_read_is_told_and_its_return_too() {
        try (LiveHub hub = open(redis)) {
            RecordingSink sink = RecordingSink.reading();
            hub.join(LiveFilter.ALL, null, sink);
            await().until(() -> !hub.isStale());

            boards.fail(true);
            await().untilAsserted(() -> assertThat(sink.sent("heartbeat"))
                    .anySatisfy(
                            json -> assertThat(json).contains("\"stale\":true").contains("PostgreSQL")));
            boards.fail(false);

            await().until(() -> !hub.isStale());
        }
    }

    @Test
    void redis_away_is_told_and_a_snapshot_follows_its_return() {
        RedisServer own = RedisServer.start(Path.of("target/it/live-hub-redis"), 0);
        try (LiveHub hub = open(own)) {
            RecordingSink sink = RecordingSink.reading();
            hub.join(LiveFilter.ALL, null, sink);
            await().until(() -> !hub.isStale());

            own.kill();
            await().untilAsserted(() -> assertThat(sink.sent("heartbeat"))
                    .anySatisfy(
                            json -> assertThat(json).contains("\"stale\":true").contains("Redis does not answer")));
            int before = sink.sent("snapshot").size();
            String id = sink.last().id();
            own.restart();

            await().until(() -> !hub.isStale());
            await().until(() -> sink.sent("snapshot").size() > before);
            RecordingSink late = RecordingSink.reading();
            hub.join(LiveFilter.ALL, id, late);
            assertThat(late.sent().get(0).event()).isEqualTo("snapshot");
            try (Jedis jedis = own.connect()) {
                jedis.publish(CHANNEL, window("click", 2, 7));
            }
            await().untilAsserted(() -> assertThat(sink.sent("metric")).contains(window("click", 2, 7)));
        } finally {
            own.close();
        }
    }

    @Test
    void a_redis_that_says_nothing_any_more_is_away() {
        RedisServer own = RedisServer.start(Path.of("target/it/live-hub-redis"), 0);
        LiveOptions options = Samples.options(own.url(), "p:", 2_000, 256, 1_024, Duration.ofMillis(500));
        try (LiveHub hub = LiveHub.open(options, boards, clock, Pause.real())) {
            await().until(() -> !hub.isStale());

            own.freeze();
            await().until(hub::isStale);
            own.thaw();

            await().until(() -> !hub.isStale());
        } finally {
            own.close();
        }
    }

    @Test
    void clients_come_before_redis_does() {
        RedisServer own = RedisServer.start(Path.of("target/it/live-hub-redis"), 0);
        own.stop();
        try (LiveHub hub = open(own)) {
            RecordingSink sink = RecordingSink.reading();
            hub.join(LiveFilter.ALL, null, sink);
            assertThat(sink.sent("snapshot")).hasSize(1);
            assertThat(sink.last().json()).contains("\"stale\":true");

            own.restart();

            await().until(() -> sink.sent("snapshot").size() >= 2);
            assertThat(sink.sent("snapshot").get(1)).contains("\"stale\":false");
        } finally {
            own.close();
        }
    }

    @Test
    void a_thousand_clients_of_which_some_do_not_read_cost_no_thread_and_wait_for_nobody() {
        try (Jedis jedis = redis.connect();
                LiveHub hub = open(redis)) {
            await().until(() -> !hub.isStale());
            List<RecordingSink> readers = new ArrayList<>();
            List<RecordingSink> stuck = new ArrayList<>();
            for (int i = 0; i < 1_000; i++) {
                RecordingSink sink = i % 10 == 0 ? RecordingSink.slow() : RecordingSink.reading();
                (i % 10 == 0 ? stuck : readers).add(sink);
                hub.join(LiveFilter.ALL, null, sink);
            }

            IntStream.rangeClosed(1, 100).forEach(count -> jedis.publish(CHANNEL, window("click", count % 3, count)));

            for (RecordingSink sink : readers) {
                await().until(() -> sink.sent("metric").size() == 100);
            }
            assertThat(stuck).allSatisfy(sink -> assertThat(sink.sent()).hasSize(1));
            // Those of the hub before may be about to end.
            await().untilAsserted(() -> assertThat(Thread.getAllStackTraces().keySet())
                    .filteredOn(thread -> thread.getName().startsWith("live-"))
                    .hasSizeLessThanOrEqualTo(3));
            for (RecordingSink sink : stuck) {
                while (sink.hasUnread()) {
                    sink.read();
                }
                assertThat(sink.sent("metric")).hasSize(3).contains(window("click", 1, 100));
            }
        }
    }

    @Test
    void the_end_is_told_to_all() {
        RecordingSink sink = RecordingSink.reading();
        try (LiveHub hub = open(redis)) {
            hub.join(LiveFilter.ALL, null, sink);
        }

        assertThat(sink.closed()).isNotNull();
    }

    /** Boards as they are told to be; empty at first. Thread-safe. */
    private static final class ScriptedBoards implements Boards {

        private final Map<String, String> places = new ConcurrentHashMap<>();
        private volatile boolean fails;

        void show(String by, String place) {
            places.put(by, place);
        }

        void fail(boolean now) {
            fails = now;
        }

        @Override
        public Board board(String by) throws UnavailableException {
            if (fails) {
                throw new UnavailableException("PostgreSQL", Duration.ofSeconds(1));
            }
            return Samples.board(by, places.getOrDefault(by, ""));
        }
    }
}
