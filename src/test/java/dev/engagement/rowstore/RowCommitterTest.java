package dev.engagement.rowstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.testing.ManualPause;
import dev.engagement.rowstore.FakeStore.Fault;
import dev.engagement.rowstore.FakeStore.Request;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.flink.api.connector.sink2.Committer.CommitRequest;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RowCommitterTest {

    private static final CheckpointLineage LINE = new CheckpointLineage("me", List.of());

    private final FakeStore store = new FakeStore();
    private final ManualPause pause = new ManualPause();
    private String stream = "";

    @BeforeEach
    void fiveRowsWait() throws Exception {
        var opening = store.connect().open(null);
        store.step(new Random(1));
        stream = opening.get().stream();
        List<byte[]> rows = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            rows.add(ByteBuffer.allocate(Long.BYTES).putLong(i).array());
        }
        var unused = opening.get().append(rows, 0);
        store.step(new Random(1));
    }

    @Test
    void the_mark_stands_before_rows_are_shown() throws Exception {
        committer(false).commit(requests(2, 7));

        assertThat(store.log).containsExactly("label 7", "show s0 2");
        assertThat(store.label()).isEqualTo(new CheckpointLineage.FencingLabel("me", 7));
        assertThat(store.visible).hasSize(3);
    }

    @Test
    void what_was_shown_before_is_committed_already() throws Exception {
        committer(false).commit(requests(4, 7));
        List<CommitRequest<Appended>> again = requests(2, 6);
        committer(false).commit(again);

        assertThat(((SimulatedJob.Request) again.get(0)).alreadyCommitted).isTrue();
        assertThat(store.label()).as("never lowered").isEqualTo(new CheckpointLineage.FencingLabel("me", 7));
        assertThat(store.visible).hasSize(5);
    }

    @Test
    void an_outage_is_outlasted() throws Exception {
        store.script = request -> pause.millis() < 60_000 ? Fault.REFUSED : Fault.NONE;
        committer(false).commit(requests(4, 7));

        assertThat(pause.millis()).isBetween(60_000L, 75_000L);
        assertThat(store.visible).hasSize(5);
    }

    @Test
    void an_outage_longer_than_timeout_fails_and_keeps_the_rows() {
        store.script = request -> request == Request.SHOW ? Fault.REFUSED : Fault.NONE;

        assertThatThrownBy(() -> committer(false).commit(requests(4, 7)))
                .isInstanceOf(RowStoreException.class)
                .hasMessageContaining("shop.commit-timeout")
                .hasMessageContaining("They are kept");
        assertThat(pause.millis()).isBetween(600_000L, 615_000L);
    }

    @Test
    void a_lost_stream_is_refused_and_the_message_says_what_to_do() {
        store.streams.values().forEach(one -> one.lost = true);

        assertThatThrownBy(() -> committer(false).commit(requests(4, 7)))
                .isInstanceOf(RowStoreRefusedException.class)
                .hasMessageContaining("checkpoint 7")
                .hasMessageContaining("Rebuild what is missing");
    }

    @Test
    void rows_of_another_run_are_in_the_way_unless_that_is_accepted() throws Exception {
        store.labelled("other", 9);

        assertThatThrownBy(() -> committer(false).commit(requests(4, 7)))
                .isInstanceOf(RowStoreRefusedException.class)
                .hasMessageContaining("another run (other, up to checkpoint 9)");
        assertThat(store.visible).isEmpty();

        committer(true).commit(requests(4, 7));
        assertThat(store.visible).hasSize(5);
        assertThat(store.label()).isEqualTo(new CheckpointLineage.FencingLabel("me", 7));
    }

    private RowCommitter committer(boolean acceptDuplicates) {
        return new RowCommitter(
                store.store(acceptDuplicates, RowWriterTest.LIMITS),
                "me",
                null,
                new RowCommitter.Environment(
                        store.connect(), pause::millis, pause, () -> 0.5, new UnregisteredMetricsGroup()));
    }

    private List<CommitRequest<Appended>> requests(long lastOffset, long checkpoint) {
        return List.of(
                new SimulatedJob.Request(new Appended(stream, lastOffset, Appended.NO_DETAIL, checkpoint, LINE)));
    }
}
