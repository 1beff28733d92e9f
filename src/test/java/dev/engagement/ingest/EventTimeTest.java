package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.Position;
import dev.engagement.event.Timestamps;
import dev.engagement.ingest.EventTime.PartitionClock;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Event time of one partition, under a clock that only the test moves. Times are milliseconds. */
class EventTimeTest {

    private static final long OUT_OF_ORDERNESS = 2_000;
    private static final long SKEW = 60_000;
    private static final long IDLE = 1_000;
    private static final long START = 1_767_882_000_000L;

    private final ManualClock clock = new ManualClock(START);
    private final Recorded output = new Recorded();
    private final PartitionClock time = new PartitionClock(
            new EventTimeOptions(Duration.ofMillis(OUT_OF_ORDERNESS), Duration.ofMillis(SKEW), Duration.ofMillis(IDLE)),
            clock);
    private final DecodedRecord<EngagementEvent> decoded = new DecodedRecord<>();

    @Test
    void nothing_is_said_before_anything_is_known() {
        clock.millis += 60_000;
        time.onPeriodicEmit(output);

        assertThat(output.watermarks).isEmpty();
    }

    @Test
    void time_stands_behind_the_newest_event_while_events_come() {
        event(START, START);
        event(START - 5_000, START);
        time.onPeriodicEmit(output);

        assertThat(output.newest()).isEqualTo(START - OUT_OF_ORDERNESS - 1);
    }

    @Test
    void an_event_from_the_future_of_its_own_record_moves_nothing() {
        event(START, START);
        event(START + SKEW + 1, START);
        time.onPeriodicEmit(output);
        assertThat(output.newest()).isEqualTo(START - OUT_OF_ORDERNESS - 1);

        event(START + SKEW, START);
        time.onPeriodicEmit(output);
        assertThat(output.newest())
                .as("as far ahead as clocks may differ")
                .isEqualTo(START + SKEW - OUT_OF_ORDERNESS - 1);
    }

    @Test
    void an_event_from_the_future_alone_says_no_time_at_all() {
        event(START + SKEW + 1, START);
        time.onPeriodicEmit(output);

        assertThat(output.watermarks).isEmpty();
    }

    /** The Kafka timestamp decides, and not the wall clock: a replay next week decides alike. */
    @Test
    void what_is_the_future_does_not_depend_on_when_it_is_read() {
        clock.millis = START + Duration.ofDays(7).toMillis();
        event(START + SKEW + 1, START);
        time.onPeriodicEmit(output);

        assertThat(output.watermarks).isEmpty();
    }

    /** As the live view judges, which compares microseconds. */
    @Test
    void the_future_begins_a_microsecond_past_the_allowed_skew() {
        long limitMicros = (1_000_000 + 60_000) * 1_000L;
        assertThat(Timestamps.isAhead(limitMicros, 1_000_000, 60_000)).isFalse();
        assertThat(Timestamps.isAhead(limitMicros + 1, 1_000_000, 60_000)).isTrue();
        assertThat(Timestamps.isAhead(limitMicros, Long.MAX_VALUE, 60_000))
                .as("no overflow")
                .isFalse();
    }

    @Test
    void a_partition_read_to_its_end_follows_the_wall_clock_once_it_is_idle() {
        event(START, START);
        time.onPeriodicEmit(output);

        clock.millis = START + IDLE - 1;
        readToEnd();
        time.onPeriodicEmit(output);
        assertThat(output.newest()).as("not idle yet").isEqualTo(START - OUT_OF_ORDERNESS - 1);

        clock.millis = START + IDLE;
        readToEnd();
        time.onPeriodicEmit(output);
        assertThat(output.newest()).isEqualTo(START + IDLE - OUT_OF_ORDERNESS - 1);
    }

    @Test
    void an_empty_partition_follows_the_wall_clock_too() {
        clock.millis = START + IDLE;
        readToEnd();
        time.onPeriodicEmit(output);

        assertThat(output.newest()).isEqualTo(START + IDLE - OUT_OF_ORDERNESS - 1);
    }

