package dev.engagement.event;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.StringLength;

/** Against {@code java.time}. */
class TimestampsProperties {

    private static final DateTimeFormatter SIX_DIGITS =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);

    @Property
    void formats_like_java_time(
            @ForAll @LongRange(min = Timestamps.MIN_MICROS, max = Timestamps.MAX_MICROS) long micros) {
        assertThat(Timestamps.format(micros)).isEqualTo(SIX_DIGITS.format(instant(micros)));
    }

    @Property
    void reads_what_it_formats(
            @ForAll @LongRange(min = Timestamps.MIN_MICROS, max = Timestamps.MAX_MICROS) long micros) {
        assertThat(Timestamps.parse(Timestamps.format(micros))).isEqualTo(micros);
    }

    @Property
    void reads_any_offset_like_java_time(
            @ForAll @LongRange(min = Timestamps.MIN_MICROS, max = Timestamps.MAX_MICROS) long micros,
            @ForAll @IntRange(min = -64_800, max = 64_800) int offsetSeconds) {
        OffsetDateTime there = instant(micros).atOffset(ZoneOffset.ofTotalSeconds(offsetSeconds));
        if (there.getYear() < 1 || there.getYear() > 9999) {
            return;
        }
        assertThat(Timestamps.parse(DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSSXXXXX")
                        .format(there)))
                .isEqualTo(micros);
    }

    @Property
    void never_throws_and_accepts_only_what_java_time_accepts(
            @ForAll
                    @StringLength(max = 32)
                    @net.jqwik.api.constraints.Chars({'0', '1', '2', '9', '-', ':', '.', 'T', 'Z', '+', ' '})
                    String text) {
        long micros = Timestamps.parse(text);
        if (micros != Timestamps.INVALID) {
            assertThat(OffsetDateTime.parse(text.replace(' ', 'T')).toInstant()).isEqualTo(instant(micros));
        }
    }

    @Property
    void rejects_days_that_do_not_exist(
            @ForAll @IntRange(min = 1, max = 9999) int year,
            @ForAll @IntRange(min = 0, max = 13) int month,
            @ForAll @IntRange(min = 0, max = 32) int day) {
        String text = String.format("%04d-%02d-%02dT00:00:00Z", year, month, day);
        boolean exists = month >= 1
                && month <= 12
                && day >= 1
                && day <= java.time.YearMonth.of(year, month).lengthOfMonth();
        assertThat(Timestamps.parse(text) != Timestamps.INVALID).as(text).isEqualTo(exists);
    }

    private static Instant instant(long micros) {
        return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }
}
