package dev.engagement.ranking;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.Standings;
import dev.engagement.event.types.ContentShards;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** A window of ten seconds that moves by two. */
class SlidingWindowTest {

    private static final RankingOptions OPTIONS =
            new RankingOptions(Duration.ofSeconds(10), Duration.ofSeconds(2), 3, Duration.ofMinutes(1));

    private final SlidingWindow window = new SlidingWindow(OPTIONS);

    @Test
    void a_second_counts_from_the_slide_end_after_it_until_the_window_has_passed_it() throws Exception {
        window.moveTo(100);
        add("a", 101, 1);

        assertThat(RankingStage.places(window.byEvents())).isEmpty();
        window.moveTo(102);
        assertThat(RankingStage.places(window.byEvents())).containsExactly(new Standings.Place("a", 1));
        window.moveTo(110);
        assertThat(RankingStage.places(window.byEvents())).containsExactly(new Standings.Place("a", 1));
        window.moveTo(112);
        assertThat(RankingStage.places(window.byEvents())).isEmpty();
    }

    @Test
    void what_is_late_but_in_the_next_window_counts_from_then_on() throws Exception {
        window.moveTo(100);

        assertThat(add("a", 92, 2)).as("late for all windows").isZero();
        window.moveTo(102);
        assertThat(RankingStage.places(window.byEvents())).containsExactly(new Standings.Place("a", 2));
        window.moveTo(104);
        assertThat(RankingStage.places(window.byEvents())).isEmpty();
    }

    @Test
    void what_is_older_than_the_next_window_is_left_out_and_counted() throws Exception {
        window.moveTo(100);
        add("b", 91, 1);

        assertThat(add("a", 91, 5)).isEqualTo(5);
        assertThat(add("a", 90, 5)).isEqualTo(5);
        window.moveTo(102);
        assertThat(RankingStage.places(window.byEvents())).isEmpty();
        assertThat(window.contents()).isZero();
    }

    @Test
    void before_it_is_placed_nothing_is_late() throws Exception {
        assertThat(add("a", Long.MIN_VALUE / 2, 1)).isZero();
        assertThat(add("b", 5, 1)).isZero();

        window.moveTo(10);

        assertThat(RankingStage.places(window.byEvents())).containsExactly(new Standings.Place("b", 1));
        assertThat(window.contents()).isEqualTo(1);
    }

    @Test
    void contents_of_seconds_that_left_are_forgotten_even_if_they_were_jumped_over() throws Exception {
        window.moveTo(100);
        add("a", 95, 1);
        add("b", 101, 1);
        add("c", 300, 1);

        window.moveTo(200);

        assertThat(window.contents()).isEqualTo(1);
        assertThat(window.panes()).isEqualTo(1);
        assertThat(RankingStage.places(window.byEvents())).isEmpty();
        window.moveTo(302);
        assertThat(RankingStage.places(window.byEvents())).containsExactly(new Standings.Place("c", 1));
        window.moveTo(400);
        assertThat(window.contents()).isZero();
        assertThat(window.logBytes()).isZero();
    }

    @Test
    void only_events_that_have_a_duration_rank_by_engagement() throws Exception {
        window.moveTo(100);
        window.add(partial("none", 100, 9, 0, 0));
        window.add(partial("zero", 100, 1, 1, 0));
        window.add(partial("some", 101, 5, 2, 1_234));
        window.moveTo(102);

        assertThat(RankingStage.places(window.byEngagement()))
                .containsExactly(new Standings.Place("some", 1_234), new Standings.Place("zero", 0));
    }

    @Test
    void a_mark_says_which_second_exists_and_no_more() throws Exception {
        window.add(RankingPartial.mark(5, 77));

        assertThat(window.newestSecond()).isEqualTo(77);
        assertThat(window.contents()).isZero();
        assertThat(window.panes()).isZero();
    }

    @Test
    void a_mark_for_each_shard_reaches_it() throws Exception {
        for (int shard = 0; shard < 128; shard++) {
            assertThat(ContentShards.shardOf(RankingPartial.mark(shard, 1).contentId()))
                    .isEqualTo(shard);
        }
    }

    @Test
    void a_save_writes_what_changed_since_the_last_and_removes_what_left() throws Exception {
        RecordedStore store = new RecordedStore();
        window.moveTo(100);
        add("a", 99, 1);
        add("a", 101, 1);
        window.save(store);
        assertThat(store.takePuts()).isEqualTo(2);

        add("a", 101, 1);
        add("b", 103, 1);
        window.save(store);
        assertThat(store.takePuts()).isEqualTo(2);

        window.save(store);
        assertThat(store.takePuts()).isZero();

        window.moveTo(110);
        window.save(store);
        assertThat(store.blobs.keySet()).noneMatch(place -> place.endsWith("@99"));
        window.moveTo(200);
        window.save(store);
        assertThat(store.blobs).isEmpty();
    }

    @Test
    void a_save_writes_a_content_once_a_second_however_often_it_came() throws Exception {
        RecordedStore store = new RecordedStore();
        window.moveTo(100);
        for (int i = 0; i < 1_000; i++) {
            window.add(partial("a", 101, 1, i % 2, i % 2));
        }
        long before = window.logBytes();

        window.save(store);

        assertThat(store.blobs.values()).singleElement().satisfies(blob -> assertThat(blob.encoded())
                .hasSizeLessThan(10));
        assertThat(window.logBytes()).as("the log too").isLessThan(before / 100);
        window.moveTo(102);
        assertThat(RankingStage.places(window.byEvents())).containsExactly(new Standings.Place("a", 1_000));
        assertThat(RankingStage.places(window.byEngagement())).containsExactly(new Standings.Place("a", 500));
        window.moveTo(112);
        assertThat(window.contents()).isZero();
    }

    private long add(String contentId, long second, long events) {
        return window.add(partial(contentId, second, events, 0, 0));
    }

    private static RankingPartial partial(String contentId, long second, long events, long measured, long millis) {
        return new RankingPartial(contentId, 1, new long[] {second, events, measured, millis});
    }

    private static final class RecordedStore implements SlidingWindow.Store {
        private final Map<String, PaneBlob> blobs = new HashMap<>();
        private int puts;

        @Override
        public void put(int shard, long second, PaneBlob blob) {
            blobs.put(shard + "@" + second, blob);
            puts++;
        }

        @Override
        public void remove(int shard, long second) {
            assertThat(blobs.remove(shard + "@" + second)).as("was there").isNotNull();
        }

        private int takePuts() {
            int taken = puts;
            puts = 0;
            return taken;
        }
    }
}
