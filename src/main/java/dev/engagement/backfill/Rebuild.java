package dev.engagement.backfill;

import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.ingest.DecodedRecord;
import dev.engagement.ingest.DecodedRecordTypes;
import dev.engagement.ingest.IngestOptions;
import dev.engagement.source.ContentRow;
import dev.engagement.source.EventRow;
import dev.engagement.source.RangeOptions;
import dev.engagement.source.RowDecoder;
import dev.engagement.source.SourceOptions;
import dev.engagement.source.TableRow;
import java.time.Clock;
import java.time.Duration;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;

/** History through the same pipeline: the two tables as if they were the two topics. */
public final class Rebuild {

    /**
     * Event time stands still a little behind the wall clock: ids are no order of event_ts, so that no other time would leave
     * none late. What could still be on a leaderboard is kept until the input ends, whose boards are then those of the newest
     * event; what is older is on none, and costs nothing.
     */
    private static final Duration BEHIND_THE_WALL_CLOCK = Duration.ofMinutes(2);

    private static final OutputTag<DecodedRecord<ContentChange>> CONTENTS =
            new OutputTag<>("contents", DecodedRecordTypes.CONTENT);

    private Rebuild() {}

    /**
     * What the pipeline begins with.
     *
     * @param events records of events
     * @param contentChanges records of contents, complete before the first event is read
     */
    public record Tables(
            DataStream<DecodedRecord<EngagementEvent>> events,
            DataStream<DecodedRecord<ContentChange>> contentChanges) {}

    /**
     * Reads the tables; bounded. Rows that were read are counted in {@link RowCount#READ}.
     *
     * @param ingest of which the topics' names, for letters, the largest record and whether a content is required count
     * @param sourceUid uid of the source
     * @param decodeUid uid of the stage that decodes rows
     */
    public static Tables read(
            StreamExecutionEnvironment env,
            SourceOptions source,
            RangeOptions range,
            IngestOptions ingest,
            String sourceUid,
            String decodeUid) {
        return read(env, new RebuildSource(source, range), ingest, sourceUid, decodeUid);
    }

    static Tables read(
            StreamExecutionEnvironment env,
            RebuildSource source,
            IngestOptions ingest,
            String sourceUid,
            String decodeUid) {
        WatermarkStrategy<TableRow> eventTime = WatermarkStrategy.<TableRow>forGenerator(
                        context -> new StandingClock(System.currentTimeMillis() - BEHIND_THE_WALL_CLOCK.toMillis()))
                .withTimestampAssigner((row, before) -> 0);
        SingleOutputStreamOperator<DecodedRecord<EngagementEvent>> events = env.fromSource(
                        source, eventTime, "tables", TableRowType.ROWS)
                .uid(sourceUid)
                .process(
                        new Decode(
                                ingest.eventsTopic(),
                                ingest.contentTopic(),
                                ingest.maxRecordBytes().getBytes(),
                                ingest.rules().contentRequired()),
                        DecodedRecordTypes.EVENTS)
                .uid(decodeUid)
                .name("decode rows");
        return new Tables(events, events.getSideOutput(CONTENTS));
    }

    /** Rows as records: events on, contents aside. */
    private static final class Decode extends ProcessFunction<TableRow, DecodedRecord<EngagementEvent>> {

        private static final long serialVersionUID = 1L;

        private final String eventsTopic;
        private final String contentTopic;
        private final long maxRecordBytes;
        private final boolean contentRequired;
        private transient RowDecoder decoder;
        private transient DecodedRecord<EngagementEvent> event;
        private transient DecodedRecord<ContentChange> content;
        private transient long contents;

        Decode(String eventsTopic, String contentTopic, long maxRecordBytes, boolean contentRequired) {
            this.eventsTopic = eventsTopic;
            this.contentTopic = contentTopic;
            this.maxRecordBytes = maxRecordBytes;
            this.contentRequired = contentRequired;
        }

        @Override
        public void open(Configuration configuration) {
            Clock clock = Clock.systemUTC();
            decoder = new RowDecoder(eventsTopic, contentTopic, maxRecordBytes, contentRequired, clock.millis(), clock);
            event = new DecodedRecord<>();
            content = new DecodedRecord<>();
        }

        @Override
        public void processElement(TableRow row, Context context, Collector<DecodedRecord<EngagementEvent>> out) {
            if (row instanceof EventRow one) {
                decoder.decode(one, event);
                out.collect(event);
            } else if (row instanceof ContentRow one) {
                decoder.decode(one, contents++, content);
                context.output(CONTENTS, content);
            } else {
                content.readToEnd(0, 1, Clock.systemUTC().millis());
                context.output(CONTENTS, content);
            }
        }
    }

    private static final class StandingClock implements WatermarkGenerator<TableRow> {

        private final Watermark time;

        StandingClock(long millis) {
            this.time = new Watermark(millis);
        }

        @Override
        public void onEvent(TableRow row, long timestamp, WatermarkOutput output) {}

        @Override
        public void onPeriodicEmit(WatermarkOutput output) {
            output.emitWatermark(time);
        }
    }
}
