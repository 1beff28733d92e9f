package dev.engagement.ingest;

import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.Timestamps;
import java.time.Clock;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;

/**
 * Event time of one partition: behind its newest event while events come, and behind the wall clock while none come and
 * the partition is known to have been read to its end. A partition that cannot be fetched keeps its time. Records that are
 * no events end idleness too, as older events may follow them, and move time as far as they show the partition to have
 * come: a long DELETE must not hold it back.
 */
final class EventTime {

    private EventTime() {}

    /** Event time of the events topic, for each partition on its own. */
    static WatermarkStrategy<DecodedRecord<EngagementEvent>> ofEvents(EventTimeOptions options) {
        return WatermarkStrategy.<DecodedRecord<EngagementEvent>>forGenerator(
                        context -> new PartitionClock(options, Clock.systemUTC()))
                .withTimestampAssigner((decoded, kafkaTimestamp) -> decoded.kind() == DecodedRecord.Kind.VALUE
                        ? Math.floorDiv(decoded.value().eventTsMicros(), 1_000)
                        : kafkaTimestamp);
    }

    /** Contents have no event time, and never hold that of events back. */
    static WatermarkStrategy<DecodedRecord<ContentChange>> ofContent() {
        return WatermarkStrategy.<DecodedRecord<ContentChange>>forGenerator(context -> new AlwaysIdle());
    }

    /** The watermark generator of one partition. */
    static final class PartitionClock implements WatermarkGenerator<DecodedRecord<EngagementEvent>> {

        private final long maxOutOfOrdernessMillis;
        private final long maxClockSkewMillis;
        private final long idleTimeoutMillis;
        private final Clock clock;

        private long newestMillis = Long.MIN_VALUE;
        private long knownUntilMillis = DecodedRecord.UNKNOWN;
        private long readToEndAtMillis = Long.MIN_VALUE;
        private long lastRecordAtMillis;
        private boolean recordsSinceLastEmit;

        PartitionClock(EventTimeOptions options, Clock clock) {
            this.maxOutOfOrdernessMillis = options.maxOutOfOrderness().toMillis();
            this.maxClockSkewMillis = options.maxClockSkew().toMillis();
            this.idleTimeoutMillis = options.idleTimeout().toMillis();
            this.clock = clock;
            this.lastRecordAtMillis = clock.millis();
        }

        @Override
        public void onEvent(DecodedRecord<EngagementEvent> decoded, long eventMillis, WatermarkOutput output) {
            switch (decoded.kind()) {
                case VALUE -> {
                    recordsSinceLastEmit = true;
                    if (eventMillis > newestMillis
                            && !Timestamps.isAhead(
                                    decoded.value().eventTsMicros(),
                                    decoded.kafkaTimestampMillis(),
                                    maxClockSkewMillis)) {
                        newestMillis = eventMillis;
                    }
                }
                case READ_TO_END -> readToEndAtMillis = Math.max(readToEndAtMillis, decoded.readToEndAtMillis());
                case IGNORED, LETTER -> {
                    recordsSinceLastEmit = true;
                    if (decoded.knownUntilMillis() > knownUntilMillis) {
                        // Never ahead of the wall clock, whatever the clocks of database and broker say.
                        knownUntilMillis =
                                Math.max(knownUntilMillis, Math.min(decoded.knownUntilMillis(), clock.millis()));
                    }
                }
            }
        }

        @Override
        public void onPeriodicEmit(WatermarkOutput output) {
            if (recordsSinceLastEmit) {
                // Asking for the time once per emit, not per event.
                recordsSinceLastEmit = false;
                lastRecordAtMillis = clock.millis();
            }
            boolean idle =
                    readToEndAtMillis != Long.MIN_VALUE && readToEndAtMillis - lastRecordAtMillis >= idleTimeoutMillis;
            long known = Math.max(newestMillis, knownUntilMillis);
            long time = idle ? Math.max(known, readToEndAtMillis) : known;
            if (time != Long.MIN_VALUE) {
                output.emitWatermark(new Watermark(time - maxOutOfOrdernessMillis - 1));
            }
        }
    }

    private static final class AlwaysIdle implements WatermarkGenerator<DecodedRecord<ContentChange>> {
        @Override
        public void onEvent(DecodedRecord<ContentChange> decoded, long timestamp, WatermarkOutput output) {
            output.markIdle();
        }

        @Override
        public void onPeriodicEmit(WatermarkOutput output) {
            output.markIdle();
        }
    }
}
