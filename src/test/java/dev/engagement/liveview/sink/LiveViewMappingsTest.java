package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.engagement.event.Content;
import dev.engagement.event.ContentChange;
import dev.engagement.event.ContentChange.Unchanged;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import dev.engagement.event.RollupRow;
import dev.engagement.event.RollupShape;
import dev.engagement.event.Standings;
import dev.engagement.event.Standings.Place;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveValue.Board;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.liveview.Samples;
import dev.engagement.liveview.Tally;
import dev.engagement.liveview.sink.RecordedView.Shown;
import java.time.Duration;
import java.util.List;
import org.apache.flink.util.InstantiationUtil;
import org.junit.jupiter.api.Test;

class LiveViewMappingsTest {

    private static final long NOW = 1_767_882_112_000L;
    private static final long NOW_MICROS = NOW * 1_000;
    private static final long MINUTE = NOW / 60_000;
    private static final long HOUR = 3_600_000;

    private final RecordedView view = new RecordedView(NOW);
    private final LiveViewMapping<EnrichedEvent> last = last(false);
    private final LiveViewMapping<CountPartial> tallies = LiveViewMappings.tallies();
    private final LiveViewMapping<ContentChange> metas = LiveViewMappings.metas();
    private final LiveViewMapping<Standings> boards = LiveViewMappings.boards();
    private final LiveViewMapping<RollupRow> rollups =
            LiveViewMappings.rollups(List.of(Samples.METRICS, Samples.HOURLY));

    @Test
    void the_last_event_is_that_of_the_greatest_time_and_then_id() throws Exception {
        last.show(Samples.event("c", 5, NOW_MICROS), view);
        last.show(Samples.event("c", 9, NOW_MICROS - 1), view);
        last.show(Samples.event("c", 5, NOW_MICROS), view);
        last.show(Samples.event("c", 4, NOW_MICROS), view);
        last.show(Samples.event("c", 6, NOW_MICROS), view);
        last.show(Samples.event("c", 1, NOW_MICROS + 1), view);
        last.show(Samples.event("d", 1, NOW_MICROS - 1), view);

        assertThat(view.shown)
                .containsExactly(
                        new Shown(Samples.last("c", 5, NOW_MICROS), LiveValue.ALL_PARTS),
                        new Shown(Samples.last("c", 6, NOW_MICROS), LiveValue.ALL_PARTS),
                        new Shown(Samples.last("c", 1, NOW_MICROS + 1), LiveValue.ALL_PARTS),
                        new Shown(Samples.last("d", 1, NOW_MICROS - 1), LiveValue.ALL_PARTS));
        assertThat(view.cached).isEmpty();
    }

    @Test
    void an_event_whose_hour_is_over_is_left_out_and_counted() throws Exception {
        last.show(Samples.event("c", 1, NOW_MICROS - HOUR * 1_000), view);
        assertThat(view.shown).isEmpty();
        assertThat(view.expired).isEqualTo(1);

        last.show(Samples.event("c", 1, NOW_MICROS - HOUR * 1_000 + 1_000), view);
        assertThat(view.shown).hasSize(1);
        assertThat(view.expired).isEqualTo(1);
    }

    @Test
    void a_future_dated_event_is_left_out_and_counted() throws Exception {
        last.show(stamped(1, NOW_MICROS + 60_000_001, NOW), view);

        assertThat(view.shown).isEmpty();
        assertThat(view.futureDated).isEqualTo(1);
        assertThat(view.expired).isZero();
    }

    @Test
    void an_event_without_a_content_is_nobodys_last_one_and_cached_like_any_other() throws Exception {
        EnrichedEvent without = Samples.eventWithoutContent(1);
        last(true).show(without, view);

        assertThat(view.shown).isEmpty();
        assertThat(view.futureDated).isZero();
        assertThat(view.expired).isZero();
        assertThat(view.cached).containsExactly(without);
    }

    @Test
    void every_event_is_cached_whether_it_is_the_last_one_or_not() throws Exception {
        EnrichedEvent newer = Samples.event("c", 2, NOW_MICROS);
        EnrichedEvent older = Samples.event("c", 1, NOW_MICROS - 1);
        EnrichedEvent futureDated = stamped(3, NOW_MICROS + 60_000_001, NOW);
        EnrichedEvent late = stamped(4, NOW_MICROS - 2 * HOUR * 1_000, NOW - HOUR + 1);

        for (EnrichedEvent each : List.of(newer, older, futureDated, late)) {
            last(true).show(each, view);
        }

        assertThat(view.cached).containsExactly(newer, older, futureDated, late);
        assertThat(view.expired).isEqualTo(1);
    }

