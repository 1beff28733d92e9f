package dev.engagement.delivery;

import dev.engagement.event.EventId;
import dev.engagement.event.Position;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleSupplier;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.SimpleCounter;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;

/**
 * Both paths of delivery around one scripted receiver: a source of events, the retry topic as a list, the two couriers, and
 * checkpoints of all of them. Time passes when it is told to, from one thing that happens to the next.
 */
final class DeliveryWorld {

    static final long START = 1_767_888_000_000L;

    static final CourierRules RULES =
            new CourierRules(10_000, 12, 256, 32 << 20, 500, 300_000, 1, 50, DeliveryOptions.Success.ANY_2XX);

    final ManualTime clock = new ManualTime(START);
    final ScriptedReceiver receiver = new ScriptedReceiver(clock);

    /** What was handed back to the retry topic, for ever. */
    final List<Delivery> topic = new ArrayList<>();

    final List<Delivery> delivered = new ArrayList<>();
    final Map<Long, String> dead = new LinkedHashMap<>();
    final List<Delivery> letters = new ArrayList<>();
    final List<String> log = new ArrayList<>();
    private final Counters metrics = new Counters();

    private final CourierRules rules;
    private final double drainRate;
    private final DoubleSupplier random;
    private final boolean draining;

    Courier live;
    Courier drain;
    private int drainOffset;
    private long offered;
    private Checkpoint checkpoint = new Checkpoint(List.of(), List.of(), 0, 0, 0, 0);

    private record Checkpoint(
            List<Delivery> live, List<Delivery> drain, int drainOffset, long offered, int topic, int letters) {}

    /** A world whose retry topic nobody drains. */
    static DeliveryWorld ofLivePath(CourierRules rules) {
        return new DeliveryWorld(rules, 0, () -> 0.5, false);
    }

    /** A world with all of delivery. */
    static DeliveryWorld ofBothPaths(CourierRules rules, double drainRate, DoubleSupplier random) {
        return new DeliveryWorld(rules, drainRate, random, true);
    }

    private DeliveryWorld(CourierRules rules, double drainRate, DoubleSupplier random, boolean draining) {
        this.rules = rules;
        this.drainRate = drainRate;
        this.random = random;
        this.draining = draining;
        live = courier(Courier.Path.LIVE);
        drain = courier(Courier.Path.DRAIN);
    }

    private Courier courier(Courier.Path path) {
        return new Courier(
                path,
                rules,
                path == Courier.Path.DRAIN ? drainRate : 0,
                receiver.sender(),
                clock,
                random,
                new Courier.Outcomes() {
                    @Override
                    public void delivered(Delivery delivery, int status) {
                        delivered.add(delivery);
                    }

                    @Override
                    public void handBack(Delivery delivery) {
                        topic.add(delivery);
                    }

                    @Override
                    public void undeliverable(Delivery delivery, String error) {
                        dead.put(delivery.eventId().number(), error);
                        letters.add(delivery);
                    }
                },
                () -> {},
                new DeliveryMetrics(metrics),
                new UnansweredLog("http://receiver", log::add));
    }

    /** How many attempts had no answer for that reason. */
    long unanswered(NoAnswer kind) {
        return metrics.counts
                .getOrDefault("kind=" + kind.text() + ".unanswered", new SimpleCounter())
                .getCount();
    }

    /** Keeps counters below a label. */
    private static final class Counters extends UnregisteredMetricsGroup {

        private final Map<String, Counter> counts = new LinkedHashMap<>();

        @Override
        public MetricGroup addGroup(String key, String value) {
            return new UnregisteredMetricsGroup() {
                @Override
                public Counter counter(String name) {
                    return counts.computeIfAbsent(key + "=" + value + "." + name, any -> new SimpleCounter());
                }
            };
        }
    }

    static Delivery delivery(long id, long nowMillis) {
        return new Delivery(
                EventId.of(id),
                ("{\"event_id\":" + id + "}").getBytes(StandardCharsets.UTF_8),
                0,
                new Position((int) (id % 16), id, nowMillis),
                nowMillis,
                0,
                0);
    }

    /** The next events come, each under the next id. */
    void come(int events) {
        for (int i = 0; i < events; i++) {
            live.offer(delivery(++offered, clock.millis()), 0);
        }
        work();
    }

    /** How many events have come. */
    long offered() {
        return offered;
    }

