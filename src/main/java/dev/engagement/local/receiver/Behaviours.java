package dev.engagement.local.receiver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.LongSupplier;

/**
 * The behaviours in force. A post meets them in their order, and the first one that strikes is it; which posts a share
 * strikes depends on the seed and the order of arrival alone.
 *
 * <p>Thread safe.
 */
final class Behaviours {

    private final LongSupplier nanos;
    private List<Behaviour> inForce = List.of();
    private long[] left = new long[0];
    private long since;
    private SplittableRandom random = new SplittableRandom(0);

    /** @param nanos a clock that only goes forward */
    Behaviours(LongSupplier nanos) {
        this.nanos = nanos;
    }

    /**
     * Replaces those in force.
     *
     * @param wanted one, or an array of them
     * @throws Refused if one is none; then nothing changes
     */
    void set(JsonNode wanted) throws Refused {
        List<Behaviour> all = Behaviour.all(wanted);
        JsonNode first = wanted.isArray() ? wanted.path(0) : wanted;
        long seed = first.path("seed").asLong();
        synchronized (this) {
            inForce = all;
            left = all.stream().mapToLong(Behaviour::times).toArray();
            since = nanos.getAsLong();
            random = new SplittableRandom(seed);
        }
    }

    /** What the next post meets. */
    synchronized Behaviour next() {
        if (inForce.isEmpty()) {
            return Behaviour.OK;
        }
        long age = (nanos.getAsLong() - since) / 1_000_000;
        for (int i = 0; i < left.length; i++) {
            Behaviour each = inForce.get(i);
            // Drawn even if it is not needed, so that one behaviour's end does not change whom the next strikes.
            double drawn = random.nextDouble();
            if (left[i] > 0 && age < each.forMillis() && drawn < each.share()) {
                if (left[i] != Long.MAX_VALUE) {
                    left[i]--;
                }
                return each;
            }
        }
        return Behaviour.OK;
    }

    /** Those that may still strike, as {@link #set} takes them, with what is left of their times. */
    synchronized JsonNode toJson() {
        long age = (nanos.getAsLong() - since) / 1_000_000;
        ArrayNode all = JsonNodeFactory.instance.arrayNode();
        for (int i = 0; i < left.length; i++) {
            Behaviour each = inForce.get(i);
            if (left[i] > 0 && age < each.forMillis() && each.share() > 0) {
                all.add(new Behaviour(
                                each.mode(),
                                each.status(),
                                each.retryAfter(),
                                each.delayMillis(),
                                each.share(),
                                left[i],
                                each.forMillis() == Long.MAX_VALUE ? Long.MAX_VALUE : each.forMillis() - age)
                        .toJson());
            }
        }
        if (all.isEmpty()) {
            all.add(Behaviour.OK.toJson());
        }
        return all.size() == 1 ? all.get(0) : all;
    }
}
