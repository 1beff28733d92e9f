package dev.engagement.api.read;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.api.read.RankedBoard.Ranked;
import java.math.BigDecimal;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class BoardHistoryTest {

    private final BoardHistory history = new BoardHistory(10_000, 30_000);

    @Test
    void nothing_is_known_of_the_time_before() {
        assertThat(history.at(0)).isNull();
        history.add(board(100_000, "a"));
        assertThat(history.at(99_999)).isNull();
    }

    @Test
    void the_board_of_a_moment_is_the_last_one_until_then_unless_it_is_too_old() {
        history.add(board(100_000, "a", "b"));
        history.add(board(120_000, "b"));

        assertThat(history.at(100_000)).containsExactly("a", "b");
        assertThat(history.at(119_999)).containsExactly("a", "b");
        assertThat(history.at(150_000)).containsExactly("b");
        assertThat(history.at(150_001)).isNull();
    }

    @Test
    void a_board_that_is_hardly_newer_is_not_kept() {
        history.add(board(100_000, "a"));
        history.add(board(109_999, "b"));
        history.add(board(110_000, "c"));

        assertThat(history.at(109_999)).containsExactly("a");
        assertThat(history.at(110_000)).containsExactly("c");
    }

    @Test
    void an_hour_is_kept_and_not_much_more() {
        history.add(board(0, "a"));
        history.add(board(3_600_000, "b"));
        assertThat(history.at(0)).containsExactly("a");
        history.add(board(4_000_000, "c"));
        assertThat(history.at(0)).isNull();
        assertThat(history.at(3_600_000)).containsExactly("b");
    }

    @Test
    void an_empty_board_is_known_to_be_empty() {
        history.add(board(100_000));
        assertThat(history.at(100_000)).isEmpty();
    }

    private static RankedBoard board(long atMillis, String... contentIds) {
        return new RankedBoard(
                atMillis,
                Arrays.stream(contentIds)
                        .map(id -> new Ranked(id, BigDecimal.ONE, null))
                        .toList());
    }
}
