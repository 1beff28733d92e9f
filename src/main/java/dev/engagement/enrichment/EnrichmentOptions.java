package dev.engagement.enrichment;

import dev.engagement.event.EngagementRule;
import java.io.Serializable;
import java.time.Duration;

/**
 * How events are enriched.
 *
 * @param rule the arithmetic
 * @param contentWait how long an event waits for an unknown content, processing time, once the content topic has been
 *     caught up with
 * @param contentRequired whether an event whose content did not come becomes UNRESOLVED; if not, it passes without one
 */
public record EnrichmentOptions(EngagementRule rule, Duration contentWait, boolean contentRequired)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    /** The contract's defaults. */
    public static final EnrichmentOptions DEFAULT =
            new EnrichmentOptions(EngagementRule.DEFAULT, Duration.ofSeconds(30), true);

    public EnrichmentOptions {
        if (contentWait.isNegative()) {
            throw new IllegalArgumentException(
                    "enrichment.content-wait is " + contentWait + "; it must not be negative");
        }
    }
}
