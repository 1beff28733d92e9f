package dev.engagement.enrichment;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterTypes;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.Content;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import dev.engagement.event.Samples;
import dev.engagement.event.types.EventShards;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.typeutils.base.StringSerializer;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.KeyedStateBackend;
import org.apache.flink.streaming.api.operators.TimerHeapInternalTimer;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedTwoInputStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;

class EnrichmentOperatorTest {

    private static final EnrichmentOptions OPTIONS =
            new EnrichmentOptions(EngagementRule.DEFAULT, Duration.ofSeconds(30), true);

    private final List<AutoCloseable> opened = new ArrayList<>();

    @org.junit.jupiter.api.AfterEach
    void close() throws Exception {
        for (AutoCloseable one : opened) {
            one.close();
        }
    }

    @Test
    void an_event_takes_the_content_as_it_is_known() throws Exception {
        var harness = started();
        content(harness, Samples.put(1));
        event(harness, Samples.event(7, 1));

        assertThat(out(harness)).containsExactly(Samples.enriched(7, 1));
    }

    @Test
    void the_latest_change_of_a_content_wins_and_rewrites_nothing() throws Exception {
        var harness = started();
        content(harness, Samples.put(1));
        event(harness, Samples.event(1, 1));
        content(harness, put(1, "New title"));
        event(harness, Samples.event(2, 1));

        assertThat(out(harness))
                .extracting(enriched -> enriched.content().title())
                .containsExactly("Title 1", "New title");
    }

    @Test
    void an_update_that_left_a_text_out_keeps_the_known_one() throws Exception {
        var harness = started();
        content(harness, Samples.put(1));
        Content withoutTitle = new Content(Samples.contentId(1), "new-slug", null, "video", 10, null);
        content(
                harness,
                new ContentChange.Put(withoutTitle, new ContentChange.Unchanged(false, true), new Position(0, 9, 0)));
        event(harness, Samples.event(1, 1));

        Content known = out(harness).get(0).content();
        assertThat(known.title()).isEqualTo("Title 1");
        assertThat(known.slug()).isEqualTo("new-slug");
    }

    @Test
    void an_event_waits_for_its_content_and_keeps_its_own_time() throws Exception {
        var harness = started();
        event(harness, Samples.event(1, 1));
        event(harness, Samples.event(129, 1)); // the same shard
        event(harness, Samples.event(2, 1)); // another
        event(harness, Samples.event(3, 2));
        assertThat(out(harness)).isEmpty();

        harness.processElement2(new StreamRecord<>(Samples.put(1), 42L));

        assertThat(harness.extractOutputStreamRecords())
                .extracting(StreamRecord::getTimestamp)
                .containsOnly(
                        (Samples.BASE_MICROS + 1_000) / 1_000,
                        (Samples.BASE_MICROS + 129_000) / 1_000,
                        (Samples.BASE_MICROS + 2_000) / 1_000);
        assertThat(ids(harness)).containsExactlyInAnyOrder(1L, 129L, 2L).containsSubsequence(1L, 129L);
    }

    @Test
    void the_wait_begins_only_when_the_content_topic_has_been_read_to_its_end() throws Exception {
        var harness = started();
        harness.setProcessingTime(0);
        event(harness, Samples.event(1, 1));
        harness.setProcessingTime(3_600_000);
        content(harness, new ContentChange.ReadToEnd(0, 2));
        harness.setProcessingTime(7_200_000);
        assertThat(letters(harness)).as("one of two partitions is not enough").isEmpty();

        content(harness, new ContentChange.ReadToEnd(1, 2));
        harness.setProcessingTime(7_200_000 + 29_999);
        assertThat(letters(harness)).isEmpty();
        harness.setProcessingTime(7_200_000 + 30_000);

        assertThat(letters(harness)).extracting(DeadLetter::reason).containsExactly(Reason.UNRESOLVED);
    }

