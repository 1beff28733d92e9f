package dev.engagement.liveview;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.engagement.event.Content;
import dev.engagement.event.EventJson;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class LiveValueTest {

    private static final LiveViewKeys KEYS = new LiveViewKeys("p:");
    private static final long TS = 1_767_882_112_000_001L;

    @Test
    void last_is_the_json_and_expires_an_hour_after_its_event() {
        LiveValue.Last last = Samples.last("c1", 7, TS);

        ScriptedWrite write = last.write(KEYS);

        assertThat(write.script()).isEqualTo(LiveViewScript.LAST);
        assertThat(texts(write.keys())).containsExactly("p:content:last:c1");
        assertThat(texts(write.arguments()))
                .containsExactly(
                        new String(EventJson.enriched(last.enriched()), StandardCharsets.UTF_8), "1767885712000");
        assertThat(last.expiresAtMillis()).isEqualTo(1_767_885_712_000L);
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
                .isZero();
        assertThat(Samples.last("c1", 7, TS).committedAtMillis()).isEqualTo(1_767_882_112_000L);
    }

    @Test
    void a_null_of_a_content_is_an_absent_field() {
        LiveValue.Meta meta = new LiveValue.Meta(new Content("c1", "s", null, "podcast", null, null), 12);

        assertThat(texts(meta.write(KEYS).keys())).containsExactly("p:content:meta:c1", "p:gone:{p:content:meta:c1}");
        assertThat(texts(meta.write(KEYS).arguments())).containsExactly("12", "slug", "s", "content_type", "podcast");
    }

    @Test
    void a_content_has_all_its_fields() {
        assertThat(texts(
                        new LiveValue.Meta(Samples.content("c1"), 3).write(KEYS).arguments()))
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
    void a_deletion_and_a_put_of_one_content_are_ordered_by_offset() {
        LiveValue put = new LiveValue.Meta(Samples.content("c1"), 3);
        LiveValue gone = new LiveValue.MetaGone("c1", 4);

        assertThat(gone.newerThan(put)).isTrue();
        assertThat(put.newerThan(gone)).isFalse();
        assertThat(put.slot()).isEqualTo(gone.slot());
    }

    @Test
    void values_of_two_slots_are_not_compared() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> Samples.last("c1", 1, TS).newerThan(Samples.last("c2", 1, TS)));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new LiveValue.Count("c1", 1).newerThan(new LiveValue.MetaGone("c1", 1)));
    }

    private static List<String> texts(List<byte[]> all) {
        return all.stream()
                .map(each -> new String(each, StandardCharsets.UTF_8))
                .toList();
    }
}
