package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.local.DestinationCheck.Comparison;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SelfCheckTest {

    @Test
    void bothSidesAndWhatDiffersAreInTheTable() {
        List<Comparison> comparisons = List.of(
                new Comparison("events", "20000", "19998", List.of()),
                new Comparison("contents", "2", "2", List.of("a: 1, 2")),
                new Comparison("dead letters", "0", "0", List.of()));
        assertThat(SelfCheck.isPassed(comparisons)).isFalse();
        assertThat(SelfCheck.isPassed(comparisons.subList(2, 3))).isTrue();
        assertThat(String.join("\n", SelfCheck.table("source (SQL)", "Redis", comparisons)))
                .isEqualTo("""
                          compared      source (SQL)  Redis
                          events               20000  19998  DIFFERENT
                          contents                 2      2  DIFFERENT
                              a: 1, 2
                          dead letters             0      0  equal""".indent(2).stripTrailing());
    }

    @Test
    void noMoreThanTenIdsAreNamed() {
        List<String> differing = IntStream.range(0, 25).mapToObj(i -> "id-" + i).toList();
        List<String> table =
                SelfCheck.table("source (SQL)", "Redis", List.of(new Comparison("contents", "25", "25", differing)));
        assertThat(table).hasSize(2 + 10 + 1).last().isEqualTo("      … and 15 more");
    }
}
