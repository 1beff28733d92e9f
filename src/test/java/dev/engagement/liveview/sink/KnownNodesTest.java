package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.exceptions.JedisConnectionException;

class KnownNodesTest {

    private static final HostAndPort CONFIGURED = new HostAndPort("configured", 1);
    private static final HostAndPort A = new HostAndPort("a", 1);
    private static final HostAndPort B = new HostAndPort("b", 1);

    private long now;
    private final KnownNodes known = new KnownNodes(CONFIGURED, () -> now);

    @Test
    void the_configured_node_is_asked_first_and_the_silent_ones_last() {
        known.are(List.of(A, B));
        known.didNotAnswer(A, new JedisConnectionException("refused"));

        assertThat(known.seeds()).containsExactly(CONFIGURED, B, A);
    }

    @Test
    void a_node_that_did_not_answer_is_left_alone_for_a_while() {
        known.didNotAnswer(A, new JedisConnectionException("refused"));

        now += KnownNodes.PAUSE.toNanos() - 1;
        assertThatThrownBy(() -> known.checkMayTry(A))
                .isInstanceOf(KnownNodes.LeftAloneException.class)
                .hasMessage("refused");
        now += 1;
        assertThatCode(() -> known.checkMayTry(A)).doesNotThrowAnyException();
        assertThat(known.isSilent(A)).isTrue();
        known.answers(A);
        assertThat(known.isSilent(A)).isFalse();
    }

    @Test
    void a_node_that_says_nothing_of_others_makes_none_forgotten() {
        known.are(List.of(A, B));
        known.are(List.of());

        assertThat(known.seeds()).containsExactly(CONFIGURED, A, B);
    }

    @Test
    void what_a_node_said_of_its_memory_ends_with_its_membership() {
        known.are(List.of(A, B));
        known.incarnation(A, "of a");
        known.are(List.of(A));
        assertThat(known.lastMemory(A)).isEqualTo("of a");

        known.are(List.of(B));
        assertThat(known.lastMemory(A)).isEmpty();
        assertThat(known.lastMemory(B)).isEmpty();
    }
}
