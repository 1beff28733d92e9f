package dev.engagement.liveview;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.liveview.RecordedWrites.Member;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

/** A tally against a plain map of minutes. */
class TallyProperties {

    private static final LiveViewKeys KEYS = new LiveViewKeys("");

    /** Events of a minute, or of none that is shown. */
    record Seen(long minute, long events, boolean inMinute) {}

    @Property
    void a_tally_is_the_sum_of_what_was_added_and_what_was_before_does_not_change(@ForAll("seen") List<Seen> all) {
        Tally tally = Tally.none("c");
        long total = 0;
        SortedMap<Long, Long> minutes = new TreeMap<>();
        for (Seen seen : all) {
            Tally before = tally;
            long totalBefore = total;
            SortedMap<Long, Long> minutesBefore = new TreeMap<>(minutes);

            tally = tally.plus(seen.events);
            total += seen.events;
            if (seen.inMinute) {
                tally = tally.plusInMinute(seen.minute, seen.events);
                minutes.merge(seen.minute, seen.events, Long::sum);
            }

            assertSame(before, totalBefore, minutesBefore);
            assertSame(tally, total, minutes);
        }
    }

    @Property
    void what_is_alive_is_the_total_and_every_minute_that_is_kept(
            @ForAll("seen") List<Seen> all, @ForAll @LongRange(min = -8, max = 40) long nowMinute) {
        long now = nowMinute * 60_000 + 1;
        SortedMap<Long, Long> minutes = minutes(all);
        minutes.keySet().removeIf(minute -> (minute + 1 + 15 + 1) * 60_000 <= now);

        assertSame(tally(all).aliveAt(now), all.stream().mapToLong(Seen::events).sum(), minutes);
    }

    @Property
    void what_is_written_are_the_minutes_of_the_mask_that_are_shown(
            @ForAll("seen") List<Seen> all, @ForAll long mask, @ForAll @LongRange(min = -8, max = 40) long nowMinute) {
        long now = nowMinute * 60_000 + 1;
        SortedMap<Long, Long> minutes = minutes(all);
        minutes.keySet().removeIf(minute -> (mask & Tally.partOf(minute)) == 0);
        int ofMask = minutes.size();
        minutes.keySet().removeIf(minute -> (minute + 1 + 15) * 60_000 <= now);

        RecordedWrites written = RecordedWrites.of(tally(all), KEYS, mask, now);

        SortedMap<Long, Long> members = new TreeMap<>();
        for (Member member : written.members) {
            members.put(member.minute(), member.events());
        }
        assertThat(members).isEqualTo(minutes);
        assertThat(written.members).hasSameSizeAs(minutes.keySet());
        assertThat(written.expired).isEqualTo(ofMask - minutes.size());
        assertThat(written.writes).hasSize((mask & Tally.TOTAL_PART) == 0 ? 0 : 1);
    }

    @Property
    void a_part_is_one_bit_which_no_other_minute_of_an_hour_has(
            @ForAll @LongRange(min = -1_035_593_280L, max = 4_223_371_680L) long minute,
            @ForAll @IntRange(min = 1, max = 59) int later) {
        long part = Tally.partOf(minute);

        assertThat(Long.bitCount(part)).isEqualTo(1);
        assertThat(part & Tally.MINUTE_PARTS).isEqualTo(part);
        assertThat(part & Tally.TOTAL_PART).isZero();
        assertThat(part & Tally.partOf(minute + later)).isZero();
        assertThat(Tally.partOf(minute + 60)).isEqualTo(part);
    }

    private static Tally tally(List<Seen> all) {
        Tally tally = Tally.none("c");
        for (Seen seen : all) {
            tally = tally.plus(seen.events);
            if (seen.inMinute) {
                tally = tally.plusInMinute(seen.minute, seen.events);
            }
        }
        return tally;
    }

    private static SortedMap<Long, Long> minutes(List<Seen> all) {
        SortedMap<Long, Long> minutes = new TreeMap<>();
        all.stream().filter(Seen::inMinute).forEach(seen -> minutes.merge(seen.minute, seen.events, Long::sum));
        return minutes;
    }

    private static void assertSame(Tally tally, long total, SortedMap<Long, Long> minutes) {
        assertThat(tally.total()).isEqualTo(total);
        assertThat(Arrays.stream(tally.minutes()).boxed()).containsExactlyElementsOf(minutes.keySet());
        assertThat(Arrays.stream(tally.events()).boxed()).containsExactlyElementsOf(minutes.values());
    }

    @Provide
    Arbitrary<List<Seen>> seen() {
        return Combinators.combine(
                        Arbitraries.longs().between(-10, 20),
                        Arbitraries.longs().between(1, 5),
                        Arbitraries.of(true, true, true, false))
                .as(Seen::new)
                .list()
                .ofMaxSize(30);
    }
}
