package dev.engagement.ranking;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.Samples;
import dev.engagement.event.Standings;
import dev.engagement.event.Standings.Place;
import dev.engagement.event.types.EventShards;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Through the whole stage, which says what a subtask emits. Windows of ten minutes that move by a second. */
class StandingsOperatorTest {

    private static final long T = 1_700_000_000_000L;

    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : opened) {
            one.close();
        }
    }

    @Test
    void a_board_for_each_slide_end_that_the_watermark_passes_even_if_it_is_empty() throws Exception {
        RankingStage stage = started(2, T + 3_000);
        assertThat(ends(stage.watermark(T - 1))).containsExactly(T);
        stage.event(Events.at(T + 1_500, "a", 7));

        List<Standings> boards = stage.watermark(T + 2_998);

        assertThat(boards)
                .containsExactly(
                        new Standings(T + 1_000, List.of(), List.of()),
                        new Standings(T + 2_000, List.of(new Place("a", 1)), List.of(new Place("a", 7))));
        assertThat(ends(stage.watermark(T + 2_999))).containsExactly(T + 3_000);
        assertThat(stage.watermark(T + 3_000)).isEmpty();
    }

    @Test
    void the_lag_of_event_time_is_known_before_the_first_watermark_and_after_it() throws Exception {
        RankingStage stage = started(1, T);
        long begin = stage.watermarkLagMillis();
        stage.wallClock(T + 7_000);
        assertThat(stage.watermarkLagMillis()).isEqualTo(begin + 7_000);

        stage.watermark(T + 4_000);
        assertThat(stage.watermarkLagMillis()).isEqualTo(3_000);
        stage.wallClock(T + 8_000);
        assertThat(stage.watermarkLagMillis()).isEqualTo(4_000);
        stage.watermark(Long.MAX_VALUE);
        assertThat(stage.watermarkLagMillis()).isZero();
    }

    @Test
    void the_first_watermark_leads_to_one_board() throws Exception {
        RankingStage stage = started(1, T + 20_000);
        stage.event(Events.at(T, "a", 7));

        assertThat(ends(stage.watermark(T + 20_500))).containsExactly(T + 20_000);
    }

    @Test
    void boards_of_more_than_a_minute_ago_are_passed_over() throws Exception {
        RankingStage stage = started(2, T);
        stage.watermark(T - 1);
        stage.wallClock(T + 100_000);
        stage.event(Events.at(T + 500, "a", 7));

        List<Standings> boards = stage.watermark(T + 42_000);

        assertThat(ends(boards)).containsExactly(T + 40_000, T + 41_000, T + 42_000);
        assertThat(boards).allSatisfy(board -> assertThat(board.byEvents()).containsExactly(new Place("a", 1)));
    }

    @Test
    void boards_ahead_of_the_wall_clock_by_more_than_the_skew_are_passed_over() throws Exception {
        RankingStage stage = started(1, T);
        stage.watermark(T - 1);

        List<Standings> boards = stage.watermark(T + 3_600_000);

        assertThat(ends(boards)).hasSize(60).last().isEqualTo(T + 60_000);
        stage.wallClock(T + 3_602_000);
        assertThat(ends(stage.watermark(T + 3_602_000))).containsExactly(T + 3_601_000, T + 3_602_000);
    }

    @Test
    void a_gap_of_centuries_is_one_step() throws Exception {
        RankingStage stage = started(1, T);
        stage.event(Events.at(T - 500, "a", 7));
        stage.watermark(T - 1);
        long later = T + Duration.ofDays(365 * 1_000).toMillis();
        stage.wallClock(later);

        assertThat(ends(stage.watermark(later))).hasSize(61).first().isEqualTo(later - 60_000);
    }

    @Test
    void when_traffic_stops_contents_leave_on_time() throws Exception {
        RankingStage stage = started(1, T);
        stage.event(Events.at(T - 500, "a", 7));
        stage.watermark(T - 1);
        stage.wallClock(T + 600_000);

        List<Standings> boards = stage.watermark(T + 600_000);

        assertThat(boards).element(boards.size() - 2).satisfies(board -> assertThat(board.byEvents())
                .hasSize(1));
        assertThat(boards).last().isEqualTo(new Standings(T + 600_000, List.of(), List.of()));
    }

    @Test
    void the_end_of_input_shows_the_last_events_of_all_subtasks() throws Exception {
        RankingStage stage = started(4, T);
        stage.event(Events.at(T + 1_000, "a", 7));
        stage.watermark(T - 1);
        for (int i = 0; i < 50; i++) {
            stage.event(Events.at(T + 100 * i, "c" + i, 7));
        }

        List<Standings> boards = stage.watermark(Watermark.MAX_WATERMARK.getTimestamp());

        assertThat(ends(boards)).containsExactly(T + 1_000, T + 2_000, T + 3_000, T + 4_000, T + 5_000);
        assertThat(boards).last().satisfies(board -> assertThat(board.byEvents())
                .hasSize(51));
        assertThat(stage.incompleteBoards()).isZero();
    }

    @Test
    void the_end_of_input_shows_what_was_late_for_the_last_board() throws Exception {
        RankingStage stage = started(2, T);
        stage.event(Events.at(T - 500, "a", 7));
        stage.watermark(T - 1);
        stage.event(Events.at(T - 400, "a", 7));

        assertThat(stage.watermark(Watermark.MAX_WATERMARK.getTimestamp()))
                .containsExactly(new Standings(T + 1_000, List.of(new Place("a", 2)), List.of(new Place("a", 14))));
    }

    @Test
    void after_a_restore_all_subtasks_end_with_the_same_board() throws Exception {
        RankingStage stage = started(2, T);
        stage.watermark(T - 1);
        stage.event(Events.at(T + 9_000, "a", 7));
        RankingStage restored = restored(RankingOptions.DEFAULT, 4, stage.snapshot());
        restored.wallClock(T + 10_000);

        assertThat(ends(restored.watermark(Watermark.MAX_WATERMARK.getTimestamp())))
                .last()
                .isEqualTo(T + 10_000);
        assertThat(restored.incompleteBoards()).isZero();
    }

    @Test
    void without_any_event_the_end_of_input_shows_nothing() throws Exception {
        assertThat(started(1, T).watermark(Watermark.MAX_WATERMARK.getTimestamp()))
                .isEmpty();
    }

    @Test
    void a_restore_with_another_window_slide_and_number_of_places_is_exact() throws Exception {
        RankingStage stage = started(3, T);
        stage.event(Events.at(T - 30_000, "old", 7));
        stage.event(Events.at(T - 3_000, "a", 7));
        stage.event(Events.at(T - 2_000, "b", 9));
        stage.watermark(T - 1);
        RankingOptions others =
                new RankingOptions(Duration.ofSeconds(21), Duration.ofSeconds(7), 1, Duration.ofMinutes(1));
        RankingStage restored = restored(others, 2, stage.snapshot());
        restored.wallClock(T);
        restored.event(Events.at(T + 999, "b", EngagementEvent.NO_DURATION));

        long end = T / 7_000 * 7_000 + 7_000;
        assertThat(restored.watermark(end))
                .containsExactly(new Standings(end, List.of(new Place("b", 2)), List.of(new Place("b", 9))));
    }

    @Test
    void a_restored_stage_does_not_publish_what_it_published() throws Exception {
        RankingStage stage = started(1, T);
        stage.watermark(T + 5_000);
        RankingStage restored = restored(RankingOptions.DEFAULT, 1, stage.snapshot());
        restored.wallClock(T);

        assertThat(restored.watermark(T + 4_000)).isEmpty();
        assertThat(ends(restored.watermark(T + 6_000))).containsExactly(T + 6_000);
    }

    @Test
    void an_event_costs_some_twenty_bytes_of_state_and_what_left_the_window_none() throws Exception {
        RankingStage stage = started(1, T);
        stage.watermark(T - 1);
        int events = 100_000;
        for (int i = 0; i < events; i++) {
            stage.event(Events.at(T + i, Samples.contentId(i % 9_973), 7_000));
        }
        stage.wallClock(T + 100_000);
        stage.watermark(T + 100_000);
        assertThat(stateBytes(stage)).as("bytes of state").isLessThan(24L * events);

        stage.wallClock(T + 1_200_000);
        stage.watermark(T + 1_200_000);
        assertThat(stateBytes(stage)).as("bytes after the window").isLessThan(30_000);
    }

    private static long stateBytes(RankingStage stage) throws Exception {
        return stage.snapshot().state().getManagedKeyedState().stream()
                .mapToLong(handle -> handle.getStateSize())
                .sum();
    }

    private RankingStage started(int parallelism, long wallClock) throws Exception {
        RankingStage stage = new RankingStage(RankingOptions.DEFAULT, parallelism);
        opened.add(stage);
        stage.wallClock(wallClock);
        return stage;
    }

    private RankingStage restored(RankingOptions options, int parallelism, RankingStage.Saved saved) throws Exception {
        RankingStage stage =
                new RankingStage(options, parallelism, EventShards.SHARDS, HashMapStateBackend::new, saved);
        opened.add(stage);
        return stage;
    }

    private static List<Long> ends(List<Standings> boards) {
        return boards.stream().map(Standings::slideEndMillis).toList();
    }
}