    @Test
    void nothing_is_given_up_while_a_new_partition_of_the_content_topic_is_not_read() throws Exception {
        var harness = started();
        harness.setProcessingTime(0);
        content(harness, new ContentChange.ReadToEnd(0, 1));
        event(harness, Samples.event(1, 1));

        content(harness, new ContentChange.ReadToEnd(0, 2));
        harness.setProcessingTime(60_000);
        // A reader that has not heard of the growth yet.
        content(harness, new ContentChange.ReadToEnd(0, 1));
        harness.setProcessingTime(120_000);
        assertThat(letters(harness)).isEmpty();

        content(harness, new ContentChange.ReadToEnd(1, 2));
        harness.setProcessingTime(120_000 + 29_999);
        assertThat(letters(harness)).as("it waits anew").isEmpty();
        harness.setProcessingTime(120_000 + 30_000);
        assertThat(letters(harness)).hasSize(1);
    }

    @Test
    void each_event_waits_its_own_time_and_is_then_a_letter_with_its_envelope() throws Exception {
        var harness = started();
        content(harness, new ContentChange.ReadToEnd(0, 1));
        harness.setProcessingTime(0);
        event(harness, Samples.event(1, 1));
        harness.setProcessingTime(20_000);
        event(harness, Samples.event(129, 1));

        harness.setProcessingTime(30_000);
        assertThat(letters(harness))
                .extracting(letter -> letter.eventId().number())
                .containsExactly(1L);
        harness.setProcessingTime(49_999);
        assertThat(letters(harness)).hasSize(1);
        harness.setProcessingTime(50_000);
        assertThat(letters(harness))
                .extracting(letter -> letter.eventId().number())
                .containsExactly(1L, 129L);

        DeadLetter letter = letters(harness).get(0);
        assertThat(letter.stage()).isEqualTo("enrich");
        assertThat(letter.source())
                .isEqualTo(new DeadLetter.Source(
                        "events", 1, 1, Samples.event(1, 1).position().timestampMillis()));
        assertThat(new String(letter.payload(), java.nio.charset.StandardCharsets.UTF_8))
                .contains("\"id\":1,")
                .contains("\"op\":\"c\"");
        assertThat(letter.error()).contains(Samples.contentId(1));

        content(harness, Samples.put(1));
        assertThat(out(harness)).as("what was given up stays given up").isEmpty();
    }

    // ------------------------------------------------------------------------------------- contents not required

    private static EnrichmentOptions optional(Duration wait) {
        return new EnrichmentOptions(EngagementRule.DEFAULT, wait, false);
    }

    @Test
    void an_event_that_names_no_content_passes_at_once() throws Exception {
        var harness = harness(new EnrichmentOperator(optional(Duration.ZERO), "events"), 0, 1);
        harness.open();
        event(harness, Samples.eventWithoutContent(1));

        assertThat(out(harness))
                .containsExactly(EngagementRule.DEFAULT.enrich(Samples.eventWithoutContent(1), Content.NONE));
        assertThat(harness.numKeyedStateEntries()).isZero();
    }

    @Test
    void an_unknown_content_holds_an_event_up_only_until_the_content_topic_has_been_read() throws Exception {
        var harness = harness(new EnrichmentOperator(optional(Duration.ZERO), "events"), 0, 1);
        harness.open();
        event(harness, Samples.event(1, 1));
        event(harness, Samples.event(2, 2));
        harness.setProcessingTime(3_600_000);
        content(harness, Samples.put(1));
        assertThat(out(harness)).containsExactly(Samples.enriched(1, 1));

        content(harness, new ContentChange.ReadToEnd(0, 1));
        event(harness, Samples.event(3, 3));
        event(harness, Samples.event(4, 1));

        assertThat(out(harness))
                .containsExactly(
                        Samples.enriched(1, 1),
                        EngagementRule.DEFAULT.enrich(Samples.event(2, 2), Content.NONE),
                        EngagementRule.DEFAULT.enrich(Samples.event(3, 3), Content.NONE),
                        Samples.enriched(4, 1));
        assertThat(letters(harness)).isEmpty();
        assertThat(harness.numProcessingTimeTimers()).isZero();
    }