    @Test
    void an_event_that_came_into_kafka_an_hour_ago_is_not_cached_and_counted() throws Exception {
        last(true).show(stamped(4, (NOW - HOUR + 1) * 1_000, NOW - HOUR), view);

        assertThat(view.cached).isEmpty();
        assertThat(view.expired).isEqualTo(1);
        assertThat(view.shown).hasSize(1);
    }

    @Test
    void partial_counts_add_up_to_the_total_and_to_each_minute() throws Exception {
        tallies.show(partial("c", 3, new long[] {MINUTE, MINUTE - 1}, 1, 1), view);
        tallies.show(partial("c", 2, new long[] {MINUTE}, 2), view);
        tallies.show(partial("d", 1, new long[] {}), view);

        long now = Tally.partOf(MINUTE);
        long before = Tally.partOf(MINUTE - 1);
        Tally first = Tally.of("c", 3, new long[] {MINUTE - 1, MINUTE}, new long[] {1, 1});
        Tally second = Tally.of("c", 5, new long[] {MINUTE - 1, MINUTE}, new long[] {1, 3});
        assertThat(view.shown)
                .containsExactly(
                        new Shown(first, Tally.TOTAL_PART | now | before),
                        new Shown(second, Tally.TOTAL_PART | now),
                        new Shown(Tally.none("d").plus(1), Tally.TOTAL_PART));
    }

    @Test
    void events_of_a_minute_that_is_over_count_in_the_total_only() throws Exception {
        tallies.show(partial("c", 7, new long[] {MINUTE - 17, MINUTE - 600}, 3, 4), view);

        assertThat(view.shown).containsExactly(new Shown(Tally.none("c").plus(7), Tally.TOTAL_PART));
        assertThat(view.expired).isEqualTo(7);
    }

    @Test
    void minutes_that_are_over_leave_the_tally() throws Exception {
        tallies.show(partial("c", 3, new long[] {MINUTE, MINUTE - 1}, 1, 2), view);
        view.now += 16 * 60_000;
        tallies.show(partial("c", 1, new long[] {}), view);

        assertThat(view.held("c")).isEqualTo(Tally.of("c", 4, new long[] {MINUTE}, new long[] {1}));
    }

    @Test
    void buckets_are_written_again_before_the_totals() {
        assertThat(tallies.rewriteOrder()).containsExactly(Tally.MINUTE_PARTS, Tally.TOTAL_PART);
        assertThat(metas.rewriteOrder()).containsExactly(LiveValue.ALL_PARTS);
    }

    @Test
    void a_change_of_a_content_is_shown_with_its_offset_as_version() throws Exception {
        metas.show(put(Samples.content("c"), Unchanged.NOTHING, 4), view);
        metas.show(delete("c", 9), view);
        metas.show(new ContentChange.ReadToEnd(0, 1), view);

        assertThat(view.shown)
                .containsExactly(
                        new Shown(new LiveValue.Meta(Samples.content("c"), 4), LiveValue.ALL_PARTS),
                        new Shown(new LiveValue.MetaGone("c", 9, NOW), LiveValue.ALL_PARTS));
    }

    @Test
    void a_text_that_a_change_left_out_is_the_one_shown_before() throws Exception {
        metas.show(put(Samples.content("c"), Unchanged.NOTHING, 4), view);
        metas.show(put(new Content("c", "new-slug", null, "podcast", 10, null), new Unchanged(false, true), 5), view);

        assertThat(view.held("c"))
                .isEqualTo(new LiveValue.Meta(new Content("c", "new-slug", "Title of c", "podcast", 10, null), 5));
    }

    @Test
    void a_text_of_a_deleted_content_does_not_come_back() throws Exception {
        metas.show(put(Samples.content("c"), Unchanged.NOTHING, 4), view);
        metas.show(delete("c", 5), view);
        metas.show(put(new Content("c", null, null, "podcast", 10, null), new Unchanged(true, true), 6), view);

        assertThat(view.held("c")).isEqualTo(new LiveValue.Meta(new Content("c", null, null, "podcast", 10, null), 6));
    }

    @Test
    void standings_are_two_boards_and_never_older_ones() throws Exception {
        List<Place> byEvents = List.of(new Place("a", 2));
        List<Place> byEngagement = List.of(new Place("b", 7_000));
        boards.show(new Standings(NOW, byEvents, byEngagement), view);
        boards.show(new Standings(NOW - 1_000, byEngagement, byEvents), view);
        boards.show(new Standings(NOW, byEngagement, byEvents), view);
        boards.show(new Standings(NOW + 1_000, List.of(), List.of()), view);

        assertThat(view.shown)
                .extracting(Shown::value)
                .containsExactly(
                        new Board(Board.Kind.EVENTS, NOW, byEvents),
                        new Board(Board.Kind.ENGAGEMENT, NOW, byEngagement),
                        new Board(Board.Kind.EVENTS, NOW + 1_000, List.of()),
                        new Board(Board.Kind.ENGAGEMENT, NOW + 1_000, List.of()));
    }

