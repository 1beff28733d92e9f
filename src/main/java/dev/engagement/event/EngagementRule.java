package dev.engagement.event;

import org.jspecify.annotations.Nullable;

/**
 * The one function that computes engagement, used by the stream, backfill and everything else.
 *
 * <p>{@code engagement_seconds = duration_ms / 1000}; {@code engagement_pct = engagement_seconds / length_seconds},
 * times 100 in {@link PctMode#PERCENT}, computed exactly and rounded half up once to {@code pctScale} digits. Never
 * clamped.
 *
 * @param pctMode whether the share is a ratio or a percentage
 * @param pctScale digits after the point, 0..9
 * @param nullRule what a missing length does to the seconds
 */
public record EngagementRule(PctMode pctMode, int pctScale, NullRule nullRule) implements java.io.Serializable {

    private static final long serialVersionUID = 1L;

    /** Form of {@code engagement_pct}. */
    public enum PctMode {
        /** 7 s of 300 s is 0.02. */
        RATIO,
        /** 7 s of 300 s is 2.33. */
        PERCENT
    }

    /** What becomes null when an input is null. */
    public enum NullRule {
        /** Seconds survive a missing length. */
        INDEPENDENT,
        /** Both are null if either input is null. */
        EITHER
    }

    /** The contract's defaults. */
    public static final EngagementRule DEFAULT = new EngagementRule(PctMode.RATIO, 2, NullRule.INDEPENDENT);

    /** Largest accepted {@link #pctScale}. */
    public static final int MAX_PCT_SCALE = 9;

    public EngagementRule {
        if (pctScale < 0 || pctScale > MAX_PCT_SCALE) {
            throw new IllegalArgumentException(
                    "enrichment.pct-scale is " + pctScale + "; it must be between 0 and " + MAX_PCT_SCALE);
        }
    }

    /** The event as every destination gets it. */
    public EnrichedEvent enrich(EngagementEvent event, Content content) {
        return new EnrichedEvent(event, content, engagement(event.durationMs(), content.lengthSeconds()));
    }

    /**
     * The two values.
     *
     * @param durationMs milliseconds, not negative, or {@link EngagementEvent#NO_DURATION}
     * @param lengthSeconds seconds; null, zero and negative mean that there is no share
     */
    public Engagement engagement(int durationMs, @Nullable Integer lengthSeconds) {
        boolean noDuration = durationMs == EngagementEvent.NO_DURATION;
        boolean noSeconds = noDuration || (nullRule == NullRule.EITHER && lengthSeconds == null);
        boolean noPct = noDuration || lengthSeconds == null || lengthSeconds <= 0;
        return new Engagement(
                noSeconds ? Engagement.NONE : durationMs,
                noPct ? Engagement.NONE : share(durationMs, lengthSeconds),
                (byte) pctScale);
    }

    /** {@code durationMs * 10^(pctScale - 3) / length}, half up: at most 2^31 * 10^8 * 2 in between, which fits. */
    private long share(long durationMs, long lengthSeconds) {
        int exponent = pctScale - 3 + (pctMode == PctMode.PERCENT ? 2 : 0);
        long numerator = durationMs * (exponent > 0 ? TEN_TO[exponent] : 1);
        long denominator = lengthSeconds * (exponent < 0 ? TEN_TO[-exponent] : 1);
        return (2 * numerator + denominator) / (2 * denominator);
    }

    private static final long[] TEN_TO = {1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000};
}
