package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.ScriptedWrite;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * A Redis Cluster: a connection to each master that has something to write, each write to the master of its first key's
 * slot. All masters are sent their parts before any answer is read.
 *
 * <p>What goes wrong with one master fails the writes to that one: a redirection (MOVED, ASK) is not followed but answered,
 * as is {@value RedisVerdict#NODE_DOWN} for a master that cannot be reached, and the next call asks first where the slots
 * are now. A master that did not answer is left alone for {@link KnownNodes#PAUSE}, so that it does not keep the others
 * waiting.
 */
final class ClusterConnection implements RedisConnection {

    /** For a node that did not answer before: the others' writes wait meanwhile. */
    private static final JedisConnection.Patience PROBE =
            new JedisConnection.Patience(Duration.ofSeconds(1), Duration.ofSeconds(1));

    private final RedisConnector connector;
    private final LiveViewKeys keys;
    private final KnownNodes known;
    private final Map<HostAndPort, JedisConnection> open = new ConcurrentHashMap<>();
    private LiveViewScript[] scripts = {};
    private ClusterSlots slots;
    private boolean stale;
    private volatile boolean aborted;

    /**
     * Takes over the connection that found the cluster.
     *
     * @param seed whom it is to
     * @param slots what that one said
     */
    ClusterConnection(
            RedisConnector connector, KnownNodes known, HostAndPort seed, JedisConnection first, ClusterSlots slots) {
        this.connector = connector;
        this.keys = new LiveViewKeys(connector.options().keyPrefix());
        this.known = known;
        this.slots = slots;
        // An empty answer is that of a node that was never joined, or was thrown out.
        this.stale = slots.nodes().isEmpty();
        known.are(slots.nodes());
        if (slots.masters().contains(seed)) {
            open.put(seed, first);
        } else {
            first.abort();
        }
    }

    @Override
    public void load(LiveViewScript... toLoad) {
        scripts = toLoad.clone();
        for (HostAndPort address : List.copyOf(open.keySet())) {
            try {
                node(address).load(toLoad);
            } catch (JedisException e) {
                if (RedisVerdict.of(e) == RedisVerdict.REFUSED) {
                    throw e;
                }
                failed(address, e);
            }
        }
    }

    @Override
    public List<Reply> perform(List<ScriptedWrite> writes) {
        askForSlotsIfStale();
        @Nullable Reply[] replies = new Reply[writes.size()];
        Map<HostAndPort, Part> parts = new LinkedHashMap<>();
        for (int i = 0; i < replies.length; i++) {
            ScriptedWrite write = writes.get(i);
            int slot = ClusterSlots.slotOf(write.keys().get(0));
            HostAndPort master = slots.master(slot);
            if (master == null) {
                stale = true;
                replies[i] = new Reply.Failed("CLUSTERDOWN no master serves slot " + slot);
            } else {
                parts.computeIfAbsent(master, address -> new Part()).add(i, write);
            }
        }
        Map<HostAndPort, JedisConnection> sent = new LinkedHashMap<>();
        parts.forEach((master, part) -> {
            try {
                JedisConnection node = node(master);
                node.send(part.writes);
                sent.put(master, node);
            } catch (JedisException e) {
                part.fail(replies, failed(master, e));
            }
        });
        Duration timeout = connector.timeout().answer();
        for (Map.Entry<HostAndPort, JedisConnection> each : sent.entrySet()) {
            Part part = parts.get(each.getKey());
            try {
                each.getValue().waitForAnswers(timeout);
                List<Reply> answers = each.getValue().receive(part.writes.size());
                part.answered(replies, answers);
                judge(each.getKey(), answers);
            } catch (JedisException e) {
                part.fail(replies, failed(each.getKey(), e));
                // The others have had that time too.
                timeout = PROBE.answer();
            }
        }
        if (aborted) {
            throw new JedisConnectionException("The connection was given up: the cluster did not answer in time");
        }
        return Arrays.asList(replies);
    }

    @Override
    public String incarnation() {
        askForSlotsIfStale();
        Map<HostAndPort, String> epochKeys = new LinkedHashMap<>();
        for (HostAndPort master : slots.masters()) {
            slots.epochKey(keys, master).ifPresent(key -> epochKeys.put(master, key));
        }
        JedisException failure = null;
        Map<HostAndPort, JedisConnection> asked = new LinkedHashMap<>();
        for (Map.Entry<HostAndPort, String> each : epochKeys.entrySet()) {
            try {
                JedisConnection node = node(each.getKey());
                node.askIncarnation(each.getValue());
                asked.put(each.getKey(), node);
            } catch (JedisException e) {
                failure = e;
                failed(each.getKey(), e);
            }
        }
        Duration timeout = connector.timeout().answer();
        boolean answered = false;
        for (Map.Entry<HostAndPort, JedisConnection> each : asked.entrySet()) {
            HostAndPort master = each.getKey();
            try {
                each.getValue().waitForAnswers(timeout);
                known.incarnation(master, each.getValue().receiveIncarnation(epochKeys.get(master)));
                answered = true;
            } catch (JedisException e) {
                failure = e;
                failed(master, e);
                timeout = PROBE.answer();
            }
        }
        if (!answered && failure != null) {
            throw failure;
        }
        // A master that does not answer is as it was, until it says otherwise.
        return epochKeys.keySet().stream().map(known::lastMemory).collect(Collectors.joining(" "));
    }

    /** The connection to a node, made now if there is none. */
    private JedisConnection node(HostAndPort address) {
        JedisConnection connected = open.get(address);
        if (connected != null) {
            return connected;
        }
        known.checkMayTry(address);
        JedisConnection node = connector.open(address, known.isSilent(address) ? PROBE : connector.timeout());
        open.put(address, node);
        if (aborted) {
            node.abort();
        }
        node.load(scripts);
        known.answers(address);
        return node;
    }

    private void judge(HostAndPort master, List<Reply> answers) {
        known.answers(master);
        boolean refused = false;
        for (Reply answer : answers) {
            if (answer instanceof Reply.Failed failed) {
                stale |= failed.verdict() == RedisVerdict.TRANSIENT;
                refused |= failed.verdict() == RedisVerdict.REFUSED;
            }
        }
        if (refused) {
            // The next one logs in anew.
            close(master);
        }
    }

    /** What is answered to the writes of a master that failed as a whole. */
    private Reply failed(HostAndPort master, JedisException failure) {
        stale = true;
        if (failure instanceof JedisDataException answered) {
            close(master);
            return new Reply.Failed(String.valueOf(answered.getMessage()));
        }
        lost(master, failure);
        return new Reply.Failed(
                RedisVerdict.NODE_DOWN + " " + master + " does not answer: " + String.valueOf(failure.getMessage()));
    }

    private void lost(HostAndPort address, JedisException failure) {
        stale = true;
        // Whoever gave everything up closed every socket: that says nothing of the nodes but the one that was waited
        // for.
        boolean waitedFor = !aborted || open.containsKey(address);
        if (waitedFor && !(failure instanceof KnownNodes.LeftAloneException)) {
            known.didNotAnswer(address, failure);
        }
        if (aborted) {
            open.clear();
        } else {
            close(address);
        }
    }

    private void close(HostAndPort address) {
        JedisConnection broken = open.remove(address);
        if (broken != null) {
            broken.abort();
        }
    }

    /** Of the nodes that answer the first one that knows of any slots; what was known stays if there is none. */
    private void askForSlotsIfStale() {
        if (!stale || aborted) {
            return;
        }
        List<HostAndPort> nodes = new ArrayList<>(open.keySet());
        known.seeds().stream().filter(node -> !nodes.contains(node)).forEach(nodes::add);
        for (HostAndPort address : nodes) {
            boolean wasOpen = open.containsKey(address);
            Optional<ClusterSlots> answer;
            try {
                answer = RedisConnector.slots(node(address), address);
            } catch (JedisException e) {
                failed(address, e);
                continue;
            }
            if (!wasOpen) {
                close(address);
            }
            if (answer.isEmpty()) {
                throw new JedisConnectionException(address + " is no node of a Redis Cluster any more");
            }
            if (!answer.get().nodes().isEmpty()) {
                follow(answer.get());
                return;
            }
        }
    }

    private void follow(ClusterSlots now) {
        slots = now;
        stale = false;
        known.are(now.nodes());
        for (HostAndPort address : List.copyOf(open.keySet())) {
            if (!now.masters().contains(address)) {
                close(address);
            }
        }
    }

    @Override
    public boolean healsItself() {
        return !aborted;
    }

    @Override
    public void abort() {
        aborted = true;
        open.values().forEach(JedisConnection::abort);
    }

    /** The writes of one master, and their places among all. */
    private static final class Part {

        private final List<Integer> places = new ArrayList<>();
        private final List<ScriptedWrite> writes = new ArrayList<>();

        void add(int place, ScriptedWrite write) {
            places.add(place);
            writes.add(write);
        }

        void answered(@Nullable Reply[] replies, List<Reply> answers) {
            for (int i = 0; i < answers.size(); i++) {
                replies[places.get(i)] = answers.get(i);
            }
        }

        void fail(@Nullable Reply[] replies, Reply failure) {
            for (int place : places) {
                replies[place] = failure;
            }
        }
    }
}