    @Test
    void a_wait_that_is_given_is_waited_and_then_the_event_passes() throws Exception {
        var harness = harness(new EnrichmentOperator(optional(Duration.ofSeconds(5)), "events"), 0, 1);
        harness.open();
        content(harness, new ContentChange.ReadToEnd(0, 1));
        harness.setProcessingTime(0);
        event(harness, Samples.event(1, 1));
        event(harness, Samples.event(2, 2));
        harness.setProcessingTime(4_999);
        assertThat(out(harness)).isEmpty();
        content(harness, Samples.put(1));
        harness.setProcessingTime(5_000);

        assertThat(out(harness))
                .containsExactly(
                        Samples.enriched(1, 1), EngagementRule.DEFAULT.enrich(Samples.event(2, 2), Content.NONE));
        assertThat(letters(harness)).isEmpty();
    }

    @Test
    void a_cold_start_holds_event_time_back_although_nothing_waits_for_long() throws Exception {
        var harness = harness(new EnrichmentOperator(optional(Duration.ZERO), "events"), 0, 1);
        harness.setProcessingTime(0);
        harness.open();
        event(harness, Samples.event(1, 1));
        harness.processBothWatermarks(new Watermark(7));
        assertThat(harness.getOutput()).isEmpty();

        content(harness, new ContentChange.ReadToEnd(0, 1));

        assertThat(harness.getOutput()).hasSize(2).last().isEqualTo(new Watermark(7));
    }

    @Test
    void what_waits_in_a_savepoint_passes_once_contents_are_not_required() throws Exception {
        var before = started();
        content(before, new ContentChange.ReadToEnd(0, 1));
        before.setProcessingTime(0);
        event(before, Samples.event(1, 1));

        var after = harness(new EnrichmentOperator(optional(Duration.ZERO), "events"), 0, 1);
        after.initializeState(before.snapshot(1, 1));
        after.open();
        content(after, new ContentChange.ReadToEnd(0, 1));

        assertThat(ids(after)).containsExactly(1L);
        assertThat(after.numKeyedStateEntries()).isZero();
    }

    /** Timers run by one clock and are judged by another. */
    @Test
    void a_timer_that_fires_before_the_wall_clock_shows_its_time_ends_the_wait() throws Exception {
        var operator = new EnrichmentOperator(OPTIONS, "events");
        var harness = harness(operator, 0, 1);
        harness.open();
        content(harness, new ContentChange.ReadToEnd(0, 1));
        harness.setProcessingTime(0);
        event(harness, Samples.event(1, 1));
        harness.setProcessingTime(29_990);

        Integer shard = EventShards.keyOf(EventShards.shardOf(1));
        operator.setCurrentKey(shard);
        operator.onProcessingTime(new TimerHeapInternalTimer<>(30_000, shard, Samples.contentId(1)));

        assertThat(letters(harness))
                .extracting(letter -> letter.eventId().number())
                .containsExactly(1L);
    }

    @Test
    void events_of_a_deleted_content_wait_like_those_of_an_unknown_one() throws Exception {
        var harness = started();
        content(harness, Samples.put(1));
        content(harness, new ContentChange.Delete(Samples.contentId(1), new Position(0, 2, 0)));
        event(harness, Samples.event(1, 1));
        assertThat(out(harness)).isEmpty();

        content(harness, Samples.put(1));
        assertThat(ids(harness)).containsExactly(1L);
    }

