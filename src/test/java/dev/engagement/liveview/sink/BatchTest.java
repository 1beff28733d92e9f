package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.Samples;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.liveview.Tally;
import dev.engagement.writeback.Item;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BatchTest {

    private static final LiveViewKeys KEYS = new LiveViewKeys("p:");
    private static final long NOW = 1_767_882_112_000L;
    private static final long NOW_MICROS = NOW * 1_000;
    private static final long MINUTE = NOW / 60_000;

    @Test
    void members_of_one_bucket_leave_in_one_write() {
        Batch batch = encoded(
                all(tally("a", 2, MINUTE, 2)),
                all(tally("b", 5, MINUTE, 3, MINUTE - 1, 1)),
                all(Samples.last("c", 1, NOW_MICROS)));

        assertThat(batch.writes)
                .extracting(ScriptedWrite::toString)
                .containsExactlyInAnyOrder(
                        "count p:content:count:a",
                        "count p:content:count:b",
                        "last p:content:last:c",
                        "bucket p:top:content:bucket:202601081421",
                        "bucket p:top:content:bucket:202601081420");
        assertThat(texts(batch.writes.get(write(batch, KEYS.bucket(MINUTE)))))
                .containsExactly(Long.toString((MINUTE + 16) * 60_000), "2", "a", "3", "b");
        assertThat(texts(batch.writes.get(write(batch, KEYS.bucket(MINUTE - 1)))))
                .containsExactly(Long.toString((MINUTE + 15) * 60_000), "1", "b");
    }

    @Test
    void a_write_that_failed_marks_the_parts_that_it_was_to_show_and_no_others() {
        Batch batch = encoded(
                all(tally("a", 2, MINUTE, 2)),
                all(Samples.last("c", 1, NOW_MICROS)),
                all(tally("b", 5, MINUTE, 3, MINUTE - 1, 1)));

        assertThat(marked(batch, KEYS.bucket(MINUTE))).containsExactly(Tally.partOf(MINUTE), 0, Tally.partOf(MINUTE));
        assertThat(marked(batch, KEYS.bucket(MINUTE - 1))).containsExactly(0, 0, Tally.partOf(MINUTE - 1));
        assertThat(marked(batch, KEYS.count("b"))).containsExactly(0, 0, Tally.TOTAL_PART);
        assertThat(marked(batch, KEYS.last("c"))).containsExactly(0, LiveValue.ALL_PARTS, 0);

        long[] both = new long[3];
        batch.mark(write(batch, KEYS.bucket(MINUTE)), both);
        batch.mark(write(batch, KEYS.count("b")), both);
        assertThat(both).containsExactly(Tally.partOf(MINUTE), 0, Tally.partOf(MINUTE) | Tally.TOTAL_PART);
    }

    @Test
    void every_part_of_every_item_is_in_exactly_the_writes_that_show_it() {
        List<Item<LiveValue>> items = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            items.add(all(tally("c" + i, i + 1, MINUTE, i + 1)));
        }
        Batch batch = new Batch(items, List.of());
        batch.encode(KEYS, NOW);

        long[] marked = new long[items.size()];
        int members = 0;
        for (int i = 0; i < batch.writes.size(); i++) {
            batch.mark(i, marked);
            ScriptedWrite write = batch.writes.get(i);
            if (write.script() == LiveViewScript.BUCKET) {
                assertThat(write.arguments()).hasSizeLessThanOrEqualTo(1 + 2 * 250);
                long[] ofWrite = new long[items.size()];
                batch.mark(i, ofWrite);
                List<String> texts = texts(write);
                for (int at = 1; at < texts.size(); at += 2) {
                    int item = Integer.parseInt(texts.get(at + 1).substring(1));
                    assertThat(texts.get(at)).isEqualTo(Integer.toString(item + 1));
                    assertThat(ofWrite[item]).isEqualTo(Tally.partOf(MINUTE));
                    ofWrite[item] = 0;
                    members++;
                }
                assertThat(ofWrite).containsOnly(0);
            }
        }
        assertThat(members).isEqualTo(1_000);
        assertThat(marked).containsOnly(Tally.TOTAL_PART | Tally.partOf(MINUTE));
    }

    @Test
    void only_the_parts_of_an_item_are_written() {
        Tally tally = tally("a", 9, MINUTE, 3, MINUTE - 1, 1);
        Batch batch = encoded(new Item<>(tally, Tally.partOf(MINUTE - 1)));

        assertThat(batch.writes).extracting(ScriptedWrite::key).containsExactly(KEYS.bucket(MINUTE - 1));
    }

    @Test
    void what_is_over_is_counted_and_not_written() {
        Batch batch = encoded(
                all(Samples.last("c", 1, NOW_MICROS - 3_600_000_000L)),
                all(tally("a", 2, MINUTE - 16, 2)),
                all(new LiveValue.Board(LiveValue.Board.Kind.EVENTS, NOW - 120_000, List.of())));

        assertThat(batch.writes).extracting(ScriptedWrite::key).containsExactly(KEYS.count("a"));
        assertThat(batch.expiredCount()).isEqualTo(3);
    }

    @Test
    void cached_events_come_behind_the_items_and_belong_to_none() {
        EnrichedEvent event = Samples.event("c", 7, NOW_MICROS);
        Batch batch = new Batch(List.of(all(tally("a", 2, MINUTE, 2))), List.of(event));
        batch.encode(KEYS, NOW);

        assertThat(batch.writes.get(2).key()).isEqualTo(KEYS.event(7));
        assertThat(batch.isOfCache(0)).isFalse();
        assertThat(batch.isOfCache(1)).isFalse();
        assertThat(batch.isOfCache(2)).isTrue();
        assertThat(batch.committedAtMillis(2)).isEqualTo(EngagementEvent.UNKNOWN_TIME);
        assertThat(batch.bytes())
                .isEqualTo(batch.writes.stream().mapToLong(ScriptedWrite::bytes).sum());
    }

    @Test
    void a_write_knows_when_the_source_committed_what_it_shows() {
        Batch batch = encoded(all(tally("a", 2, MINUTE, 2)), all(Samples.last("c", 1, NOW_MICROS)));

        assertThat(batch.committedAtMillis(write(batch, KEYS.last("c")))).isEqualTo(NOW);
        assertThat(batch.committedAtMillis(write(batch, KEYS.bucket(MINUTE)))).isEqualTo(EngagementEvent.UNKNOWN_TIME);
    }

    @SafeVarargs
    private static Batch encoded(Item<LiveValue>... items) {
        Batch batch = new Batch(List.of(items), List.of());
        batch.encode(KEYS, NOW);
        return batch;
    }

    private static Item<LiveValue> all(LiveValue value) {
        return new Item<>(value, LiveValue.ALL_PARTS);
    }

    private static Tally tally(String contentId, long total, long... minutesAndEvents) {
        Tally tally = Tally.none(contentId).plus(total);
        for (int i = 0; i < minutesAndEvents.length; i += 2) {
            tally = tally.plusInMinute(minutesAndEvents[i], minutesAndEvents[i + 1]);
        }
        return tally;
    }

    private static long[] marked(Batch batch, String key) {
        long[] parts = new long[batch.items.size()];
        batch.mark(write(batch, key), parts);
        return parts;
    }

    private static int write(Batch batch, String key) {
        return batch.writes.stream().map(ScriptedWrite::key).toList().indexOf(key);
    }

    private static List<String> texts(ScriptedWrite write) {
        return write.arguments().stream()
                .map(each -> new String(each, StandardCharsets.UTF_8))
                .toList();
    }
}
