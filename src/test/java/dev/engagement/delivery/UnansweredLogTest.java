package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class UnansweredLogTest {

    private static final long START = 1_767_888_000_000L;
    private static final long MINUTE = 60_000;

    private final List<String> lines = new ArrayList<>();
    private final UnansweredLog log = new UnansweredLog("https://receiver.example.com:8443", lines::add);

    @Test
    void the_first_is_told_at_once_and_the_next_a_minute_later_with_all_between() {
        log.add(new Answer.Unanswered(NoAnswer.CONNECTION_REFUSED, "Connect failed"), START);
        for (int i = 1; i < 60; i++) {
            log.add(new Answer.Unanswered(NoAnswer.CONNECTION_REFUSED, "Connect failed"), START + i * 1_000);
        }
        log.add(new Answer.Unanswered(NoAnswer.TIMED_OUT, "no answer within 10 s"), START + MINUTE - 1);
        assertThat(lines)
                .containsExactly("Attempts to post to https://receiver.example.com:8443 that had no answer since the"
                        + " start: 1 (connection-refused 1). They will be repeated."
                        + " The host refuses the connection: nobody listens there: Connect failed");

        log.look(START + MINUTE - 1);
        assertThat(lines).hasSize(1);
        log.look(START + MINUTE);

        assertThat(lines)
                .hasSize(2)
                .last()
                .isEqualTo(
                        "Attempts to post to https://receiver.example.com:8443 that had no answer since the last line"
                                + " that said so: 60 (connection-refused 59, timed-out 1). They will be repeated."
                                + " There was no answer in time: no answer within 10 s");
    }

    @Test
    void nothing_is_told_of_nothing() {
        log.look(START);
        log.add(new Answer.Unanswered(NoAnswer.TLS_FAILED, "PKIX"), START);
        log.look(START + 10 * MINUTE);

        assertThat(lines).hasSize(1);
    }
}
