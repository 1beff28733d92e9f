package dev.engagement.liveview;

import static dev.engagement.liveview.RecordedWrites.texts;
import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.liveview.RecordedWrites.Member;
import org.junit.jupiter.api.Test;

class TallyTest {

    private static final LiveViewKeys KEYS = new LiveViewKeys("p:");

    /** 2026-01-08T14:21Z. */
    private static final long MINUTE = 29_464_701L;

    /** Of that minute, fifteen minutes after its end. */
    private static final long EXPIRY = (MINUTE + 16) * 60_000;

    @Test
    void the_total_is_written_as_it_is_whether_its_minutes_are_shown_or_not() {
        Tally tally = Tally.none("c").plus(3).plusInMinute(MINUTE, 2);

        RecordedWrites written = RecordedWrites.of(tally, KEYS, Tally.TOTAL_PART, EXPIRY);

        assertThat(written.only().script()).isEqualTo(LiveViewScript.COUNT);
        assertThat(texts(written.only().keys())).containsExactly("p:content:count:c");
        assertThat(texts(written.only().arguments())).containsExactly("3");
        assertThat(written.parts).containsExactly(Tally.TOTAL_PART);
        assertThat(written.members).isEmpty();
        assertThat(written.expired).isZero();
    }

    @Test
    void a_minute_is_a_member_of_its_bucket_until_fifteen_minutes_after_its_end() {
        Tally tally = Tally.none("c").plus(3).plusInMinute(MINUTE, 2);

        RecordedWrites before = RecordedWrites.of(tally, KEYS, Tally.MINUTE_PARTS, EXPIRY - 1);
        RecordedWrites after = RecordedWrites.of(tally, KEYS, Tally.MINUTE_PARTS, EXPIRY);

        assertThat(before.members).containsExactly(new Member(MINUTE, "c", 2, Tally.partOf(MINUTE)));
        assertThat(before.writes).isEmpty();
        assertThat(before.expired).isZero();
        assertThat(after.members).isEmpty();
        assertThat(after.expired).isEqualTo(1);
    }

    @Test
    void of_several_minutes_those_of_the_mask_are_written() {
        Tally tally = Tally.none("c")
                .plus(6)
                .plusInMinute(MINUTE, 1)
                .plusInMinute(MINUTE + 1, 2)
                .plusInMinute(MINUTE + 2, 3);

        assertThat(RecordedWrites.of(tally, KEYS, Tally.partOf(MINUTE + 1), EXPIRY - 1).members)
                .containsExactly(new Member(MINUTE + 1, "c", 2, Tally.partOf(MINUTE + 1)));
        assertThat(RecordedWrites.of(tally, KEYS, LiveValue.ALL_PARTS, EXPIRY - 1).members)
                .extracting(Member::minute)
                .containsExactly(MINUTE, MINUTE + 1, MINUTE + 2);
    }

    @Test
    void a_minute_is_counted_a_minute_longer_than_it_is_shown() {
        Tally tally = Tally.none("c").plus(3).plusInMinute(MINUTE, 2);

        assertThat(Tally.isKeptAt(MINUTE, EXPIRY + 59_999)).isTrue();
        assertThat(tally.aliveAt(EXPIRY + 59_999)).isSameAs(tally);
        assertThat(Tally.isKeptAt(MINUTE, EXPIRY + 60_000)).isFalse();
        assertThat(tally.aliveAt(EXPIRY + 60_000)).isEqualTo(Tally.none("c").plus(3));
    }

    @Test
    void the_minute_of_an_event_before_the_epoch_is_the_one_it_lies_in() {
        assertThat(Tally.minuteOf(0)).isZero();
        assertThat(Tally.minuteOf(59_999_999)).isZero();
        assertThat(Tally.minuteOf(60_000_000)).isEqualTo(1);
        assertThat(Tally.minuteOf(-1)).isEqualTo(-1);
        assertThat(Tally.minuteOf(-60_000_001)).isEqualTo(-2);
    }

    @Test
    void tallies_are_equal_by_value() {
        Tally tally = Tally.none("c").plus(3).plusInMinute(MINUTE, 2);

        assertThat(tally)
                .isEqualTo(Tally.of("c", 3, new long[] {MINUTE}, new long[] {2}))
                .hasSameHashCodeAs(Tally.of("c", 3, new long[] {MINUTE}, new long[] {2}))
                .isNotEqualTo(Tally.none("d").plus(3).plusInMinute(MINUTE, 2))
                .isNotEqualTo(tally.plus(1))
                .isNotEqualTo(tally.plusInMinute(MINUTE, 1))
                .isNotEqualTo(Tally.none("c").plus(3).plusInMinute(MINUTE + 1, 2));
    }
}
