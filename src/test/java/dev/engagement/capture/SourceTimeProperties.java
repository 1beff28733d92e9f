package dev.engagement.capture;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Locale;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

class SourceTimeProperties {

    /** PostgreSQL's least and greatest timestamp, in seconds since 1970. */
    private static final long LEAST = -210_866_803_200L;

    private static final long GREATEST = 9_224_318_015_999L;

    /** Written as PostgreSQL's EncodeDateTime writes it. */
    @Property
    void what_PostgreSQL_writes_is_read(
            @ForAll @LongRange(min = LEAST, max = GREATEST) long seconds,
            @ForAll @IntRange(max = 999_999) int micros,
            @ForAll @IntRange(min = -57_599, max = 57_599) int offsetSeconds) {
        OffsetDateTime time = OffsetDateTime.ofInstant(
                Instant.ofEpochSecond(seconds, micros * 1_000L), ZoneOffset.ofTotalSeconds(offsetSeconds));
        int year = time.getYear();
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT,
                "%04d-%02d-%02d %02d:%02d:%02d",
                year > 0 ? year : 1 - year,
                time.getMonthValue(),
                time.getDayOfMonth(),
                time.getHour(),
                time.getMinute(),
                time.getSecond()));
        if (time.getNano() != 0) {
            text.append(
                    String.format(Locale.ROOT, ".%06d", time.getNano() / 1_000).replaceAll("0+$", ""));
        }
        String era = year > 0 ? "" : " BC";
        assertThat(SourceTime.date(text.substring(0, text.indexOf(" ")) + era)).isEqualTo(time.toLocalDate());
        assertThat(SourceTime.local(text + era))
                .isEqualTo(time.toLocalDateTime().atOffset(ZoneOffset.UTC));
        int offset = Math.abs(offsetSeconds);
        text.append(offsetSeconds < 0 ? '-' : '+').append(String.format(Locale.ROOT, "%02d", offset / 3600));
        if (offset % 3600 != 0) {
            text.append(String.format(Locale.ROOT, ":%02d", offset / 60 % 60));
        }
        if (offset % 60 != 0) {
            text.append(String.format(Locale.ROOT, ":%02d", offset % 60));
        }
        text.append(era);

        assertThat(SourceTime.zoned(text.toString())).isEqualTo(time.withOffsetSameInstant(ZoneOffset.UTC));
        assertThat(SourceTime.zoned(text.toString()).getOffset()).isEqualTo(ZoneOffset.UTC);
    }
}
