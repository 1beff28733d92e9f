package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.delivery.ScriptedReceiver.Posted;
import dev.engagement.delivery.ScriptedReceiver.Reply;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/**
 * Whatever the receiver does, and wherever the job crashes: each event has been taken by the receiver, or is a dead letter
 * because the receiver answered so; each under one id, as the bytes that it came as.
 */
class CourierProperties {

    /** Some hundred events: less than what comes in an outage. */
    private static final long MAX_BYTES = 100_000;

    private static final List<Integer> STATUSES = List.of(200, 201, 204, 301, 400, 408, 422, 429, 500, 503);

    @Property(tries = 120)
    void nothing_is_lost_and_nothing_changes_across_crashes(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 7) int batchSize,
            @ForAll @IntRange(min = 1, max = 40) int maxInFlight,
            @ForAll @IntRange(min = 1, max = 6) int maxAttempts) {
        Random random = new Random(seed);
        DeliveryWorld world = world(random, batchSize, maxInFlight, maxAttempts);
        for (int step = 0; step < 60; step++) {
            switch (random.nextInt(9)) {
                case 0, 1, 2 -> world.come(random.nextInt(60));
                case 3, 4 -> world.pass(random.nextInt(3_000));
                case 5 -> world.pass(random.nextInt(90_000));
                case 6 -> world.takeCheckpoint();
                case 7 -> world.standStill(random.nextInt(600_000));
                default -> world.crash(random.nextBoolean());
            }
        }
        mend(world);

        Set<Long> all = ids(world);
        Set<Long> accountedFor = new TreeSet<>(taken(world));
        accountedFor.addAll(world.dead.keySet());
        assertThat(accountedFor).isEqualTo(all);
        assertIdentity(world, batchSize);
        assertReasons(world);
    }

    @Property(tries = 80)
    void without_crashes_each_event_has_exactly_one_outcome(
            @ForAll long seed,
            @ForAll @IntRange(min = 1, max = 7) int batchSize,
            @ForAll @IntRange(min = 1, max = 40) int maxInFlight) {
        Random random = new Random(seed);
        DeliveryWorld world = world(random, batchSize, maxInFlight, 4);
        for (int step = 0; step < 60; step++) {
            world.come(random.nextInt(60));
            world.pass(random.nextInt(random.nextInt(10) == 0 ? 120_000 : 2_000));
            if (batchSize == 1) {
                assertThat(bytes(world.unfinished(world.live))).isLessThanOrEqualTo(MAX_BYTES);
                assertThat(bytes(world.unfinished(world.drain))).isLessThanOrEqualTo(MAX_BYTES);
            }
            assertThat(unfinishedAndDone(world)).hasSize((int) world.offered()).doesNotHaveDuplicates();
        }
        mend(world);

        assertThat(unfinishedAndDone(world)).hasSize((int) world.offered()).doesNotHaveDuplicates();
        assertThat(world.delivered)
                .extracting(delivery -> delivery.eventId().number())
                .allMatch(taken(world)::contains);
        assertThat(world.receiver.maxOpen).isLessThanOrEqualTo(2 * maxInFlight);
        assertThat(world.receiver.open).isZero();
    }

    /**
     * However events come, and however often the process stands still while it has to wait: a receiver that answers each
     * in two seconds gets each once, and nothing goes aside.
     */
    @Property(tries = 80)
    void a_receiver_that_is_well_is_neither_slow_nor_overloaded(
            @ForAll long seed, @ForAll @IntRange(min = 1, max = 7) int batchSize) {
        Random random = new Random(seed);
        DeliveryWorld world =
                DeliveryWorld.ofLivePath(DeliveryWorld.with(batchSize, 256, 4, DeliveryWorld.RULES.success()));
        world.receiver.does(request -> Reply.status(200).after(random.nextInt(2_000)));
        for (int step = 0; step < 30; step++) {
            world.come(random.nextInt(3_000));
            for (int i = random.nextInt(5); i > 0; i--) {
                world.pass(random.nextInt(1_000));
                world.standStill(random.nextInt(3_600_000));
                // Before an answer of this time is taken from the wire.
                world.live.settle();
            }
            for (int second = 0; !world.isDone(); second++) {
                assertThat(second)
                        .as("seconds for 3,000 events at 128 a second or more")
                        .isLessThan(60);
                world.pass(1_000);
            }
        }

        assertThat(world.topic).isEmpty();
        assertThat(world.receiver.cancelled).isZero();
        assertThat(world.delivered).hasSize((int) world.offered());
        assertThat(taken(world)).hasSize((int) world.offered());
    }

    private static long bytes(List<Delivery> deliveries) {
        return deliveries.stream().mapToLong(delivery -> delivery.body().length).sum();
    }

    private static DeliveryWorld world(Random random, int batchSize, int maxInFlight, int maxAttempts) {
        DeliveryWorld world = DeliveryWorld.ofBothPaths(
                DeliveryWorld.with(
                        batchSize,
                        maxInFlight,
                        maxAttempts,
                        DeliveryWorld.RULES.success(),
                        DeliveryWorld.RULES.timeoutMillis(),
                        MAX_BYTES),
                200,
                random::nextDouble);
        int[] mood = {0};
        double[] trouble = {random.nextDouble()};
        world.receiver.does(request -> {
            if (mood[0]-- == 0) {
                // Weather changes now and then: from none of it to nothing but.
                mood[0] = random.nextInt(80);
                trouble[0] = random.nextInt(4) == 0 ? 1 : random.nextDouble() * random.nextInt(2);
            }
            return random.nextDouble() < trouble[0] ? bad(random) : Reply.status(200);
        });
        return world;
    }

    private static Reply bad(Random random) {
        return switch (random.nextInt(6)) {
            case 0 -> Reply.hang();
            case 1 -> Reply.reset(random.nextBoolean());
            case 2 -> Reply.status(200).after(random.nextInt(15_000));
            case 3 -> Reply.status(429, Integer.toString(random.nextInt(120)));
            default -> Reply.status(STATUSES.get(random.nextInt(STATUSES.size())));
        };
    }

    /** The receiver is well again, until all is done. */
    private static void mend(DeliveryWorld world) {
        world.receiver.does(request -> Reply.status(200));
        for (int i = 0; i < 500 && !world.isDone(); i++) {
            world.pass(60_000);
        }
        assertThat(world.isDone()).as("all is done at last").isTrue();
    }

    private static Set<Long> ids(DeliveryWorld world) {
        return new TreeSet<>(LongStream.rangeClosed(1, world.offered()).boxed().toList());
    }

    private static Set<Long> taken(DeliveryWorld world) {
        Set<Long> taken = new TreeSet<>();
        for (Posted posted : world.receiver.posted) {
            if (posted.taken()) {
                taken.addAll(DeliveryWorld.idsIn(posted.body()));
            }
        }
        return taken;
    }

    private static List<Long> unfinishedAndDone(DeliveryWorld world) {
        List<Long> all = new ArrayList<>();
        world.delivered.forEach(delivery -> all.add(delivery.eventId().number()));
        all.addAll(world.dead.keySet());
        world.unfinished(world.live)
                .forEach(delivery -> all.add(delivery.eventId().number()));
        world.unfinished(world.drain)
                .forEach(delivery -> all.add(delivery.eventId().number()));
        world.notTaken().forEach(delivery -> all.add(delivery.eventId().number()));
        return all;
    }

    private static void assertIdentity(DeliveryWorld world, int batchSize) {
        Map<String, String> bodies = new HashMap<>();
        for (Posted posted : world.receiver.posted) {
            List<Long> ids = DeliveryWorld.idsIn(posted.body());
            String id = posted.request().webhookId();
            String before = bodies.putIfAbsent(id, posted.body());
            if (before != null) {
                assertThat(posted.body()).as(id).isEqualTo(before);
            }
            List<String> originals = ids.stream().map(DeliveryWorld::bodyOf).toList();
            if (batchSize == 1) {
                assertThat(id).isEqualTo("evt_" + ids.get(0));
                assertThat(posted.body()).isEqualTo(originals.get(0));
            } else {
                assertThat(id).startsWith("bat_");
                assertThat(ids).hasSizeBetween(1, batchSize).doesNotHaveDuplicates();
                assertThat(posted.body()).isEqualTo("[" + String.join(",", originals) + "]");
            }
        }
    }

    /** A dead letter says what the receiver answered: who gave no answer has made none. */
    private static void assertReasons(DeliveryWorld world) {
        assertThat(world.dead.values()).allMatch(why -> why.contains("answered "));
        assertThat(world.letters).allMatch(letter -> letter.attempts() >= 1);
    }
}
