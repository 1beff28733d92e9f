package dev.engagement.liveview;

import static dev.engagement.liveview.RecordedWrites.texts;
import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EventJson;
import dev.engagement.event.Position;
import dev.engagement.event.Standings.Place;
import dev.engagement.liveview.LiveValue.Board;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class LiveValueTest {

    private static final LiveViewKeys KEYS = new LiveViewKeys("p:");
    private static final long TS = 1_767_882_112_000_001L;
    private static final long EXPIRY_OF_LAST = 1_767_885_712_000L;
    private static final long SLIDE_END = 1_767_882_112_000L;
    private static final long TWO_WEEKS = 14 * 86_400_000L;

    @Test
    void last_is_the_json_and_expires_an_hour_after_its_event() {
        LiveValue.Last last = Samples.last("c1", 7, TS);

        ScriptedWrite write = written(last, EXPIRY_OF_LAST - 1).only();

        assertThat(write.script()).isEqualTo(LiveViewScript.LAST);
        assertThat(texts(write.keys())).containsExactly("p:content:last:c1");
        assertThat(texts(write.arguments()))
                .containsExactly(
                        new String(EventJson.enriched(last.enriched()), StandardCharsets.UTF_8), "1767885712000");
        assertThat(last.aliveAt(EXPIRY_OF_LAST - 1)).isSameAs(last);
    }

    @Test
    void a_last_whose_hour_is_over_is_counted_and_not_written() {
        LiveValue.Last last = Samples.last("c1", 7, TS);

        RecordedWrites written = written(last, EXPIRY_OF_LAST);

        assertThat(written.writes).isEmpty();
        assertThat(written.expired).isEqualTo(1);
        assertThat(last.aliveAt(EXPIRY_OF_LAST)).isNull();
    }

    @Test
    void the_hour_of_an_event_before_the_epoch_is_not_rounded_up() {
        assertThat(Samples.last("c1", 7, -1).expiresAtMillis()).isEqualTo(3_600_000 - 1);
    }

    @Test
    void of_two_events_at_the_same_time_the_greater_id_is_newer() {
        assertThat(Samples.last("c1", 8, TS).newerThan(Samples.last("c1", 7, TS)))
                .isTrue();
        assertThat(Samples.last("c1", 7, TS).newerThan(Samples.last("c1", 8, TS)))
                .isFalse();
        assertThat(Samples.last("c1", 7, TS).newerThan(Samples.last("c1", 7, TS)))
                .isFalse();
        assertThat(Samples.last("c1", 1, TS + 1).newerThan(Samples.last("c1", 9, TS)))
                .isTrue();
    }

    @Test
    void a_snapshot_row_says_nothing_about_freshness() {
        assertThat(new LiveValue.Last(Samples.event("c1", 7, TS, null, null, true)).committedAtMillis())
                .isEqualTo(EngagementEvent.UNKNOWN_TIME);
        assertThat(Samples.last("c1", 7, TS).committedAtMillis()).isEqualTo(1_767_882_112_000L);
    }

    @Test
    void every_text_that_an_event_brings_along_counts_towards_its_memory() {
        String large = "x".repeat(100_000);
        EngagementEvent event = new EngagementEvent(
                1, large, large, large, TS, 0, large, large, false, 0, new Position(0, 1, SLIDE_END));
        LiveValue.Last last = new LiveValue.Last(EngagementRule.DEFAULT.enrich(event, Samples.content("c")));

        assertThat(last.estimatedBytes()).isGreaterThan(5 * 200_000);
    }

    @Test
    void a_null_of_a_content_is_an_absent_field() {
        LiveValue.Meta meta = new LiveValue.Meta(new Content("c1", "s", null, "podcast", null, null), 12);

        ScriptedWrite write = written(meta, Long.MAX_VALUE).only();

        assertThat(write.script()).isEqualTo(LiveViewScript.META);
        assertThat(texts(write.keys())).containsExactly("p:content:meta:c1", "p:gone:{p:content:meta:c1}");
        assertThat(texts(write.arguments())).containsExactly("12", "slug", "s", "content_type", "podcast");
        assertThat(meta.aliveAt(Long.MAX_VALUE)).isSameAs(meta);
    }

    @Test
    void a_content_has_all_its_fields() {
        assertThat(texts(written(new LiveValue.Meta(Samples.content("c1"), 3), 0)
                        .only()
                        .arguments()))
                .containsExactly(
                        "3",
                        "slug",
                        "slug-c1",
                        "title",
                        "Title of c1",
                        "content_type",
                        "video",
                        "length_seconds",
                        "300",
                        "publish_ts",
                        "2026-01-08T14:21:52.000000Z");
    }

    @Test
    void a_tombstone_is_kept_for_two_weeks_from_the_deletion_on_and_the_deletion_is_written_however_old() {
        LiveValue.MetaGone gone = new LiveValue.MetaGone("c1", 4, SLIDE_END);

        ScriptedWrite write = written(gone, SLIDE_END + 2 * TWO_WEEKS).only();

        assertThat(write.script()).isEqualTo(LiveViewScript.META_GONE);
        assertThat(texts(write.keys())).containsExactly("p:content:meta:c1", "p:gone:{p:content:meta:c1}");
        assertThat(texts(write.arguments())).containsExactly("4", Long.toString(SLIDE_END + TWO_WEEKS));
        assertThat(gone.aliveAt(SLIDE_END + TWO_WEEKS - 1)).isSameAs(gone);
        assertThat(gone.aliveAt(SLIDE_END + TWO_WEEKS)).isNull();
    }

    @Test
    void a_deletion_stamped_at_the_end_of_time_is_no_overflow() {
        LiveValue.MetaGone gone = new LiveValue.MetaGone("c1", 4, Long.MAX_VALUE - 1);

        assertThat(texts(written(gone, SLIDE_END).only().arguments()))
                .containsExactly("4", Long.toString(Long.MAX_VALUE));
        assertThat(gone.aliveAt(SLIDE_END)).isSameAs(gone);
    }

    @Test
    void a_board_by_events_shows_counts_and_its_slide_end_is_its_version() {
        Board board = board(Board.Kind.EVENTS, new Place("b", 7), new Place("a", 3));

        ScriptedWrite write = written(board, SLIDE_END).only();

        assertThat(write.script()).isEqualTo(LiveViewScript.BOARD);
        assertThat(texts(write.keys())).containsExactly("p:top:content:10m", "p:version:{p:top:content:10m}");
        assertThat(texts(write.arguments())).containsExactly("1767882112000", "1767882232000", "7", "b", "3", "a");
    }

    @Test
    void a_board_by_engagement_shows_seconds_exactly() {
        Board board = board(
                Board.Kind.ENGAGEMENT,
                new Place("a", 7_000),
                new Place("b", 1_234),
                new Place("c", 1_050),
                new Place("d", 7),
                new Place("e", 0));

        ScriptedWrite write = written(board, SLIDE_END).only();

        assertThat(texts(write.keys())).containsExactly("p:top_engagement:10min", "p:version:{p:top_engagement:10min}");
        assertThat(texts(write.arguments()).subList(2, 12))
                .containsExactly("7", "a", "1.234", "b", "1.050", "c", "0.007", "d", "0", "e");
    }

    @Test
    void a_board_is_over_two_minutes_after_its_slide_end() {
        Board board = board(Board.Kind.EVENTS);

        assertThat(written(board, SLIDE_END + 119_999).writes).hasSize(1);
        assertThat(board.aliveAt(SLIDE_END + 119_999)).isSameAs(board);
        assertThat(written(board, SLIDE_END + 120_000).writes).isEmpty();
        assertThat(written(board, SLIDE_END + 120_000).expired).isEqualTo(1);
        assertThat(board.aliveAt(SLIDE_END + 120_000)).isNull();
    }

    @Test
    void each_kind_of_board_is_a_value_of_its_own() {
        assertThat(board(Board.Kind.EVENTS).id()).isEqualTo("EVENTS");
        assertThat(board(Board.Kind.ENGAGEMENT).id()).isEqualTo("ENGAGEMENT");
    }

    private static Board board(Board.Kind kind, Place... places) {
        return new Board(kind, SLIDE_END, List.of(places));
    }

    private static RecordedWrites written(LiveValue value, long nowMillis) {
        return RecordedWrites.of(value, KEYS, LiveValue.ALL_PARTS, nowMillis);
    }
}
