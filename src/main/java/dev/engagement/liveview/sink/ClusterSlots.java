package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveViewKeys;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.util.JedisClusterCRC16;

/** Which master of a Redis Cluster serves which slot, as one node said at one moment. Immutable. */
final class ClusterSlots {

    static final int COUNT = 16_384;

    /** A master of even one slot is found; that takes some 16,384 tries, rarely ten times as many. */
    private static final int MAX_TAGS = 1_000_000;

    private final @Nullable HostAndPort[] masters = new HostAndPort[COUNT];
    private final Set<HostAndPort> nodes = new LinkedHashSet<>();

    private ClusterSlots() {}

    /**
     * Reads the answer to CLUSTER SLOTS.
     *
     * @param answer as Jedis gives it: of each range its first and last slot, its master, its replicas
     * @param asked whom the answer is from; a node without a host of its own has this one's, as the protocol says
     */
    static ClusterSlots of(List<?> answer, HostAndPort asked) {
        ClusterSlots slots = new ClusterSlots();
        for (Object each : answer) {
            List<?> range = (List<?>) each;
            HostAndPort master = address((List<?>) range.get(2), asked);
            for (int slot = number(range.get(0)); slot <= number(range.get(1)); slot++) {
                slots.masters[slot] = master;
            }
            for (Object node : range.subList(2, range.size())) {
                slots.nodes.add(address((List<?>) node, asked));
            }
        }
        return slots;
    }

    private static HostAndPort address(List<?> node, HostAndPort asked) {
        String host = JedisConnection.text(node.get(0));
        if (host.equals("?")) {
            host = addressIn(node);
        }
        return new HostAndPort(host.isEmpty() ? asked.getHost() : host, number(node.get(1)));
    }

    /** Of a node that is to be known by a name and was not given one. */
    private static String addressIn(List<?> node) {
        if (node.size() > 3 && node.get(3) instanceof List<?> metadata) {
            for (int i = 0; i + 1 < metadata.size(); i += 2) {
                if (JedisConnection.text(metadata.get(i)).equals("ip")) {
                    return JedisConnection.text(metadata.get(i + 1));
                }
            }
        }
        return "";
    }

    private static int number(@Nullable Object answer) {
        return answer instanceof Long number ? Math.toIntExact(number) : -1;
    }

    /** The slot of a key. */
    static int slotOf(byte[] key) {
        return JedisClusterCRC16.getSlot(key);
    }

    /** Who serves the slot; null if nobody does. */
    @Nullable
    HostAndPort master(int slot) {
        return masters[slot];
    }

    /** The masters, in the order of the first slot of each. */
    Collection<HostAndPort> masters() {
        Set<HostAndPort> found = new LinkedHashSet<>();
        for (HostAndPort master : masters) {
            if (master != null) {
                found.add(master);
            }
        }
        return found;
    }

    /** All nodes, replicas too. */
    List<HostAndPort> nodes() {
        return new ArrayList<>(nodes);
    }

    /**
     * The name of the epoch key that this master keeps, the same for everybody as long as the slots stay.
     *
     * @return empty if a hash tag in the prefix leads every key to another master
     */
    Optional<String> epochKey(LiveViewKeys keys, HostAndPort master) {
        String any = keys.epoch("0");
        if (JedisClusterCRC16.getSlot(any) == JedisClusterCRC16.getSlot(keys.epoch("1"))) {
            return master.equals(masters[JedisClusterCRC16.getSlot(any)]) ? Optional.of(any) : Optional.empty();
        }
        for (int tag = 0; tag < MAX_TAGS; tag++) {
            String key = keys.epoch(Integer.toString(tag));
            if (master.equals(masters[JedisClusterCRC16.getSlot(key)])) {
                return Optional.of(key);
            }
        }
        return Optional.empty();
    }
}
