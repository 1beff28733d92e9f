package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** Against counting milliseconds one by one. */
class ObservedTimeProperties {

    private static final long START = 1_000_000;
    private static final int UNSEEN = (int) ObservedTime.LONGEST_UNSEEN.toMillis();

    /** A millisecond counts if somebody has looked shortly before it. */
    @Property
    void each_millisecond_counts_that_begins_shortly_after_a_look(
            @ForAll @Size(max = 30) int[] gaps,
            @ForAll boolean dense,
            @ForAll @IntRange(max = 3 * 200) int afterTheLast) {
        ObservedTime time = new ObservedTime(START);
        TreeSet<Long> looks = new TreeSet<>();
        looks.add(START);
        long now = START;
        for (int gap : gaps) {
            now += Math.floorMod(gap, dense ? UNSEEN + 2 : 10 * UNSEEN);
            assertThat(time.at(now)).as("before a look").isEqualTo(counted(looks, now));
            time.look(now);
            looks.add(now);
            assertThat(time.at(now)).as("and by it").isEqualTo(counted(looks, now));
        }

        assertThat(time.at(now + afterTheLast)).isEqualTo(counted(looks, now + afterTheLast));
        assertThat(time.nextLookMillis() - now).isPositive().isLessThan(UNSEEN);
    }

    @Property
    void all_of_it_counts_if_everybody_looks_in_time(@ForAll @Size(max = 50) int[] gaps) {
        ObservedTime time = new ObservedTime(START);
        long now = START;
        for (int gap : gaps) {
            now += Math.floorMod(gap, UNSEEN + 1);
            time.look(now);
        }

        assertThat(time.at(now)).isEqualTo(now - START);
    }

    /** Whatever it is told, as a clock may be read before a look and used after it. */
    @Property
    void it_never_goes_back(@ForAll @Size(max = 50) int[] times) {
        ObservedTime time = new ObservedTime(START);
        long passed = 0;
        for (int at : times) {
            time.look(START + Math.floorMod(at, 10 * UNSEEN));
            long next = time.at(START);
            assertThat(next).isGreaterThanOrEqualTo(passed);
            passed = next;
        }
        assertThat(passed).isLessThanOrEqualTo(10L * UNSEEN);
    }

    private static long counted(TreeSet<Long> looks, long until) {
        long counted = 0;
        for (long millisecond = START; millisecond < until; millisecond++) {
            if (millisecond - looks.floor(millisecond) < UNSEEN) {
                counted++;
            }
        }
        return counted;
    }
}