    /** Not being able to fetch looks like silence; only an answer that the end was reached is idleness. */
    @Test
    void a_partition_that_cannot_be_fetched_keeps_its_time() {
        event(START, START);
        clock.millis = START + IDLE;
        readToEnd();
        time.onPeriodicEmit(output);
        long before = output.newest();

        clock.millis = START + Duration.ofHours(1).toMillis();
        time.onPeriodicEmit(output);
        assertThat(output.newest()).isEqualTo(before);
    }

    /** A catch-up of old events after a silence: the mark of before it says nothing about them. */
    @Test
    void records_end_idleness_whatever_they_are() {
        clock.millis = START + 10_000;
        event(START, START);
        time.onPeriodicEmit(output);
        for (Runnable record : List.<Runnable>of(this::ignored, this::letter)) {
            clock.millis += IDLE;
            record.run();
            readToEnd();
            time.onPeriodicEmit(output);
            assertThat(output.newest()).isEqualTo(START - OUT_OF_ORDERNESS - 1);
        }
    }

    /** One partition has an event a second; on the others rows are deleted, some each second, the night long. */
    @Test
    void a_long_delete_beside_an_event_a_second_does_not_hold_event_time_back() {
        EventDecoder decoder = new EventDecoder("events", 1_000_000, clock);
        PartitionClock deleting = new PartitionClock(EventTimeOptions.DEFAULT, clock);
        Recorded deletingOutput = new Recorded();
        for (int second = 0; second < 600; second++) {
            clock.millis = START + second * 1_000L;
            event(clock.millis, clock.millis);
            decoder.decode(deletedAt(clock.millis - 20, clock.millis), decoded);
            deleting.onEvent(decoded, clock.millis, deletingOutput);
            clock.millis += 200;
            decoded.readToEnd(1, 2, clock.millis);
            deleting.onEvent(decoded, clock.millis, deletingOutput);

            time.onPeriodicEmit(output);
            deleting.onPeriodicEmit(deletingOutput);
            assertThat(Math.min(output.newest(), deletingOutput.newest()))
                    .as("of both partitions, in second %d", second)
                    .isGreaterThanOrEqualTo(START + second * 1_000L - 20 - OUT_OF_ORDERNESS - 1);
        }
    }

    /** Capture was down for an hour: what it writes now was committed then, and so are the events that follow. */
    @Test
    void a_delete_in_a_catch_up_of_the_capture_moves_time_to_when_it_was_committed() {
        EventDecoder decoder = new EventDecoder("events", 1_000_000, clock);
        event(START, START);
        clock.millis = START + 3_600_000;
        decoder.decode(deletedAt(START + 5_000, clock.millis), decoded);
        time.onEvent(decoded, clock.millis, output);
        readToEnd();
        time.onPeriodicEmit(output);

        assertThat(output.newest()).isEqualTo(START + 5_000 - OUT_OF_ORDERNESS - 1);
    }

    @Test
    void what_shows_how_far_a_partition_has_come() {
        EventDecoder decoder = new EventDecoder("events", 1_000_000, clock);
        String noSource = "{\"op\":\"u\",\"before\":null,\"after\":{\"id\":1}}";
        String invalid = "{\"op\":\"%s\",\"after\":{\"id\":1},\"source\":{\"ts_ms\":" + (START - 7) + "}}";

        assertThat(knownUntil(decoder, deletedAt(START - 5, START)))
                .as("the commit")
                .isEqualTo(START - 5);
        assertThat(knownUntil(decoder, deletedAt(START + 5, START)))
                .as("no further than the record")
                .isEqualTo(START);
        assertThat(knownUntil(decoder, record(noSource, START)))
                .as("the record, if the source says no time")
                .isEqualTo(START);
        assertThat(knownUntil(decoder, record(invalid.formatted("c"), START)))
                .as("a row that breaks a rule was committed too")
                .isEqualTo(START - 7);
        assertThat(knownUntil(decoder, record(invalid.formatted("r"), START)))
                .as("a row of a snapshot is in no order")
                .isEqualTo(DecodedRecord.UNKNOWN);
        assertThat(knownUntil(decoder, record("not JSON", START))).isEqualTo(DecodedRecord.UNKNOWN);
        assertThat(knownUntil(decoder, record(null, START)))
                .as("its delete has said it")
                .isEqualTo(DecodedRecord.UNKNOWN);
    }