    @Test
    void what_waits_survives_a_restore_and_its_wait_begins_anew() throws Exception {
        var before = started();
        content(before, new ContentChange.ReadToEnd(0, 1));
        before.setProcessingTime(0);
        event(before, Samples.event(1, 1));
        event(before, Samples.event(2, 2));
        OperatorSubtaskState state = before.snapshot(1, 1);

        var after = restored(state, 0, 1);
        after.setProcessingTime(1_000_000);
        assertThat(letters(after)).as("this run has not caught up yet").isEmpty();
        content(after, Samples.put(1));
        assertThat(ids(after)).containsExactly(1L);
        content(after, new ContentChange.ReadToEnd(0, 1));
        after.setProcessingTime(1_029_000);
        assertThat(letters(after)).isEmpty();
        after.setProcessingTime(1_030_000);
        assertThat(letters(after))
                .extracting(letter -> letter.eventId().number())
                .containsExactly(2L);
    }

    @Test
    void what_waits_survives_rescaling() throws Exception {
        var before = started();
        for (long id = 0; id < 300; id++) {
            event(before, Samples.event(id, id % 3));
        }
        OperatorSubtaskState state = before.snapshot(1, 1);

        List<Long> freed = new ArrayList<>();
        for (int subtask = 0; subtask < 3; subtask++) {
            var after = restored(state, subtask, 3);
            for (long content = 0; content < 3; content++) {
                content(after, Samples.put(content));
            }
            freed.addAll(ids(after));
        }
        assertThat(freed).hasSize(300).doesNotHaveDuplicates();
    }

    /** Millions may wait for a content that a catch-up has not reached. */
    @Test
    void the_events_of_a_hot_content_leave_in_their_order_and_lie_in_parts_until_then() throws Exception {
        var operator = new EnrichmentOperator(OPTIONS, "events");
        var before = harness(operator, 0, 1);
        before.open();
        int count = 2 * WaitingEvents.CHUNK_EVENTS + 7;
        List<Long> sent = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            // All of one shard.
            sent.add(1L + 128L * i);
            event(before, Samples.event(1L + 128L * i, 1));
        }
        assertThat(largestPart(operator)).isEqualTo(WaitingEvents.CHUNK_EVENTS);

        var restored = new EnrichmentOperator(OPTIONS, "events");
        var after = harness(restored, 0, 1);
        after.initializeState(before.snapshot(1, 1));
        after.open();
        for (int i = count; i < 2 * count; i++) {
            sent.add(1L + 128L * i);
            event(after, Samples.event(1L + 128L * i, 1));
        }
        assertThat(largestPart(restored)).isEqualTo(WaitingEvents.CHUNK_EVENTS);
        content(after, Samples.put(1));

