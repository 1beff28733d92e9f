package dev.engagement.liveview;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.Standings.Place;
import dev.engagement.liveview.LiveValue.Board;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Comparator;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.NotEmpty;

class LiveValueProperties {

    private static final BigInteger WEIGHT = BigInteger.ONE.shiftLeft(80);

    @Property
    void whatever_the_order_the_greatest_time_and_id_stays(@ForAll("lasts") @NotEmpty List<LiveValue.Last> values) {
        LiveValue.Last oracle = values.stream()
                .max(Comparator.comparing(
                        last -> BigInteger.valueOf(last.enriched().event().eventTsMicros())
                                .multiply(WEIGHT)
                                .add(BigInteger.valueOf(last.enriched().event().id()))))
                .orElseThrow();

        LiveValue.Last shown = values.get(0);
        for (LiveValue.Last value : values) {
            if (value.newerThan(shown)) {
                shown = value;
            }
        }

        assertThat(shown).isEqualTo(oracle);
    }

    @Property
    void engagement_is_shown_in_seconds_to_the_millisecond(@ForAll @LongRange(max = Long.MAX_VALUE) long millis) {
        Board board = new Board(Board.Kind.ENGAGEMENT, 0, List.of(new Place("c", millis)));

        String score = RecordedWrites.texts(board.write(new LiveViewKeys("")).arguments())
                .get(2);

        assertThat(new BigDecimal(score)).isEqualByComparingTo(BigDecimal.valueOf(millis, 3));
    }

    @Provide
    Arbitrary<List<LiveValue.Last>> lasts() {
        // Few times and neighbouring ids, so that ties are common; ids where a double could not tell them apart.
        Arbitrary<Long> times = Arbitraries.longs().between(-3, 3);
        Arbitrary<Long> ids = Arbitraries.oneOf(
                Arbitraries.longs().between(-3, 3),
                Arbitraries.longs().between(Long.MAX_VALUE - 3, Long.MAX_VALUE),
                Arbitraries.longs());
        return Combinators.combine(times, ids)
                .as((time, id) -> Samples.last("c", id, time))
                .list()
                .ofMaxSize(8);
    }
}