    @Test
    void clocks_that_are_wrong_upstream_take_time_no_further_than_the_wall_clock() {
        EventDecoder decoder = new EventDecoder("events", 1_000_000, clock);
        decoder.decode(deletedAt(START + 86_400_000, START + 86_400_000), decoded);
        time.onEvent(decoded, START + 86_400_000, output);
        time.onPeriodicEmit(output);

        assertThat(output.newest()).isEqualTo(START - OUT_OF_ORDERNESS - 1);
    }

    private long knownUntil(EventDecoder decoder, ConsumerRecord<byte[], byte[]> record) {
        decoder.decode(record, decoded);
        return decoded.knownUntilMillis();
    }

    private static ConsumerRecord<byte[], byte[]> deletedAt(long committedMillis, long kafkaMillis) {
        return record(
                "{\"before\":{\"id\":1},\"after\":null,\"source\":{\"ts_ms\":" + committedMillis + "},\"op\":\"d\"}",
                kafkaMillis);
    }

    private static ConsumerRecord<byte[], byte[]> record(@Nullable String value, long kafkaMillis) {
        return new ConsumerRecord<>(
                "events",
                0,
                0,
                kafkaMillis,
                TimestampType.CREATE_TIME,
                ConsumerRecord.NULL_SIZE,
                ConsumerRecord.NULL_SIZE,
                null,
                value == null ? null : value.getBytes(StandardCharsets.UTF_8),
                new RecordHeaders(),
                Optional.empty());
    }

    @Test
    void the_wall_clock_never_takes_time_back() {
        event(START + 30_000, START);
        clock.millis = START + IDLE;
        readToEnd();
        time.onPeriodicEmit(output);

        assertThat(output.newest()).isEqualTo(START + 30_000 - OUT_OF_ORDERNESS - 1);
    }

    private void event(long eventMillis, long kafkaMillis) {
        decoded.accept(
                new EngagementEvent(
                        1,
                        "c",
                        null,
                        "play",
                        Math.multiplyExact(eventMillis, 1_000L),
                        0,
                        null,
                        null,
                        false,
                        0,
                        new Position(0, 0, kafkaMillis)),
                kafkaMillis);
        time.onEvent(decoded, eventMillis, output);
    }

    private void ignored() {
        decoded.ignore();
        time.onEvent(decoded, clock.millis, output);
    }

    private void letter() {
        decoded.reject(DeadLetter.of(
                Reason.INVALID,
                "decode",
                "bad",
                clock.millis,
                new DeadLetter.Source("t", 0, 0, clock.millis),
                null,
                null,
                List.of()));
        time.onEvent(decoded, clock.millis, output);
    }

    private void readToEnd() {
        decoded.readToEnd(0, 1, clock.millis);
        time.onEvent(decoded, clock.millis, output);
    }

    private static final class Recorded implements WatermarkOutput {
        private final List<Long> watermarks = new ArrayList<>();

        long newest() {
            return watermarks.get(watermarks.size() - 1);
        }

        @Override
        public void emitWatermark(Watermark watermark) {
            watermarks.add(watermark.getTimestamp());
        }

        @Override
        public void markIdle() {
            throw new AssertionError("A partition that is idle would let others run ahead of it");
        }

        @Override
        public void markActive() {}
    }
}
