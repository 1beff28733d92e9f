package dev.engagement.rollup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.LongPredicate;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;

/** Windows by arithmetic against windows counted one by one. */
class RollupWindowsProperties {

    private static final long MICROS = 1_000_000;

    private static RollupDefinition rollup(int slideSeconds, int windowsOfAnEvent) {
        return RollupDefinitions.parse(
                        List.of("mine"),
                        Map.of(
                                "mine.window", slideSeconds * windowsOfAnEvent + " s",
                                "mine.slide", slideSeconds + " s",
                                "mine.measures", "count"))
                .get(0);
    }

    private static List<Long> starts(RollupWindows windows) {
        List<Long> starts = new ArrayList<>();
        for (long start = windows.fromMillis();
                start < windows.toMillis();
                start += windows.rollup().slideMillis()) {
            starts.add(start);
        }
        return starts;
    }

    /** Starts from 300 s before the epoch to 300 s behind it of which that is true, of seconds. */
    private static List<Long> byHand(RollupDefinition rollup, LongPredicate start) {
        List<Long> starts = new ArrayList<>();
        for (long second = -300; second < 300; second++) {
            if (second * 1_000 % rollup.slideMillis() == 0 && start.test(second * MICROS)) {
                starts.add(second * 1_000);
            }
        }
        return starts;
    }

    @Property
    void theyAreThoseOfTheRange(
            @ForAll @IntRange(min = 1, max = 20) int slide,
            @ForAll @IntRange(min = 1, max = 5) int windows,
            @ForAll @LongRange(min = -100_000_000, max = 100_000_000) long from,
            @ForAll @LongRange(min = 0, max = 100_000_000) long length,
            @ForAll @LongRange(min = -150_000_000, max = 150_000_000) long time) {
        RollupDefinition rollup = rollup(slide, windows);
        long window = rollup.windowMillis() * 1_000;
        long to = from + length;

        RollupWindows beginning = RollupWindows.beginningIn(rollup, from, to);
        assertThat(starts(beginning)).isEqualTo(byHand(rollup, start -> from <= start && start < to));
        assertThat(beginning.count()).isEqualTo(starts(beginning).size());
        assertThat(beginning.isEmpty()).isEqualTo(starts(beginning).isEmpty());
        assertThat(starts(RollupWindows.within(rollup, from, to)))
                .isEqualTo(byHand(rollup, start -> from <= start && start + window <= to));
        assertThat(starts(beginning.endedBy(time)))
                .isEqualTo(byHand(rollup, start -> from <= start && start < to && start + window <= time));
        assertThat(starts(beginning.notBefore(time)))
                .isEqualTo(byHand(rollup, start -> from <= start && start < to && start >= time));
        assertThat(starts(beginning.behind(beginning.endedBy(time))))
                .isEqualTo(byHand(rollup, start -> from <= start && start < to && start + window > time));
        long millis = Math.floorDiv(time, 1_000L);
        assertThat(starts(beginning.from(millis)))
                .isEqualTo(byHand(rollup, start -> from <= start && start < to && start + window > millis * 1_000));
        assertThat(beginning.none().isEmpty()).isTrue();
    }

    @Property
    void theFirstAndTheRestAreAll(
            @ForAll @IntRange(min = 1, max = 20) int slide,
            @ForAll @IntRange(min = 1, max = 5) int windows,
            @ForAll @LongRange(min = 0, max = 200_000_000) long length,
            @ForAll @LongRange(min = 0, max = 60_000) long step) {
        RollupDefinition rollup = rollup(slide, windows);
        RollupWindows all = RollupWindows.beginningIn(rollup, 0, length);
        List<Long> starts = new ArrayList<>();
        RollupWindows left = all;
        while (!left.isEmpty()) {
            RollupWindows first = left.first(step);
            assertThat(first.isEmpty()).isFalse();
            assertThat(first.endMillis()).isEqualTo(first.toMillis() - rollup.slideMillis() + rollup.windowMillis());
            starts.addAll(starts(first));
            left = left.behind(first);
        }
        assertThat(starts).isEqualTo(starts(all));
    }

    @Example
    void othersAreRefused() {
        assertThatThrownBy(() -> new RollupWindows(rollup(10, 1), 5_000, 20_000))
                .hasMessageContaining("begin at multiples of 10000 ms, and not at 5000");
    }
}
