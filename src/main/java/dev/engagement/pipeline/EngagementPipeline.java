package dev.engagement.pipeline;

import dev.engagement.dedupe.Dedupe;
import dev.engagement.enrichment.Enrichment;
import dev.engagement.ingest.Ingest;
import dev.engagement.ranking.Ranking;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;

/**
 * The drawing as code. The stream, a rebuild and every test call the same {@link #wire} and swap only the ends.
 *
 * <pre>
 *  content topic ──► content changes ──────────broadcast─────┐
 *                                                            ▼
 *  events topic ──► decode ──by shard of the id──────────► enrich ─► dedupe ─► unique
 *                     │                                      │                   ├─► live view: last, counts, buckets
 *                     │                                      │                   ├─► ranking ─► live view: leaderboards
 *                     │                                      │                   ├─► rollups ─► PostgreSQL; live view: rollups
 *                     │                                      │                   ├─► warehouses
 *                     ▼                                      ▼                   │       │
 *                  DEAD LETTERS ◄────────────────────────────┴───────────────────┼───────┤
 *                                                                                └─► deliver ─► receiver
 *                                                                    overload, open │ ▲
 *                                                                           circuit ▼ │
 *                                                             delivery-retry topic ──► drain ─► receiver
 * </pre>
 *
 * <p>A whole event crosses the network once, between decode and enrich. Enrich, dedupe and what hangs on {@code unique}
 * are chained; what must be brought together by content crosses as partial sums.
 */
public final class EngagementPipeline {

    private EngagementPipeline() {}

    /** Connects the stages, in the order of the drawing. */
    public static void wire(Sources in, Rules rules, Destinations out) {
        var contents = Ingest.decodeContent(in.contentChanges())
                .uid(OperatorIds.DECODE_CONTENT)
                .name("decode content");
        var decoded = Ingest.decode(in.events(), rules.eventTime())
                .uid(OperatorIds.DECODE_EVENTS)
                .name("decode events");
        var enriched = Enrichment.join(decoded, contents, rules.enrichment(), rules.eventsTopic())
                .uid(OperatorIds.ENRICH)
                .name("enrich");
        var unique = Dedupe.byEventId(enriched, rules.dedupe(), rules.eventsTopic())
                .uid(OperatorIds.DEDUPE)
                .name("dedupe");
        List<SingleOutputStreamOperator<?>> withLetters = new ArrayList<>(List.of(decoded, contents, enriched));
        if (rules.dedupe().conflictWindow() > 0) {
            withLetters.add(unique);
        }

        var liveView = out.liveView();
        if (liveView != null) {
            liveView.show(unique, Ranking.slidingTopN(unique, rules.ranking(), OperatorIds.RANKING), contents);
        }
        for (var warehouse : out.warehouses()) {
            withLetters.add(warehouse.append(unique));
        }
        var rollups = out.rollups();
        if (rollups != null) {
            rollups.keep(unique);
        }
        var delivery = out.delivery();
        if (delivery != null) {
            withLetters.addAll(delivery.post(unique, unique.getSideOutput(Dedupe.INSERTED_AFTER_SNAPSHOT)));
        }
        out.deadLetters().keep(withLetters.toArray(SingleOutputStreamOperator<?>[]::new));
    }
}
