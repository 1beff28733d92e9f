package dev.engagement.audit;

import static dev.engagement.audit.Audits.at;
import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.deadletter.Reason;
import java.util.Random;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** A count is wrong if somebody has changed it, and only then, whatever was deleted and whatever became a dead letter. */
class CountCheckProperties {

    @Property(tries = 300)
    void names_the_counts_that_were_spoiled(
            @ForAll long seed,
            @ForAll @IntRange(max = 60) int events,
            @ForAll @IntRange(max = 3) int deletedOfFour,
            @ForAll @IntRange(max = 3) int deadOfFour)
            throws Exception {
        Random random = new Random(seed);
        World world = new World();
        for (int id = 1; id <= events; id++) {
            World.Event event = world.add(id, at(random.nextInt(600)), "c" + random.nextInt(5), null);
            if (random.nextInt(4) < deadOfFour) {
                event.letter = Reason.UNRESOLVED;
                event.rows = 0;
            } else if (random.nextInt(4) < deletedOfFour) {
                event.inSource = false;
            }
        }
        world.countAll();
        TreeSet<String> spoiled = new TreeSet<>();
        for (int content = 0; content < 5; content++) {
            String id = "c" + content;
            String count = world.counts.get(id);
            long by = random.nextBoolean() || count == null ? 1 : -1;
            long wrong = (count == null ? 0 : Long.parseLong(count)) + by;
            // What the source says is right by definition.
            long inSource = world.events.stream()
                    .filter(event -> event.inSource && event.content.equals(id))
                    .count();
            if (wrong != inSource && random.nextInt(3) == 0) {
                spoiled.add(id);
                world.counts.put(id, Long.toString(wrong));
            }
        }

        String miscounted = Audits.found(Audits.of(world, false, world.warehouse(), world.counts()))
                .getOrDefault("liveview miscounted", "");

        assertThat(miscounted).isEqualTo(String.join(",", spoiled));
    }
}