        assertThat(ids(after)).isEqualTo(sent);
        assertThat(parts(restored)).isEmpty();
        assertThat(shardsOf(sent)).hasSize(1);
    }

    @Test
    void large_events_lie_in_parts_of_fewer() throws Exception {
        var operator = new EnrichmentOperator(OPTIONS, "events");
        var harness = harness(operator, 0, 1);
        harness.open();
        String payload = "\"" + "x".repeat(400_000) + "\"";
        for (int i = 0; i < 8; i++) {
            event(harness, Samples.event(1L + 128L * i, 1).withRawPayload(payload));
        }

        assertThat(largestPart(operator)).isEqualTo(3);
    }

    @Test
    void a_part_of_which_some_are_given_up_keeps_the_others() throws Exception {
        var operator = new EnrichmentOperator(OPTIONS, "events");
        var harness = harness(operator, 0, 1);
        harness.open();
        content(harness, new ContentChange.ReadToEnd(0, 1));
        int early = WaitingEvents.CHUNK_EVENTS + 3;
        int count = 2 * WaitingEvents.CHUNK_EVENTS;
        harness.setProcessingTime(0);
        for (int i = 0; i < count; i++) {
            if (i == early) {
                harness.setProcessingTime(20_000);
            }
            event(harness, Samples.event(1L + 128L * i, 1));
        }
        harness.setProcessingTime(30_000);
        assertThat(letters(harness)).hasSize(early);
        assertThat(letters(harness).get(early - 1).eventId().number()).isEqualTo(1L + 128L * (early - 1));

        event(harness, Samples.event(1L + 128L * count, 1));
        content(harness, Samples.put(1));

        assertThat(ids(harness)).hasSize(count - early + 1).isSorted().startsWith(1L + 128L * early);
        assertThat(parts(operator)).isEmpty();
        event(harness, Samples.event(5, 2));
        harness.setProcessingTime(60_000);
        assertThat(letters(harness)).hasSize(early + 1);
    }

    private static List<Integer> shardsOf(List<Long> ids) {
        return ids.stream().map(EventShards::shardOf).distinct().toList();
    }

    /** How many events each part holds, of all shards and contents. */
    private static List<Integer> parts(EnrichmentOperator operator) throws Exception {
        KeyedStateBackend<Integer> backend = operator.getKeyedStateBackend();
        List<Tuple2<Integer, String>> all = new ArrayList<>();
        try (Stream<Tuple2<Integer, String>> known = backend.getKeysAndNamespaces(WaitingEvents.STATE.getName())) {
            known.forEach(all::add);
        }
        List<Integer> sizes = new ArrayList<>();
        for (Tuple2<Integer, String> each : all) {
            backend.setCurrentKey(each.f0);
            ListState<WaitingEvent> part =
                    backend.getPartitionedState(each.f1, StringSerializer.INSTANCE, WaitingEvents.STATE);
            int size = 0;
            for (WaitingEvent ignored : part.get()) {
                size++;
            }
            sizes.add(size);
        }
        return sizes;
    }

    private static int largestPart(EnrichmentOperator operator) throws Exception {
        return parts(operator).stream().mapToInt(Integer::intValue).max().orElse(0);
    }

    @Test
    void contents_survive_a_restore() throws Exception {
        var before = started();
        content(before, Samples.put(1));
        var after = restored(before.snapshot(1, 1), 0, 1);
        event(after, Samples.event(1, 1));

        assertThat(ids(after)).containsExactly(1L);
    }

    @Test
    void contents_have_no_say_in_event_time() throws Exception {
        var harness = started();
        harness.processWatermarkStatus2(org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus.IDLE);
        harness.processWatermark1(new Watermark(1_234));

        assertThat(harness.getOutput()).contains(new Watermark(1_234));
    }

    /** Leaderboards of a cold start would be without the events that wait, and replace those of another job. */
    @Test
    void event_time_waits_with_the_events_until_the_content_topic_has_been_read() throws Exception {
        var harness = started();
        harness.setProcessingTime(0);
        harness.processWatermarkStatus2(org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus.IDLE);
        harness.processWatermark1(new Watermark(1));
        event(harness, Samples.event(1, 1));
        harness.processWatermark1(new Watermark(2));
        harness.processWatermark1(new Watermark(3));
        assertThat(harness.getOutput()).containsExactly(new Watermark(1));

        content(harness, Samples.put(1));
        content(harness, new ContentChange.ReadToEnd(0, 1));

        assertThat(ids(harness)).containsExactly(1L);
        assertThat(harness.getOutput()).last().isEqualTo(new Watermark(3));
        event(harness, Samples.event(2, 2));
        harness.processWatermark1(new Watermark(4));
        assertThat(harness.getOutput()).as("afterwards nothing waits").last().isEqualTo(new Watermark(4));
    }

    @Test
    void event_time_waits_no_longer_than_an_event_for_a_content_topic_that_is_not_read() throws Exception {
        var harness = started();
        harness.setProcessingTime(0);
        harness.processWatermarkStatus2(org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus.IDLE);
        event(harness, Samples.event(1, 1));
        harness.setProcessingTime(29_999);
        harness.processWatermark1(new Watermark(1));
        assertThat(harness.getOutput()).isEmpty();

        harness.setProcessingTime(30_000);
        harness.processWatermark1(new Watermark(2));
        assertThat(harness.getOutput()).containsExactly(new Watermark(2));
    }

    @Test
    void at_the_end_of_a_bounded_run_what_waits_is_given_up() throws Exception {
        var harness = started();
        event(harness, Samples.event(1, 1));
        event(harness, Samples.event(2, 2));
        harness.endInput1();
        content(harness, Samples.put(2));
        harness.endInput2();

        assertThat(ids(harness)).containsExactly(2L);
        assertThat(letters(harness))
                .extracting(letter -> letter.eventId().number())
                .containsExactly(1L);
    }

    private KeyedTwoInputStreamOperatorTestHarness<Integer, EngagementEvent, ContentChange, EnrichedEvent> started()
            throws Exception {
        var harness = harness(0, 1);
        harness.open();
        return harness;
    }

    private KeyedTwoInputStreamOperatorTestHarness<Integer, EngagementEvent, ContentChange, EnrichedEvent> restored(
            OperatorSubtaskState state, int subtask, int parallelism) throws Exception {
        var harness = harness(subtask, parallelism);
        harness.initializeState(AbstractStreamOperatorTestHarness.repartitionOperatorState(
                state, EventShards.SHARDS, 1, parallelism, subtask));
        harness.open();
        return harness;
    }

    private KeyedTwoInputStreamOperatorTestHarness<Integer, EngagementEvent, ContentChange, EnrichedEvent> harness(
            int subtask, int parallelism) throws Exception {
        return harness(new EnrichmentOperator(OPTIONS, "events"), subtask, parallelism);
    }

    private KeyedTwoInputStreamOperatorTestHarness<Integer, EngagementEvent, ContentChange, EnrichedEvent> harness(
            EnrichmentOperator operator, int subtask, int parallelism) throws Exception {
        var harness = new KeyedTwoInputStreamOperatorTestHarness<>(
                operator, EventShards.ofEvents(), null, EventShards.KEY_TYPE, EventShards.SHARDS, parallelism, subtask);
        opened.add(harness);
        return harness;
    }

    private static void event(
            KeyedTwoInputStreamOperatorTestHarness<Integer, EngagementEvent, ContentChange, EnrichedEvent> harness,
            EngagementEvent event)
            throws Exception {
        harness.processElement1(new StreamRecord<>(event, event.eventTsMicros() / 1_000));
    }

    private static void content(
            KeyedTwoInputStreamOperatorTestHarness<Integer, EngagementEvent, ContentChange, EnrichedEvent> harness,
            ContentChange change)
            throws Exception {
        harness.processElement2(new StreamRecord<>(change));
    }

    private static ContentChange.Put put(long number, String title) {
        Content content = Samples.content(number);
        return new ContentChange.Put(
                new Content(
                        content.id(),
                        content.slug(),
                        title,
                        content.contentType(),
                        content.lengthSeconds(),
                        content.publishTsMicros()),
                ContentChange.Unchanged.NOTHING,
                new Position(0, 100, 0));
    }

    private static List<EnrichedEvent> out(KeyedTwoInputStreamOperatorTestHarness<?, ?, ?, EnrichedEvent> harness) {
        return harness.extractOutputValues();
    }

    private static List<Long> ids(KeyedTwoInputStreamOperatorTestHarness<?, ?, ?, EnrichedEvent> harness) {
        return out(harness).stream().map(enriched -> enriched.event().id()).toList();
    }

    private static List<DeadLetter> letters(KeyedTwoInputStreamOperatorTestHarness<?, ?, ?, ?> harness) {
        var side = harness.getSideOutput(DeadLetterTypes.DEAD_LETTERS);
        return side == null
                ? List.of()
                : side.stream().map(StreamRecord::getValue).toList();
    }
}
