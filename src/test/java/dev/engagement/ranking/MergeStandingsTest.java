package dev.engagement.ranking;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.Standings;
import dev.engagement.event.Standings.Place;
import dev.engagement.event.types.EventTypes;
import java.time.Duration;
import java.util.List;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class MergeStandingsTest {

    private final MergeStandings operator = new MergeStandings(
            new RankingOptions(Duration.ofSeconds(10), Duration.ofSeconds(1), 3, Duration.ofMinutes(1)));
    private OneInputStreamOperatorTestHarness<ShardStandings, Standings> harness;

    @BeforeEach
    void open() throws Exception {
        harness = new OneInputStreamOperatorTestHarness<>(operator);
        harness.setup(RankingStage.serializer(EventTypes.STANDINGS));
        harness.open();
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    @Test
    void the_best_of_all_subtasks_in_the_order_of_the_contract() throws Exception {
        part(1_000, 1, 2, List.of(new Place("d", 5), new Place("b", 2)), List.of(new Place("d", 1)));
        part(1_000, 0, 2, List.of(new Place("a", 3), new Place("\uD83D\uDE00", 2)), List.of());

        harness.processWatermark(999);

        assertThat(harness.extractOutputValues())
                .containsExactly(new Standings(
                        1_000,
                        List.of(new Place("d", 5), new Place("a", 3), new Place("b", 2)),
                        List.of(new Place("d", 1))));
        assertThat(harness.getOutput()).last().isEqualTo(new Watermark(999));
    }

    @Test
    void ties_are_in_the_order_of_utf8_bytes() throws Exception {
        part(1_000, 0, 2, List.of(new Place("\uD83D\uDE00", 1)), List.of());
        part(1_000, 1, 2, List.of(new Place("\uFFFD", 1)), List.of());

        harness.processWatermark(999);

        assertThat(harness.extractOutputValues()).singleElement().satisfies(board -> assertThat(board.byEvents())
                .containsExactly(new Place("\uFFFD", 1), new Place("\uD83D\uDE00", 1)));
    }

    @Test
    void a_slide_end_waits_for_the_watermark_that_passes_it() throws Exception {
        part(1_000, 0, 1, List.of(), List.of());
        harness.processWatermark(998);
        assertThat(harness.extractOutputValues()).isEmpty();

        harness.processWatermark(999);
        assertThat(harness.extractOutputValues()).containsExactly(new Standings(1_000, List.of(), List.of()));
    }

    @Test
    void a_board_without_some_subtasks_part_is_counted_and_the_next_one_is_published() throws Exception {
        part(1_000, 0, 2, List.of(new Place("a", 3)), List.of());
        part(2_000, 0, 2, List.of(new Place("a", 3)), List.of());
        part(2_000, 1, 2, List.of(), List.of());

        harness.processWatermark(5_000);

        assertThat(operator.incompleteBoards()).isEqualTo(1);
        assertThat(harness.extractOutputValues())
                .extracting(Standings::slideEndMillis)
                .containsExactly(2_000L);
    }

    @Test
    void parts_of_two_runs_make_no_board() throws Exception {
        part(1_000, 0, 2, List.of(new Place("a", 3)), List.of());
        part(1_000, 1, 3, List.of(new Place("b", 3)), List.of());
        part(2_000, 0, 2, List.of(new Place("a", 3)), List.of());
        part(2_000, 0, 2, List.of(new Place("a", 3)), List.of());

        harness.processWatermark(5_000);

        assertThat(harness.extractOutputValues()).isEmpty();
        assertThat(operator.incompleteBoards()).isEqualTo(2);
    }

    private void part(long end, int subtask, int parallelism, List<Place> byEvents, List<Place> byEngagement)
            throws Exception {
        harness.processElement(
                new ShardStandings(end, subtask, parallelism, TopN.of(byEvents), TopN.of(byEngagement)), 0);
    }
}
