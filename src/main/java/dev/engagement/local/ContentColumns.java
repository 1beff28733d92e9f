package dev.engagement.local;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What an enriched event takes from its content; times as texts with six digits of a second, UTC. */
record ContentColumns(
        @Nullable String slug,
        @Nullable String title,
        @Nullable String contentType,
        @Nullable String lengthSeconds,
        @Nullable String publishTs,
        @Nullable BigDecimal pct) {

    private static final int PCT_SCALE = 2;
    private static final DateTimeFormatter ISO_MICROS =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

    /** As an event of that duration shows that version. */
    static ContentColumns of(ContentRow version, @Nullable Integer durationMs) {
        Integer length = version.lengthSeconds();
        BigDecimal pct = length == null || length <= 0 || durationMs == null
                ? null
                : BigDecimal.valueOf(durationMs)
                        .divide(BigDecimal.valueOf(1_000L * length), PCT_SCALE, RoundingMode.HALF_UP);
        return new ContentColumns(
                version.slug(),
                version.title(),
                version.contentType(),
                length == null ? null : length.toString(),
                iso(version.publishTs()),
                pct);
    }

    /** Equal but for trailing zeros. */
    boolean matches(ContentColumns other) {
        return Objects.equals(slug, other.slug)
                && Objects.equals(title, other.title)
                && Objects.equals(contentType, other.contentType)
                && Objects.equals(lengthSeconds, other.lengthSeconds)
                && Objects.equals(publishTs, other.publishTs)
                && sameNumber(pct, other.pct);
    }

    static String iso(Instant instant) {
        return ISO_MICROS.format(instant);
    }

    static boolean sameNumber(@Nullable BigDecimal one, @Nullable BigDecimal other) {
        return one == null ? other == null : other != null && one.compareTo(other) == 0;
    }
}
