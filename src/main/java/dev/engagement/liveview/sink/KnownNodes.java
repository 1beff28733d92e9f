package dev.engagement.liveview.sink;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.exceptions.JedisConnectionException;

/**
 * What outlives a connection to a cluster: its nodes, which of them did not answer, and what each last said of its incarnation.
 * Used by one thread at a time.
 */
final class KnownNodes {

    /** Between two looks at a node that did not answer; its return is seen well within the 5 s that readers are promised. */
    static final Duration PAUSE = Duration.ofSeconds(2);

    private final HostAndPort configured;
    private final LongSupplier ticker;
    private final Set<HostAndPort> nodes = new LinkedHashSet<>();
    private final Map<HostAndPort, Silence> silent = new HashMap<>();
    private final Map<HostAndPort, String> incarnations = new HashMap<>();

    private record Silence(long untilNanos, String cause) {}

    /** The node was not tried, because it did not answer a moment ago. */
    static final class LeftAloneException extends JedisConnectionException {

        private static final long serialVersionUID = 1L;

        LeftAloneException(String why) {
            super(why);
        }
    }

    /**
     * Nobody but the configured one.
     *
     * @param configured the node that the options name
     * @param ticker nanoseconds, monotonic
     */
    KnownNodes(HostAndPort configured, LongSupplier ticker) {
        this.configured = configured;
        this.ticker = ticker;
    }

    /** From now on these are the nodes; an empty list changes nothing. */
    void are(Collection<HostAndPort> now) {
        if (!now.isEmpty()) {
            nodes.clear();
            nodes.addAll(now);
            silent.keySet().removeIf(node -> !nodes.contains(node) && !node.equals(configured));
            incarnations.keySet().retainAll(nodes);
        }
    }

    /** Whom to ask for the way: the configured node first, those that were silent last. */
    List<HostAndPort> seeds() {
        Set<HostAndPort> all = new LinkedHashSet<>();
        all.add(configured);
        nodes.stream().filter(node -> !silent.containsKey(node)).forEach(all::add);
        all.addAll(nodes);
        return new ArrayList<>(all);
    }

    /** The node did not answer: it is left alone for {@link #PAUSE}. */
    void didNotAnswer(HostAndPort node, RuntimeException failure) {
        silent.put(node, new Silence(ticker.getAsLong() + PAUSE.toNanos(), String.valueOf(failure.getMessage())));
    }

    /** The node answers. */
    void answers(HostAndPort node) {
        silent.remove(node);
    }

    /** Whether the node did not answer when it was last tried. */
    boolean isSilent(HostAndPort node) {
        return silent.containsKey(node);
    }

    /**
     * Returns if the node may be tried.
     *
     * @throws LeftAloneException if it is to be left alone; with what it failed of
     */
    void checkMayTry(HostAndPort node) {
        Silence silence = silent.get(node);
        if (silence != null && silence.untilNanos - ticker.getAsLong() > 0) {
            throw new LeftAloneException(silence.cause);
        }
    }

    /** What the node says of its incarnation. */
    void incarnation(HostAndPort node, String incarnation) {
        incarnations.put(node, incarnation);
    }

    /** What the node last said of its incarnation, of whom nobody can ask; empty if it never did. */
    String lastMemory(HostAndPort node) {
        return incarnations.getOrDefault(node, "");
    }
}
