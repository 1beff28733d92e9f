package dev.engagement.ranking;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.Standings;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

/** Against sorting all contents. */
class BoardProperties {

    @Property(tries = 200)
    void the_best_are_those_of_a_sort(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 20) int places,
            @ForAll @IntRange(min = 1, max = 40) int max)
            throws Exception {
        Random random = new Random(seed);
        ContentScore[] scores = scores(1 + random.nextInt(40 * places));
        Board byEvents = Board.byEvents(places);
        Board byEngagement = Board.byEngagement(places);
        for (int step = 0; step < 60; step++) {
            // Waves that lift all and wash all away, beside small changes with many ties.
            int changes = random.nextInt(4) == 0 ? scores.length * 2 : 1 + random.nextInt(20);
            int tide = random.nextInt(3);
            for (int i = 0; i < changes; i++) {
                ContentScore one = scores[random.nextInt(scores.length)];
                boolean hadEvents = one.events != 0;
                boolean hadMeasured = one.measured != 0;
                one.events = tide == 0 ? 0 : random.nextInt(max * tide);
                one.measured = one.events / 2;
                one.millis = one.measured == 0 ? 0 : random.nextInt(max);
                byEvents.changed(one, hadEvents);
                byEngagement.changed(one, hadMeasured);
            }
            assertThat(RankingStage.places(byEvents.best(scores))).isEqualTo(sorted(scores, places, true));
            assertThat(RankingStage.places(byEngagement.best(scores))).isEqualTo(sorted(scores, places, false));
        }
    }

    @Property(tries = 200)
    void a_selection_is_that_of_a_sort(@ForAll List<Integer> numbers, @ForAll long seed) {
        Integer[] elements = numbers.toArray(new Integer[0]);
        if (elements.length == 0) {
            return;
        }
        int count = 1 + new Random(seed).nextInt(elements.length);
        Integer[] sorted = elements.clone();
        Arrays.sort(sorted);

        Selection.best(elements, elements.length, count, Comparator.naturalOrder());

        assertThat(elements[count - 1]).isEqualTo(sorted[count - 1]);
        assertThat(Arrays.copyOf(elements, count)).containsExactlyInAnyOrder(Arrays.copyOf(sorted, count));
    }

    @Test
    void contents_that_stay_below_the_best_are_not_looked_at_again() throws Exception {
        ContentScore[] scores = scores(100_000);
        Board board = Board.byEvents(100);
        Random random = new Random(7);
        for (ContentScore one : scores) {
            one.events = 1 + random.nextInt(1_000_000);
            board.changed(one, false);
        }
        for (int slide = 0; slide < 1_000; slide++) {
            for (int i = 0; i < 100; i++) {
                ContentScore one = scores[random.nextInt(scores.length)];
                one.events = 1 + random.nextInt(1_000_000);
                board.changed(one, true);
            }
            assertThat(RankingStage.places(board.best(scores))).hasSize(100);
        }
        assertThat(board.rebuilds()).isLessThanOrEqualTo(1);
    }

    @Test
    void an_order_that_changed_little_is_not_sorted_anew_and_one_that_changed_much_is() throws Exception {
        int places = 50;
        ContentScore[] scores = scores(places * 4);
        Board board = Board.byEvents(places);
        Random random = new Random(11);
        scoreAll(board, scores, random);
        assertThat(RankingStage.places(board.best(scores))).isEqualTo(sorted(scores, places, true));
        long sorts = board.sorts();

        // Ties abound, and some leave and come back.
        for (int slide = 0; slide < 200; slide++) {
            ContentScore one = scores[random.nextInt(scores.length)];
            boolean ranked = one.events != 0;
            one.events = slide % 10 == 0 ? 0 : 1 + random.nextInt(100);
            board.changed(one, ranked);
            assertThat(RankingStage.places(board.best(scores))).isEqualTo(sorted(scores, places, true));
        }
        assertThat(board.sorts()).isEqualTo(sorts);

        for (int slide = 0; slide < 20; slide++) {
            for (ContentScore one : scores) {
                boolean ranked = one.events != 0;
                one.events = 101 - one.events;
                board.changed(one, ranked);
            }
            assertThat(RankingStage.places(board.best(scores))).isEqualTo(sorted(scores, places, true));
        }
        assertThat(board.sorts()).isGreaterThan(sorts);
    }

    private static void scoreAll(Board board, ContentScore[] scores, Random random) {
        for (ContentScore one : scores) {
            boolean ranked = one.events != 0;
            one.events = 1 + random.nextInt(100);
            board.changed(one, ranked);
        }
    }

    private static ContentScore[] scores(int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> new ContentScore("c" + i * 7 % 1_000 + "-" + i, 0, i))
                .toArray(ContentScore[]::new);
    }

    private static List<Standings.Place> sorted(ContentScore[] scores, int places, boolean byEvents) {
        return Arrays.stream(scores)
                .filter(one -> (byEvents ? one.events : one.measured) > 0)
                .map(one -> new Standings.Place(one.contentId, byEvents ? one.events : one.millis))
                .sorted(Comparator.comparingLong((Standings.Place place) -> -place.score())
                        .thenComparing(Standings.Place::contentId))
                .limit(places)
                .toList();
    }
}
