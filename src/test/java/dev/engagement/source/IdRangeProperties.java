package dev.engagement.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

class IdRangeProperties {

    /** Wherever a long begins or ends something. */
    @Provide
    Arbitrary<Long> anchors() {
        return Arbitraries.oneOf(
                Arbitraries.of(Long.MIN_VALUE, -1L, 0L, 1L, Long.MAX_VALUE - 300, Integer.MAX_VALUE - 5L),
                Arbitraries.longs().between(Long.MIN_VALUE, Long.MAX_VALUE - 300));
    }

    @Property
    void everyIdIsInExactlyOnePart(
            @ForAll("anchors") long anchor,
            @ForAll boolean atTheEnd,
            @ForAll @IntRange(max = 300) int more,
            @ForAll @IntRange(min = 1, max = 320) int size) {
        long first = atTheEnd ? Long.MAX_VALUE - more : anchor;
        IdRange whole = new IdRange(first, first + more);
        List<Long> expected = new ArrayList<>();
        for (long id = first, i = 0; i <= more; id++, i++) {
            expected.add(id);
        }

        List<Long> covered = new ArrayList<>();
        int parts = 0;
        for (IdRange left = whole; !left.isEmpty(); parts++) {
            IdRange part = left.head(size);
            for (long id = part.first(); ; id++) {
                covered.add(id);
                if (id == part.last()) {
                    break;
                }
            }
            assertThat(part.last() - part.first()).isLessThan(size);
            left = left.after(part.last());
        }

        assertThat(covered).isEqualTo(expected);
        if (Math.abs((double) first) < 1e15) {
            assertThat(whole.parts(size)).isEqualTo(parts);
        }
    }

    /** A split is continued behind the last id it gave, at any of them. */
    @Property
    void whatIsLeftIsWhatWasNotRead(
            @ForAll("anchors") long anchor,
            @ForAll boolean atTheEnd,
            @ForAll @IntRange(max = 300) int more,
            @ForAll @IntRange(max = 300) int read) {
        long first = atTheEnd ? Long.MAX_VALUE - more : anchor;
        IdRange whole = new IdRange(first, first + more);
        long last = first + Math.min(read, more);

        IdRange left = whole.after(last);

        for (long id = first, i = 0; i <= more; id++, i++) {
            assertThat(left.contains(id)).isEqualTo(id > last);
        }
    }

    @Property
    void allLongsHaveAFirstPart(@ForAll @IntRange(min = 1) int size) {
        IdRange all = new IdRange(Long.MIN_VALUE, Long.MAX_VALUE);

        IdRange part = all.head(size);

        assertThat(BigInteger.valueOf(part.last()).subtract(BigInteger.valueOf(part.first())))
                .isEqualTo(BigInteger.valueOf(size - 1L));
        assertThat(all.after(part.last()).last()).isEqualTo(Long.MAX_VALUE);
    }
}
