package dev.engagement.ranking;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Standings;
import dev.engagement.event.types.EventShards;
import dev.engagement.event.types.EventTypes;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;

/** The stage that keeps the leaderboards. */
public final class Ranking {

    private Ranking() {}

    /**
     * The uids of the three operators; a stage's name is what the Flink UI shows.
     *
     * @param partials of the stateless first one, where the events are
     * @param standings of the one that holds the window, by content
     * @param merge of the one task that publishes
     */
    public record Uids(String partials, String standings, String merge) {}

    /**
     * The standings at each slide end that event time has passed.
     *
     * @param unique every event once, with the watermarks of the events' topic
     */
    public static SingleOutputStreamOperator<Standings> slidingTopN(
            DataStream<EnrichedEvent> unique, RankingOptions options, Uids uids) {
        return unique.transform("ranking partials", RankingPartial.TYPE, new PanePartials(options))
                .uid(uids.partials())
                .keyBy(RankingPartial::key, EventShards.KEY_TYPE)
                .transform("shard standings", ShardStandings.TYPE, new StandingsOperator(options))
                .uid(uids.standings())
                .global()
                .transform("standings", EventTypes.STANDINGS, new MergeStandings(options))
                .uid(uids.merge())
                .forceNonParallel();
    }
}
