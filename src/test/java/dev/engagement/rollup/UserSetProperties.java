package dev.engagement.rollup;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;

/** Users of a window, spread over its panes at random, against a set of all of them. */
class UserSetProperties {

    private static final double TOLERANCE = 5 * 1.04 / Math.sqrt(1 << UserSet.LG_REGISTERS);

    @Property(tries = 200, shrinking = ShrinkingMode.OFF)
    void it_counts_up_to_its_limit_however_users_come_and_says_when_it_estimates(@ForAll long seed) throws IOException {
        Random random = new Random(seed);
        long[] known = random.longs(1 + random.nextInt(2 * UserSet.MAX_EXACT)).toArray();
        // One hash stands for an empty place.
        known[random.nextInt(known.length)] = 0;
        List<UserSet> panes = new ArrayList<>();
        int number = 1 + random.nextInt(12);
        for (int i = 0; i < number; i++) {
            panes.add(new UserSet());
        }
        Set<Long> all = new HashSet<>();
        int events = random.nextInt(4 * known.length);
        for (int i = 0; i < events; i++) {
            long user = known[random.nextInt(known.length)];
            // Most are in the first ones.
            int pane = Math.min(random.nextInt(number), random.nextInt(number));
            panes.get(pane).add(user);
            all.add(user);
        }
        Collections.shuffle(panes, random);

        UserSet window = new UserSet();
        for (UserSet pane : panes) {
            window.addAll(random.nextBoolean() ? pane : readBack(pane));
        }

        for (UserSet each : List.of(window, window.copy(), readBack(window))) {
            assertThat(each.isExact()).isEqualTo(all.size() <= UserSet.MAX_EXACT);
            assertThat(each.isEmpty()).isEqualTo(all.isEmpty());
            assertThat(each.count(events)).isLessThanOrEqualTo(events);
            if (each.isExact()) {
                assertThat(each.count(events)).isEqualTo(all.size());
            } else {
                assertThat(Math.abs(each.count(Long.MAX_VALUE) - all.size()))
                        .isLessThanOrEqualTo((long) (TOLERANCE * all.size()));
            }
        }
    }

    private static UserSet readBack(UserSet set) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        set.write(new DataOutputStream(bytes));
        return UserSet.read(new DataInputStream(new ByteArrayInputStream(bytes.toByteArray())));
    }
}