    @Test
    void a_window_is_shown_anew_when_its_version_is_greater() throws Exception {
        rollups.show(Samples.metric("click", NOW, 3), view);
        rollups.show(Samples.metric("click", NOW, 3), view);
        rollups.show(Samples.metric("click", NOW, 2), view);
        rollups.show(Samples.metric("click", NOW, 4), view);
        rollups.show(Samples.metric("play", NOW, 1), view);
        rollups.show(Samples.metric("click", NOW + 10_000, 1), view);
        rollups.show(Samples.hourly("video", "web", NOW, 1), view);

        assertThat(view.shown)
                .containsExactly(
                        new Shown(Samples.cell(Samples.metric("click", NOW, 3)), LiveValue.ALL_PARTS),
                        new Shown(Samples.cell(Samples.metric("click", NOW, 4)), LiveValue.ALL_PARTS),
                        new Shown(Samples.cell(Samples.metric("play", NOW, 1)), LiveValue.ALL_PARTS),
                        new Shown(Samples.cell(Samples.metric("click", NOW + 10_000, 1)), LiveValue.ALL_PARTS),
                        new Shown(Samples.cell(Samples.hourly("video", "web", NOW, 1)), LiveValue.ALL_PARTS));
    }

    @Test
    void a_window_that_ended_an_hour_ago_is_left_out_and_counted() throws Exception {
        rollups.show(Samples.metric("click", NOW - HOUR, 3), view);
        assertThat(view.shown).isEmpty();
        assertThat(view.expired).isEqualTo(1);

        rollups.show(Samples.metric("click", NOW - HOUR + 1, 3), view);
        assertThat(view.shown).hasSize(1);
        assertThat(view.expired).isEqualTo(1);
    }

    @Test
    void windows_of_rollups_that_are_not_live_or_not_known_are_left_out() throws Exception {
        LiveViewMapping<RollupRow> some = LiveViewMappings.rollups(List.of(metrics("metrics_30s", "30s", false)));

        some.show(Samples.metric("click", NOW, 3), view);
        some.show(Samples.hourly("video", "web", NOW, 3), view);

        assertThat(view.shown).isEmpty();
        assertThat(view.expired).isZero();
    }

    @Test
    void two_rollups_in_one_place_are_refused_with_the_way_out() {
        RollupShape some = metrics("some", "30s", true);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LiveViewMappings.rollups(List.of(some, metrics("other", "30s", true))))
                .withMessageContaining("The rollups some and other would both be metric:{event_type}:30s")
                .withMessageContaining("rollup.other.live=false");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LiveViewMappings.rollups(List.of(some, metrics("some", "1m", true))))
                .withMessageContaining("two rollups some");

        assertThat(LiveViewMappings.rollups(
                        List.of(some, metrics("other", "30s", false), metrics("third", "1m", true), Samples.HOURLY)))
                .isNotNull();
    }

    @Test
    void mappings_travel_to_where_the_job_runs() throws Exception {
        for (LiveViewMapping<?> mapping : List.of(last, tallies, metas, boards, rollups)) {
            assertThat(InstantiationUtil.clone(mapping).rewriteOrder()).isEqualTo(mapping.rewriteOrder());
        }
    }

    private static LiveViewMapping<EnrichedEvent> last(boolean eventCache) {
        return LiveViewMappings.last(new LiveViewRules(Duration.ofMinutes(1), eventCache));
    }

    private static RollupShape metrics(String rollup, String windowSize, boolean live) {
        return new RollupShape(rollup, List.of("event_type"), List.of("count"), windowSize, false, live);
    }

    private static EnrichedEvent stamped(long id, long eventTsMicros, long kafkaMillis) {
        EngagementEvent event = new EngagementEvent(
                id, "c", null, null, eventTsMicros, 0, null, null, false, 0, new Position(0, id, kafkaMillis));
        return EngagementRule.DEFAULT.enrich(event, Samples.content("c"));
    }

    private static CountPartial partial(String contentId, long events, long[] minutes, long... eventsInMinute) {
        return new CountPartial(contentId, events, minutes, eventsInMinute);
    }

    private static ContentChange put(Content content, Unchanged unchanged, long offset) {
        return new ContentChange.Put(content, unchanged, new Position(0, offset, 0));
    }

    private static ContentChange delete(String contentId, long offset) {
        return new ContentChange.Delete(contentId, new Position(0, offset, NOW));
    }
}
