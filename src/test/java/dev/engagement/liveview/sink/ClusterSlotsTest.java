package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.liveview.LiveViewKeys;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.util.JedisClusterCRC16;

class ClusterSlotsTest {

    private static final HostAndPort ASKED = new HostAndPort("seed", 7000);
    private static final HostAndPort A = new HostAndPort("a", 1);
    private static final HostAndPort B = new HostAndPort("b", 2);

    @Test
    void a_slot_belongs_to_the_master_of_its_range() {
        ClusterSlots slots = ClusterSlots.of(
                List.of(range(8000, 16383, node("b", 2)), range(0, 7998, node("a", 1), node("replica", 3))), ASKED);

        assertThat(slots.master(0)).isEqualTo(A);
        assertThat(slots.master(7998)).isEqualTo(A);
        assertThat(slots.master(7999)).isNull();
        assertThat(slots.master(8000)).isEqualTo(B);
        assertThat(slots.master(16383)).isEqualTo(B);
        assertThat(slots.masters()).containsExactly(A, B);
        assertThat(slots.nodes()).containsExactlyInAnyOrder(A, B, new HostAndPort("replica", 3));
    }

    @Test
    void a_node_that_names_no_host_is_at_the_host_that_was_asked() {
        ClusterSlots slots =
                ClusterSlots.of(List.of(range(0, 1, node("", 1)), range(2, 3, Arrays.asList(null, 2L))), ASKED);

        assertThat(slots.masters()).containsExactly(new HostAndPort("seed", 1), new HostAndPort("seed", 2));
    }

    @Test
    void a_node_without_the_name_that_it_should_have_is_at_its_address() {
        List<Object> unnamed =
                List.of(bytes("?"), 1L, bytes("id"), List.of(bytes("x"), bytes("y"), bytes("ip"), bytes("10.0.0.1")));

        assertThat(ClusterSlots.of(List.of(range(0, 1, unnamed)), ASKED).masters())
                .containsExactly(new HostAndPort("10.0.0.1", 1));
    }

    @Test
    void each_master_keeps_an_epoch_of_its_own_however_few_slots_it_has() {
        ClusterSlots slots =
                ClusterSlots.of(List.of(range(0, 4711, node("a", 1)), range(4712, 4712, node("b", 2))), ASKED);
        LiveViewKeys keys = new LiveViewKeys("stage:");

        String ofA = slots.epochKey(keys, A).orElseThrow();
        String ofB = slots.epochKey(keys, B).orElseThrow();

        assertThat(slots.master(JedisClusterCRC16.getSlot(ofA))).isEqualTo(A);
        assertThat(slots.master(JedisClusterCRC16.getSlot(ofB))).isEqualTo(B);
        assertThat(ofA).startsWith("stage:live-view:epoch:{");
    }

    @Test
    void a_prefix_that_leads_every_key_to_one_master_needs_the_epoch_of_that_one_alone() {
        LiveViewKeys keys = new LiveViewKeys("{stage}:");
        int slot = JedisClusterCRC16.getSlot("stage");
        ClusterSlots slots =
                ClusterSlots.of(List.of(range(0, slot - 1, node("a", 1)), range(slot, 16383, node("b", 2))), ASKED);

        assertThat(slots.epochKey(keys, A)).isEmpty();
        assertThat(slots.epochKey(keys, B)).isPresent();
    }

    @SafeVarargs
    private static List<Object> range(int first, int last, List<Object>... nodes) {
        List<Object> range = new ArrayList<>(List.of((long) first, (long) last));
        range.addAll(Arrays.asList(nodes));
        return range;
    }

    private static List<Object> node(String host, long port) {
        return List.of(bytes(host), port, bytes("id"));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
