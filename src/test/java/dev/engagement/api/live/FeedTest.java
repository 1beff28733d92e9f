package dev.engagement.api.live;

import static dev.engagement.api.live.Samples.board;
import static dev.engagement.api.live.Samples.update;
import static dev.engagement.api.live.Samples.window;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class FeedTest {

    private static final LiveFilter CLICKS = new LiveFilter(Set.of("click"));

    private final ManualClock clock = new ManualClock(Instant.ofEpochMilli(Samples.START));
    private final AtomicLong nanos = new AtomicLong();
    private final Feed feed = feed(256, 16);

    private Feed feed(int maxPending, int recent) {
        return new Feed("feed", Samples.options(maxPending, recent), clock, nanos::get);
    }

    @Test
    void who_comes_gets_a_snapshot_and_then_each_change() {
        feed.connected(List.of(update("click", 1, 5)));
        feed.show(board("events", "1"));
        RecordingSink sink = RecordingSink.reading();

        feed.join(LiveFilter.ALL, null, sink);
        feed.show(update("play", 1, 7));
        feed.show(board("events", "2"));

        assertThat(sink.sent()).extracting(LiveMessage::event).containsExactly("snapshot", "metric", "leaderboard");
        assertThat(sink.sent().get(0).json())
                .isEqualTo("{\"as_of\":\"2026-01-08T14:21:30Z\",\"stale\":false,\"why\":null,\"updated_at\":null,"
                        + "\"metrics\":[" + window("click", 1, 5) + "],\"leaderboards\":[{\"by\":\"events\",\"places\":"
                        + "[1]}]}");
        assertThat(sink.sent().get(1).json()).isEqualTo(window("play", 1, 7));
        assertThat(sink.sent()).extracting(LiveMessage::id).doesNotHaveDuplicates();
    }

    @Test
    void a_board_that_has_not_changed_is_no_message() {
        feed.show(board("events", "1"));
        RecordingSink sink = RecordingSink.reading();
        feed.join(LiveFilter.ALL, null, sink);

        feed.show(board("events", "1"));

        assertThat(sink.sent("leaderboard")).isEmpty();
    }

    @Test
    void a_filter_holds_back_windows_of_other_types_and_of_none_but_no_board() {
        feed.connected(List.of(update("click", 1, 5), update("play", 1, 5)));
        RecordingSink sink = RecordingSink.reading();
        feed.join(CLICKS, null, sink);
        WindowUpdate hourly = WindowUpdate.parse("{\"window_start\":1,\"window_end\":2,\"count\":1,"
                + "\"content_type\":\"video\",\"device\":\"web\",\"rollup\":\"hourly\"}");
        assertThat(hourly).isNotNull();

        feed.show(update("play", 2, 1));
        feed.show(hourly);
        feed.show(update("click", 2, 1));
        feed.show(board("events", "1"));

        assertThat(sink.sent("snapshot")).hasSize(1).allSatisfy(json -> assertThat(json)
                .contains("\"event_type\":\"click\"")
                .doesNotContain("\"event_type\":\"play\""));
        assertThat(sink.sent("metric")).containsExactly(window("click", 2, 1));
        assertThat(sink.sent("leaderboard")).hasSize(1);
    }

    @Test
    void who_comes_back_gets_what_it_has_missed() {
        feed.connected(List.of());
        RecordingSink first = RecordingSink.reading();
        Outbox before = feed.join(LiveFilter.ALL, null, first);
        feed.show(update("click", 1, 1));
        before.close();
        feed.show(update("click", 2, 1));
        feed.show(update("click", 2, 2));
        feed.show(update("play", 2, 1));

        RecordingSink second = RecordingSink.reading();
        feed.join(LiveFilter.ALL, first.last().id(), second);

        assertThat(first.sent()).hasSize(2);
        assertThat(second.sent("snapshot")).isEmpty();
        // All that waited waited at once: of each window the newest.
        assertThat(second.sent("metric")).containsExactly(window("click", 2, 2), window("play", 2, 1));
        assertThat(second.sent("heartbeat")).hasSize(1);
    }

    @Test
    void an_id_that_is_too_old_or_of_another_feed_or_invented_is_answered_with_a_snapshot() {
        feed.connected(List.of());
        String old = "feed-1";
        for (int i = 0; i < 17; i++) {
            feed.show(update("click", i, 1));
        }

        for (String id : List.of(old, "other-3", "feed-99", "feed--1", "feed-", "feed-9223372036854775808", "x", "")) {
            RecordingSink sink = RecordingSink.reading();
            feed.join(LiveFilter.ALL, id, sink);
            assertThat(sink.sent()).as(id).extracting(LiveMessage::event).containsExactly("snapshot");
        }
    }

    @Test
    void the_oldest_id_that_is_remembered_is_enough() {
        feed.connected(List.of());
        for (int i = 0; i < 17; i++) {
            feed.show(update("click", i, 1));
        }
        RecordingSink sink = RecordingSink.reading();

        feed.join(LiveFilter.ALL, "feed-2", sink);

        assertThat(sink.sent("snapshot")).isEmpty();
        assertThat(sink.sent("metric")).hasSize(16);
    }

    @Test
    void redis_away_is_told_at_once_and_a_snapshot_follows_when_it_is_back() {
        feed.connected(List.of(update("click", 1, 5)));
        RecordingSink sink = RecordingSink.reading();
        feed.join(LiveFilter.ALL, null, sink);
        String id = sink.last().id();

        feed.away("Redis does not answer");
        feed.away("Redis does not answer");

        assertThat(feed.isStale()).isTrue();
        assertThat(sink.sent("heartbeat"))
                .containsExactly("{\"as_of\":\"2026-01-08T14:21:30Z\",\"stale\":true,\"why\":\"Redis does not answer\","
                        + "\"updated_at\":null}");

        feed.connected(List.of(update("click", 2, 9)));

        assertThat(feed.isStale()).isFalse();
        assertThat(sink.last().event()).isEqualTo("snapshot");
        assertThat(sink.last().json()).contains(window("click", 2, 9)).doesNotContain(window("click", 1, 5));
        assertThat(sink.last().json()).contains("\"stale\":false");

        // An id from before says nothing of what was missed.
        RecordingSink late = RecordingSink.reading();
        feed.join(LiveFilter.ALL, id, late);
        assertThat(late.sent()).extracting(LiveMessage::event).containsExactly("snapshot");
    }

    @Test
    void a_board_that_cannot_be_read_is_stale_too() {
        feed.connected(List.of());
        RecordingSink sink = RecordingSink.reading();
        feed.join(LiveFilter.ALL, null, sink);

        feed.boardsAway("The leaderboard by \"events\" is old");
        feed.boardsAway("The leaderboard by \"events\" is old");
        feed.boardsAway(null);
        feed.boardsAway(null);

        assertThat(sink.sent("heartbeat")).hasSize(2);
        assertThat(sink.sent("heartbeat").get(0))
                .contains("\"stale\":true,\"why\":\"The leaderboard by \\\"events\\\" is old\"");
        assertThat(sink.sent("heartbeat").get(1)).contains("\"stale\":false,\"why\":null");
    }

    @Test
    void a_heartbeat_says_the_time_and_when_the_last_window_came() {
        feed.connected(List.of());
        RecordingSink sink = RecordingSink.reading();
        feed.join(LiveFilter.ALL, null, sink);
        feed.show(update("click", 1, 1));
        String id = sink.last().id();
        clock.pass(Duration.ofSeconds(10));

        feed.beat();

        assertThat(sink.last().json())
                .isEqualTo("{\"as_of\":\"2026-01-08T14:21:40Z\",\"stale\":false,\"why\":null,"
                        + "\"updated_at\":\"2026-01-08T14:21:30Z\"}");
        assertThat(sink.last().id()).isEqualTo(id);
    }

    @Test
    void of_a_slow_client_nothing_waits_but_the_newest_of_each_window() {
        feed.connected(List.of());
        RecordingSink sink = RecordingSink.slow();
        Outbox client = feed.join(LiveFilter.ALL, null, sink);

        for (int count = 1; count <= 1_000; count++) {
            feed.show(update("click", count % 3, count));
            feed.beat();
        }

        assertThat(sink.sent()).hasSize(1);
        assertThat(client.pending()).isEqualTo(3);
        while (sink.hasUnread()) {
            sink.read();
        }
        assertThat(sink.sent("heartbeat")).hasSize(1);
        assertThat(sink.sent("metric"))
                .containsExactly(window("click", 1, 1_000), window("click", 2, 998), window("click", 0, 999));
    }

    @Test
    void a_client_that_goes_away_while_it_is_behind_goes_on_without_a_gap() {
        feed.connected(List.of());
        RecordingSink sink = RecordingSink.slow();
        feed.join(LiveFilter.ALL, null, sink);
        sink.read();
        feed.show(update("click", 1, 1));
        feed.show(update("click", 2, 1));
        feed.show(update("play", 1, 1));
        feed.show(update("click", 2, 2));
        sink.read();
        // That of click 2 stands before that of play, whose number is lower.
        assertThat(sink.last().json()).isEqualTo(window("click", 2, 2));
        String id = sink.last().id();
        sink.breakOff();

        RecordingSink next = RecordingSink.reading();
        feed.join(LiveFilter.ALL, id, next);

        assertThat(next.sent("metric")).contains(window("play", 1, 1));
    }

    @Test
    void a_client_of_which_too_much_waits_gets_a_snapshot_instead() {
        Feed small = feed(2, 16);
        small.connected(List.of());
        RecordingSink sink = RecordingSink.slow();
        Outbox client = small.join(LiveFilter.ALL, null, sink);
        for (int i = 0; i < 5; i++) {
            small.show(update("click", i, 1));
        }
        assertThat(client.pending()).isZero();

        while (sink.hasUnread()) {
            sink.read();
        }

        assertThat(sink.sent()).extracting(LiveMessage::event).containsExactly("snapshot", "snapshot");
        assertThat(sink.last().json()).contains(window("click", 4, 1));
    }

    @Test
    void a_client_that_reads_nothing_is_sent_away_and_no_other() {
        RecordingSink stuck = RecordingSink.slow();
        RecordingSink well = RecordingSink.reading();
        feed.join(LiveFilter.ALL, null, stuck);
        feed.join(LiveFilter.ALL, null, well);
        nanos.addAndGet(Duration.ofSeconds(59).toNanos());
        feed.endStuck(Duration.ofMinutes(1));
        assertThat(stuck.closed()).isNull();

        nanos.addAndGet(Duration.ofSeconds(1).toNanos());
        feed.endStuck(Duration.ofMinutes(1));

        assertThat(stuck.closed()).isEqualTo("Nothing was read for 60 s");
        assertThat(well.closed()).isNull();
        assertThat(feed.clients()).isOne();
    }

    @Test
    void a_clock_that_is_set_sends_nobody_away_and_keeps_nobody() {
        RecordingSink sink = RecordingSink.slow();
        feed.join(LiveFilter.ALL, null, sink);

        clock.pass(Duration.ofDays(1));
        feed.endStuck(Duration.ofMinutes(1));
        assertThat(sink.closed()).isNull();

        clock.pass(Duration.ofDays(-2));
        nanos.addAndGet(Duration.ofMinutes(1).toNanos());
        feed.endStuck(Duration.ofMinutes(1));
        assertThat(sink.closed()).isNotNull();
    }

    @Test
    void a_client_that_cannot_be_reached_is_forgotten() {
        RecordingSink sink = RecordingSink.slow();
        feed.join(LiveFilter.ALL, null, sink);

        sink.breakOff();

        assertThat(feed.clients()).isZero();
        assertThat(sink.closed()).isNotNull();
        feed.beat();
        assertThat(sink.sent()).hasSize(1);
    }

    @Test
    void more_clients_than_there_may_be_are_refused() {
        Feed one = new Feed(
                "feed",
                Samples.options("redis://127.0.0.1:1", "", 1, 256, 16, Duration.ofSeconds(5)),
                clock,
                nanos::get);
        one.join(LiveFilter.ALL, null, RecordingSink.reading());
        RecordingSink sink = RecordingSink.reading();

        one.join(LiveFilter.ALL, null, sink);

        assertThat(sink.closed()).isNotNull();
        assertThat(sink.sent()).isEmpty();
        assertThat(one.clients()).isOne();
    }

    @Test
    void the_end_is_told_to_all() {
        RecordingSink sink = RecordingSink.reading();
        feed.join(LiveFilter.ALL, null, sink);

        feed.close();

        assertThat(sink.closed()).isNotNull();
        assertThat(feed.clients()).isZero();
        RecordingSink late = RecordingSink.reading();
        feed.join(LiveFilter.ALL, null, late);
        assertThat(late.closed()).isNotNull();
    }

    @Test
    void a_snapshot_shows_the_newest_windows_and_none_that_redis_has_forgotten() {
        feed.connected(List.of());
        for (int i = 0; i < 25; i++) {
            feed.show(update("click", i, 1));
        }
        assertThat(feed.snapshot(LiveFilter.ALL).message().json())
                .contains(window("click", 24, 1))
                .contains(window("click", 15, 1))
                .doesNotContain(window("click", 14, 1));

        clock.pass(Duration.ofHours(1).plusSeconds(30 + 240));
        feed.show(board("events", "1"));

        assertThat(feed.snapshot(LiveFilter.ALL).message().json()).contains("\"metrics\":[]");
    }
}
