package dev.engagement.rollup;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A million users: counted one by one while they are few, and estimated within the error that is stated above that. */
class UserSetTest {

    private static final int MILLION = 1_000_000;

    /** As the documentation has it. */
    private static final double STANDARD_ERROR = 1.04 / Math.sqrt(1 << UserSet.LG_REGISTERS);

    /** More in one estimate of some two million. */
    private static final double TOLERANCE = 5 * STANDARD_ERROR;

    /** Of ids that differ in their last digits alone. */
    private static final long[] USERS = LongStream.range(0, MILLION)
            .map(user -> UserSet.hash(new UUID(0x5EED, user).toString()))
            .toArray();

    @Test
    void no_two_of_a_million_ids_are_taken_for_one() {
        assertThat(Arrays.stream(USERS).distinct().count()).isEqualTo(MILLION);
    }

    @Test
    void up_to_its_limit_users_are_counted_and_then_estimated() {
        UserSet set = new UserSet();
        for (int i = 0; i < UserSet.MAX_EXACT; i++) {
            set.add(USERS[i]);
            // Who was there before changes nothing.
            set.add(USERS[i / 2]);
            assertThat(set.count(Long.MAX_VALUE)).isEqualTo(i + 1);
        }
        assertThat(set.isExact()).isTrue();

        set.add(USERS[UserSet.MAX_EXACT]);
        assertThat(set.isExact()).isFalse();
        assertThat(error(set, UserSet.MAX_EXACT + 1)).isLessThan(TOLERANCE);
    }

    @Test
    void two_sets_that_are_counted_are_one_that_is_counted_if_it_is_small_enough() {
        UserSet same = of(0, 700);
        same.addAll(of(324, 1_024));
        assertThat(same.isExact()).isTrue();
        assertThat(same.count(Long.MAX_VALUE)).isEqualTo(1_024);

        UserSet more = of(0, 700);
        more.addAll(of(325, 1_025));
        assertThat(more.isExact()).isFalse();
        assertThat(error(more, 1_025)).isLessThan(TOLERANCE);
    }

    @Test
    void a_million_users_in_one_set_are_estimated_within_five_standard_errors() {
        assertThat(error(of(0, MILLION), MILLION)).isLessThan(TOLERANCE);
    }

    /** Panes of a window: some with hardly anybody, and people who are in several of them. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void a_million_users_in_panes_are_what_they_are_in_one_set(long seed) throws IOException {
        Random random = new Random(seed);
        List<UserSet> panes = new ArrayList<>(List.of(new UserSet(), of(0, 1 + random.nextInt(UserSet.MAX_EXACT))));
        int large = 2 + random.nextInt(8);
        for (int i = 0; i < large; i++) {
            panes.add(new UserSet());
        }
        for (long user : USERS) {
            panes.get(2 + random.nextInt(large)).add(user);
            if (random.nextInt(4) == 0) {
                panes.get(2 + random.nextInt(large)).add(user);
            }
        }
        Collections.shuffle(panes, random);

        UserSet window = new UserSet();
        for (UserSet pane : panes) {
            long before = pane.count(Long.MAX_VALUE);
            window.addAll(random.nextBoolean() ? pane : readBack(pane));
            assertThat(pane.count(Long.MAX_VALUE)).as("it stays as it is").isEqualTo(before);
        }

        assertThat(window.isExact()).isFalse();
        assertThat(error(window, MILLION)).isLessThan(TOLERANCE);
        assertThat(window.count(Long.MAX_VALUE))
                .as("neither the order nor the split matters")
                .isEqualTo(of(0, MILLION).count(Long.MAX_VALUE));
    }

    /** Of many sets, with four standard deviations of that root mean square itself as room. */
    @ParameterizedTest
    @ValueSource(ints = {2_500, 25_000})
    void the_error_is_the_one_that_is_stated(int users) {
        int sets = MILLION / users;
        double squares = 0;
        for (int i = 0; i < sets; i++) {
            double error = error(of(i * users, (i + 1) * users), users);
            assertThat(error).isLessThan(TOLERANCE);
            squares += error * error;
        }

        assertThat(Math.sqrt(squares / sets)).isLessThan(STANDARD_ERROR * (1 + 4 / Math.sqrt(2.0 * sets)));
    }

    @Test
    void there_are_never_more_users_than_events() {
        int users = 2_500;
        int tooMany = 0;
        for (int from = 0; from < 100_000; from += users) {
            UserSet set = of(from, from + users);
            tooMany += set.count(Long.MAX_VALUE) > users ? 1 : 0;
            assertThat(set.count(users)).isLessThanOrEqualTo(users);
        }
        assertThat(tooMany).as("estimates above what they are of").isPositive();
    }

    /** Those users, the last one left out. */
    private static UserSet of(int from, int to) {
        UserSet set = new UserSet();
        for (int i = from; i < to; i++) {
            set.add(USERS[i]);
        }
        return set;
    }

    /** As a savepoint and the network have it. */
    private static UserSet readBack(UserSet set) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        set.write(new DataOutputStream(bytes));
        return UserSet.read(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
    }

    /** Relative. */
    private static double error(UserSet set, int users) {
        return Math.abs(set.count(Long.MAX_VALUE) - users) / (double) users;
    }
}
