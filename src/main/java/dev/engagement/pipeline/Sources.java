package dev.engagement.pipeline;

import dev.engagement.backfill.Rebuild;
import dev.engagement.backfill.RowCount;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.ingest.DecodedRecord;
import dev.engagement.ingest.Ingest;
import dev.engagement.ingest.IngestOptions;
import dev.engagement.source.RangeOptions;
import dev.engagement.source.SourceOptions;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Where the pipeline begins.
 *
 * @param events what arrives of events
 * @param contentChanges what arrives of contents
 */
public record Sources(
        DataStream<DecodedRecord<EngagementEvent>> events, DataStream<DecodedRecord<ContentChange>> contentChanges) {

    /** The two topics, for ever. */
    public static Sources ofTopics(StreamExecutionEnvironment env, IngestOptions options) {
        return new Sources(
                Ingest.events(env, options, false, OperatorIds.EVENTS_SOURCE),
                Ingest.contentChanges(env, options, false, OperatorIds.CONTENT_SOURCE));
    }

    /** The two topics, to the ends they have at the start. */
    public static Sources ofTopicsToTheirEnd(StreamExecutionEnvironment env, IngestOptions options) {
        return new Sources(
                Ingest.events(env, options, true, OperatorIds.EVENTS_SOURCE),
                Ingest.contentChanges(env, options, true, OperatorIds.CONTENT_SOURCE));
    }

    /** The two tables of PostgreSQL: all contents, and then the events of a range. */
    public static Sources ofTables(
            StreamExecutionEnvironment env, SourceOptions source, RangeOptions range, IngestOptions options) {
        Rebuild.Tables tables =
                Rebuild.read(env, source, range, options, OperatorIds.TABLES_SOURCE, OperatorIds.DECODE_ROWS);
        return new Sources(
                tables.events()
                        .process(
                                new RowCount<DecodedRecord<EngagementEvent>>(RowCount.READ),
                                tables.events().getType())
                        .uid(OperatorIds.COUNT_READ)
                        .name("count rows read"),
                tables.contentChanges());
    }
}
