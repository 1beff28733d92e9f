package dev.engagement.pipeline;

import dev.engagement.dedupe.DedupeOptions;
import dev.engagement.enrichment.EnrichmentOptions;
import dev.engagement.ingest.EventTimeOptions;
import dev.engagement.ranking.RankingOptions;

/**
 * How the stages between the ends work.
 *
 * @param eventsTopic named in dead letters
 * @param eventTime how event time moves
 * @param enrichment how events are enriched
 * @param dedupe how long ids are remembered
 * @param ranking what the leaderboards show
 */
public record Rules(
        String eventsTopic,
        EventTimeOptions eventTime,
        EnrichmentOptions enrichment,
        DedupeOptions dedupe,
        RankingOptions ranking) {}
