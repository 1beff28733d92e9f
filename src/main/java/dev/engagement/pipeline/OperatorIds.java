package dev.engagement.pipeline;

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
    public static final String LIVE_VIEW_LAST = "live-view-last";
    public static final String LIVE_VIEW_COUNT_PARTIALS = "live-view-count-partials";
    public static final String LIVE_VIEW_COUNT_TOTALS = "live-view-count-totals";
    public static final String LIVE_VIEW_COUNTS = "live-view-counts";
    public static final String LIVE_VIEW_CONTENT_CHANGES = "live-view-content-changes";
    public static final String LIVE_VIEW_CONTENT_METAS = "live-view-content-metas";
    public static final String LIVE_VIEW_METAS = "live-view-metas";
    public static final String DEAD_LETTERS = "dead-letters";
}
