package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.Position;
import dev.engagement.ingest.EventTime.PartitionClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkOutput;

/** Event time of a partition against a list of all that was ever seen. Times are milliseconds. */
class EventTimeProperties {

    private static final long OUT_OF_ORDERNESS = 700;
    private static final long SKEW = 3_000;
    private static final long IDLE = 1_000;
    private static final long START = 1_767_882_000_000L;

    private record Seen(char kind, long atMillis, long timeMillis, long kafkaMillis) {}

    @Property(tries = 500)
    void time_is_as_far_as_all_that_was_seen_shows(@ForAll long seed) {
        Random random = new Random(seed);
        ManualClock clock = new ManualClock(START);
        PartitionClock time = new PartitionClock(
                new EventTimeOptions(
                        Duration.ofMillis(OUT_OF_ORDERNESS), Duration.ofMillis(SKEW), Duration.ofMillis(IDLE)),
                clock);
        Newest output = new Newest();
        List<Seen> all = new ArrayList<>();
        // Silence is counted from when the next emit after a record looks at the clock.
        long lastRecord = START;
        long expected = Long.MIN_VALUE;
        for (int step = 0; step < 200; step++) {
            clock.millis += random.nextInt(600);
            int records = random.nextInt(4) == 0 ? 0 : random.nextInt(3);
            for (int i = 0; i < records; i++) {
                long kafka = clock.millis - random.nextInt(5_000) + random.nextInt(2_000);
                Seen seen = new Seen(
                        "vik".charAt(random.nextInt(3)), clock.millis, kafka + random.nextInt(9_000) - 5_000, kafka);
                all.add(seen);
                time.onEvent(decoded(seen), seen.timeMillis(), output);
            }
            if (random.nextBoolean()) {
                Seen mark = new Seen('m', clock.millis, clock.millis, clock.millis);
                all.add(mark);
                time.onEvent(decoded(mark), mark.timeMillis(), output);
            }
            clock.millis += random.nextInt(300);
            lastRecord = records > 0 ? clock.millis : lastRecord;
            time.onPeriodicEmit(output);

            expected = Math.max(expected, expected(all, lastRecord));
            assertThat(output.watermark).isEqualTo(expected);
        }
    }

    private static long expected(List<Seen> all, long lastRecord) {
        long time = Long.MIN_VALUE;
        for (Seen seen : all) {
            boolean counts =
                    switch (seen.kind()) {
                        case 'v' -> seen.timeMillis() <= seen.kafkaMillis() + SKEW;
                        case 'k' -> true;
                        default -> false;
                    };
            if (counts) {
                time = Math.max(
                        time, seen.kind() == 'k' ? Math.min(seen.timeMillis(), seen.atMillis()) : seen.timeMillis());
            }
        }
        long mark = all.stream()
                .filter(seen -> seen.kind() == 'm')
                .mapToLong(Seen::atMillis)
                .max()
                .orElse(Long.MIN_VALUE);
        if (mark != Long.MIN_VALUE && mark - lastRecord >= IDLE) {
            time = Math.max(time, mark);
        }
        return time == Long.MIN_VALUE ? Long.MIN_VALUE : time - OUT_OF_ORDERNESS - 1;
    }

    private static DecodedRecord<EngagementEvent> decoded(Seen seen) {
        DecodedRecord<EngagementEvent> decoded = new DecodedRecord<>();
        switch (seen.kind()) {
            case 'v' ->
                decoded.accept(
                        new EngagementEvent(
                                1,
                                "c",
                                null,
                                "play",
                                Math.multiplyExact(seen.timeMillis(), 1_000L),
                                0,
                                null,
                                null,
                                false,
                                0,
                                new Position(0, 0, seen.kafkaMillis())),
                        seen.kafkaMillis());
            case 'm' -> decoded.readToEnd(0, 1, seen.atMillis());
            default -> {
                decoded.ignore();
                if (seen.kind() == 'k') {
                    decoded.markKnownUntil(seen.timeMillis());
                }
            }
        }
        return decoded;
    }

    private static final class Newest implements WatermarkOutput {
        private long watermark = Long.MIN_VALUE;

        @Override
        public void emitWatermark(Watermark emitted) {
            // As Flink does, which takes none back.
            watermark = Math.max(watermark, emitted.getTimestamp());
        }

        @Override
        public void markIdle() {
            throw new AssertionError("A partition that is idle would let others run ahead of it");
        }

        @Override
        public void markActive() {}
    }
}
