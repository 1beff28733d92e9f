package dev.engagement.event;

import java.math.BigDecimal;

/**
 * The two values that enrichment computes, in exact integers.
 *
 * @param millis engagement in milliseconds ({@code engagement_seconds * 1000}), or {@link #NONE}
 * @param pctUnscaled {@code engagement_pct * 10^pctScale}, or {@link #NONE}
 * @param pctScale digits after the point of {@code engagement_pct}, 0..9
 */
public record Engagement(int millis, long pctUnscaled, byte pctScale) {

    /** No value: null in every text form. */
    public static final int NONE = -1;

    /** Whether {@code engagement_seconds} is not null. */
    public boolean hasSeconds() {
        return millis != NONE;
    }

    /** Whether {@code engagement_pct} is not null. */
    public boolean hasPct() {
        return pctUnscaled != NONE;
    }

    /** Seconds in the fewest digits, at least one after the point: 7000 is {@code 7.0}, 1234 is {@code 1.234}. */
    public String secondsText() {
        int fraction = millis % 1000;
        StringBuilder text = new StringBuilder(14).append(millis / 1000).append('.');
        text.append(fraction / 100);
        if (fraction % 100 != 0) {
            text.append(fraction / 10 % 10);
            if (fraction % 10 != 0) {
                text.append(fraction % 10);
            }
        }
        return text.toString();
    }

    /** The percentage or ratio with exactly {@code pctScale} digits after the point. */
    public String pctText() {
        return BigDecimal.valueOf(pctUnscaled, pctScale).toPlainString();
    }
}
