package dev.engagement.redrive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.deadletter.Reason;
import dev.engagement.event.EventId;
import dev.engagement.redrive.RedriveOptions.Reasons;
import dev.engagement.redrive.RedriveOptions.Selection;
import java.time.Instant;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RedriveOptionsTest {

    private static final Instant FROM = Instant.parse("2026-01-08T09:00:00Z");
    private static final Instant TO = Instant.parse("2026-01-08T10:00:00Z");

    @Test
    void the_range_has_its_begin_and_not_its_end() {
        Selection selection = new Selection(Set.of(Reason.INVALID), FROM, TO, null, null);

        assertThat(selection.has(Reason.INVALID, FROM.toEpochMilli(), null)).isTrue();
        assertThat(selection.has(Reason.INVALID, FROM.toEpochMilli() - 1, null)).isFalse();
        assertThat(selection.has(Reason.INVALID, TO.toEpochMilli() - 1, null)).isTrue();
        assertThat(selection.has(Reason.INVALID, TO.toEpochMilli(), null)).isFalse();
        assertThat(selection.has(Reason.REJECTED, FROM.toEpochMilli(), null)).isFalse();
        assertThatThrownBy(() -> new Selection(Set.of(Reason.INVALID), TO, TO, null, null))
                .hasMessageContaining("from must be before to");
    }

    @Test
    void a_letter_without_an_event_is_of_no_event() {
        Selection selection = new Selection(Set.of(Reason.INVALID), null, null, EventId.of(7L), null);

        assertThat(selection.has(Reason.INVALID, 0, EventId.of(7L))).isTrue();
        assertThat(selection.has(Reason.INVALID, 0, EventId.of(8L))).isFalse();
        assertThat(selection.has(Reason.INVALID, 0, null)).isFalse();
    }

    @Test
    void reasons_are_words_with_commas() {
        assertThat(Reasons.parse("invalid, REJECTED").reasons())
                .containsExactlyInAnyOrder(Reason.INVALID, Reason.REJECTED);
        assertThatThrownBy(() -> Reasons.parse("INVALID,"))
                .hasMessageContaining("'' is no reason; there are UNDECODABLE");
        assertThatThrownBy(() -> Reasons.parse("INVALID,invalid")).hasMessageContaining("names INVALID twice");
    }

    @Test
    void ids_and_marks_are_read_as_they_were_written() {
        assertThat(LetterId.of("0123456789abcdeffedcba9876543210")).hasToString("0123456789abcdeffedcba9876543210");
        assertThat(LetterId.of("0123456789ABCDEFfedcba9876543210")).isNull();
        assertThat(LetterId.of("0123")).isNull();

        Mark.InTopic place = new Mark.InTopic("a.topic", 3, 1L << 40);
        assertThat(Mark.recordOf(new Mark(5, Reason.INVALID, place).toBytes())).isEqualTo(place);
        assertThat(Mark.recordOf(new Mark(5, Reason.REJECTED, new Mark.InTable("t", EventId.of(1))).toBytes()))
                .isNull();
        assertThat(Mark.recordOf("by hand".getBytes(java.nio.charset.StandardCharsets.UTF_8)))
                .isNull();
    }
}
