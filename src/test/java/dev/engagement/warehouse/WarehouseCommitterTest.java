package dev.engagement.warehouse;

import dev.engagement.rowstore.CheckpointLineage;
import dev.engagement.rowstore.Appended;
import dev.engagement.rowstore.RowStoreException;
import dev.engagement.rowstore.RowStoreRefusedException;
import dev.engagement.rowstore.RowEncoder;
import dev.engagement.rowstore.RowCommitter;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.engagement.connection.Backoff;
import dev.engagement.connection.testing.ManualPause;
import dev.engagement.event.Samples;
import dev.engagement.warehouse.FakeBigQuery.Fault;
import dev.engagement.warehouse.FakeBigQuery.Request;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.flink.api.connector.sink2.Committer.CommitRequest;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WarehouseCommitterTest {

    private static final CheckpointLineage LINE = new CheckpointLineage("me", List.of());

    private final FakeBigQuery bigQuery = new FakeBigQuery();
    private final ManualPause pause = new ManualPause();
    private String stream = "";

    @BeforeEach
    void fiveRowsWait() throws Exception {
        var opening = bigQuery.connect().open(null);
        bigQuery.step(new Random(1));
        stream = opening.get().stream();
        List<ByteString> rows = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            rows.add(new RowEncoder().encode(Samples.enriched(i, 1)));
        }
        var unused = opening.get().append(rows, 0);
        bigQuery.step(new Random(1));
    }

    @Test
    void the_mark_stands_before_rows_are_shown() throws Exception {
        committer(false).commit(requests(2, 7));

        assertThat(bigQuery.log).containsExactly("mark 7", "flush s0 2");
        assertThat(bigQuery.labels())
                .containsEntry("engagement-line", "me")
                .containsEntry("engagement-checkpoint", "7");
        assertThat(bigQuery.visible).hasSize(3);
    }

    @Test
    void what_was_shown_before_is_committed_already() throws Exception {
        committer(false).commit(requests(4, 7));
        List<CommitRequest<Appended>> again = requests(2, 6);
        committer(false).commit(again);

        assertThat(((SimulatedJob.Request) again.get(0)).alreadyCommitted).isTrue();
        assertThat(bigQuery.labels()).as("never lowered").containsEntry("engagement-checkpoint", "7");
        assertThat(bigQuery.visible).hasSize(5);
    }

    @Test
    void an_outage_is_outlasted() throws Exception {
        bigQuery.script = request -> pause.millis() < 60_000 ? Fault.REFUSED : Fault.NONE;
        committer(false).commit(requests(4, 7));

        assertThat(pause.millis()).isBetween(60_000L, 75_000L);
        assertThat(bigQuery.visible).hasSize(5);
    }

    @Test
    void an_outage_longer_than_timeout_fails_and_keeps_the_rows() {
        bigQuery.script = request -> request == Request.FLUSH ? Fault.REFUSED : Fault.NONE;

        assertThatThrownBy(() -> committer(false).commit(requests(4, 7)))
                .isInstanceOf(RowStoreException.class)
                .hasMessageContaining("warehouse.commit-timeout")
                .hasMessageContaining("They are kept");
        assertThat(pause.millis()).isBetween(600_000L, 615_000L);
    }

    @Test
    void a_lost_stream_is_refused_and_the_message_says_what_to_do() {
        bigQuery.streams.values().forEach(one -> one.lost = true);

        assertThatThrownBy(() -> committer(false).commit(requests(4, 7)))
                .isInstanceOf(RowStoreRefusedException.class)
                .hasMessageContaining("checkpoint 7")
                .hasMessageContaining("Streams live for 7 days")
                .hasMessageContaining("rebuild");
    }

    @Test
    void rows_of_another_run_are_in_the_way_unless_that_is_accepted() throws Exception {
        bigQuery.label(bigQuery.get(), Map.of("engagement-line", "other", "engagement-checkpoint", "9"));

        assertThatThrownBy(() -> committer(false).commit(requests(4, 7)))
                .isInstanceOf(RowStoreRefusedException.class)
                .hasMessageContaining("another run (other, up to checkpoint 9)");
        assertThat(bigQuery.visible).isEmpty();

        committer(true).commit(requests(4, 7));
        assertThat(bigQuery.visible).hasSize(5);
        assertThat(bigQuery.labels()).containsEntry("engagement-line", "me");
    }

    private RowCommitter committer(boolean acceptDuplicates) {
        WarehouseOptions o = FakeBigQuery.OPTIONS;
        WarehouseOptions options = new WarehouseOptions(
                o.project(),
                o.dataset(),
                o.table(),
                o.endpoints(),
                null,
                o.layout(),
                o.maxInFlight(),
                o.flushSize(),
                o.flushInterval(),
                o.commitTimeout(),
                acceptDuplicates,
                false,
                WarehouseOptions.JsonNumbers.EXACT);
        return new RowCommitter(
                options,
                "me",
                new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10)),
                null,
                new RowCommitter.Environment(
                        bigQuery.connect(),
                        any -> bigQuery,
                        pause::millis,
                        pause,
                        () -> 0.5,
                        new UnregisteredMetricsGroup()));
    }

    private List<CommitRequest<Appended>> requests(long lastOffset, long checkpoint) {
        return List.of(new SimulatedJob.Request(new Appended(stream, lastOffset, checkpoint, LINE)));
    }
}
