package dev.engagement.pipeline;

import dev.engagement.delivery.DeliveryStreams;
import dev.engagement.ranking.Ranking;
import dev.engagement.rollup.Rollups;

/**
 * The uid of every operator of the stream. State is found by them: a uid never changes and is never used again for
 * something else; a name may change.
 */
public final class OperatorIds {

    private OperatorIds() {}

    public static final String EVENTS_SOURCE = "events-source";
    public static final String CONTENT_SOURCE = "content-source";
    public static final String DECODE_EVENTS = "decode-events";
    public static final String DECODE_CONTENT = "decode-content";
    public static final String ENRICH = "enrich";
    public static final String DEDUPE = "dedupe";
    public static final Ranking.Uids RANKING =
            new Ranking.Uids("ranking-partials", "ranking-standings", "ranking-merge");
    public static final String LIVE_VIEW_LAST = "live-view-last-events";
    public static final String LIVE_VIEW_COUNT_PARTIALS = "live-view-count-partials";
    public static final String LIVE_VIEW_COUNTS = "live-view-tallies";
    public static final String LIVE_VIEW_BOARDS = "live-view-boards";
    public static final String LIVE_VIEW_CONTENT_CHANGES = "live-view-content-changes";
    public static final String LIVE_VIEW_CONTENTS = "live-view-contents";
    public static final String WAREHOUSE_APPEND = "warehouse-append";
    public static final String WAREHOUSE_COMMIT = "warehouse-commit";
    public static final String CLICKHOUSE_APPEND = "clickhouse-append";
    public static final String CLICKHOUSE_COMMIT = "clickhouse-commit";
    public static final Rollups.Uids ROLLUPS = new Rollups.Uids("rollup-partials", "rollup-cells");
    public static final String ROLLUP_TABLES = "rollup-tables";
    public static final String LIVE_VIEW_ROLLUPS = "live-view-rollups";
    public static final DeliveryStreams.Uids DELIVERY = new DeliveryStreams.Uids(
            "delivery-live",
            "delivery-inserted-after-snapshot",
            "delivery-drain-source",
            "delivery-drain",
            "delivery-retries",
            "delivery-receipts");

    /** Of a rebuild only. */
    public static final String TABLES_SOURCE = "tables-source";

    public static final String DECODE_ROWS = "decode-rows";
    public static final String COUNT_READ = "count-rows-read";
    public static final String COUNT_GIVEN = "count-rows-given";
    public static final String COUNT_GIVEN_END = "count-rows-given-end";
    public static final String COUNT_LETTERS = "count-letters";

    public static final String DEAD_LETTERS = "dead-letters";
}