    /** Puts records into the retry topic as if the live path had. */
    void divert(int events) {
        for (int i = 0; i < events; i++) {
            topic.add(delivery(++offered, clock.millis()));
        }
        work();
    }

    private void work() {
        receiver.answer();
        live.settle();
        drain.settle();
        while (draining && backlog() > 0 && drain.mayTake(topic.get(drainOffset))) {
            drain.offer(topic.get(drainOffset++), 3);
        }
    }

    /** Records in the retry topic that nobody has taken. */
    int backlog() {
        return topic.size() - drainOffset;
    }

    /** These records. */
    List<Delivery> notTaken() {
        return topic.subList(drainOffset, topic.size());
    }

    /** Time passes, and what happens in it. */
    void pass(long millis) {
        long until = clock.millis() + millis;
        work();
        while (true) {
            long next =
                    Math.min(receiver.nextMillis(), Math.min(due(live, false), due(drain, backlog() > 0 && draining)));
            if (next > until) {
                break;
            }
            clock.set(Math.max(next, clock.millis()));
            work();
        }
        clock.set(until);
        work();
    }

    private long due(Courier courier, boolean wantsToOffer) {
        long delay = courier.millisToNext(wantsToOffer);
        // Who is told that something is due now has looked already.
        return delay == Long.MAX_VALUE ? delay : clock.millis() + Math.max(1, delay);
    }

    /** Time passes in which nobody gets a turn: not the task, and nobody who would take an answer from the wire. */
    void standStill(long millis) {
        clock.set(clock.millis() + millis);
    }

    List<Delivery> unfinished(Courier courier) {
        List<Delivery> all = new ArrayList<>();
        courier.unfinished((delivery, partition) -> all.add(delivery));
        return all;
    }

    void takeCheckpoint() {
        checkpoint =
                new Checkpoint(unfinished(live), unfinished(drain), drainOffset, offered, topic.size(), letters.size());
    }

    /**
     * Everything in memory is lost, and what was written since the last checkpoint is perhaps in Kafka and perhaps not; what
     * came since then comes again.
     */
    void crash(boolean writesAreLost) {
        if (writesAreLost) {
            topic.subList(checkpoint.topic(), topic.size()).clear();
            letters.subList(checkpoint.letters(), letters.size()).clear();
            dead.keySet()
                    .retainAll(letters.stream()
                            .map(delivery -> delivery.eventId().number())
                            .toList());
        }
        live.close();
        drain.close();
        live = courier(Courier.Path.LIVE);
        drain = courier(Courier.Path.DRAIN);
        drainOffset = checkpoint.drainOffset();
        checkpoint.live().forEach(delivery -> live.offer(delivery, 0));
        checkpoint.drain().forEach(delivery -> drain.offer(delivery, 3));
        long again = offered - checkpoint.offered();
        offered = checkpoint.offered();
        come((int) again);
    }

    /** Whether everything that came has an outcome. */
    boolean isDone() {
        return backlog() == 0 && unfinished(live).isEmpty() && unfinished(drain).isEmpty();
    }

    /** The body of the event as it came first. */
    static String bodyOf(long id) {
        return new String(delivery(id, 0).body(), StandardCharsets.UTF_8);
    }

    /** The rules with batches. */
    static CourierRules batches(int size) {
        return with(size, RULES.maxInFlight(), RULES.maxAttempts(), RULES.success());
    }

    static CourierRules with(int batchSize, int maxInFlight, int maxAttempts, DeliveryOptions.Success success) {
        return with(batchSize, maxInFlight, maxAttempts, success, RULES.timeoutMillis(), RULES.maxBytes());
    }

    static CourierRules with(
            int batchSize,
            int maxInFlight,
            int maxAttempts,
            DeliveryOptions.Success success,
            long timeoutMillis,
            long maxBytes) {
        return new CourierRules(
                timeoutMillis,
                maxAttempts,
                maxInFlight,
                maxBytes,
                RULES.backoffInitialMillis(),
                RULES.backoffMaxMillis(),
                batchSize,
                RULES.batchLingerMillis(),
                success);
    }

    /** The ids of an array of events, or of one. */
    static List<Long> idsIn(String body) {
        List<Long> ids = new ArrayList<>();
        for (String part : body.split("\"event_id\":", -1)) {
            if (!part.isEmpty() && Character.isDigit(part.charAt(0))) {
                ids.add(Long.parseLong(part.substring(0, part.indexOf('}'))));
            }
        }
        return ids;
    }
}
