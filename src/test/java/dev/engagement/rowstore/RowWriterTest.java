package dev.engagement.rowstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.Backoff;
import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import dev.engagement.event.Samples;
import dev.engagement.rowstore.FakeStore.Fault;
import dev.engagement.rowstore.FakeStore.Request;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.LongStream;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.junit.jupiter.api.Test;

class RowWriterTest {

    private static final int ROW_BYTES = 170;

    static final RowWriter.Limits LIMITS = new RowWriter.Limits(
            10_000,
            6 * ROW_BYTES,
            20_000,
            Duration.ofSeconds(1),
            Duration.ofSeconds(30),
            Duration.ofMinutes(10),
            false);

    private final FakeStore store = new FakeStore();
    private boolean frozen;
    private final Random random = new Random(1);
    private final ManualTask task = new ManualTask(0, () -> !frozen && store.step(random));
    private final List<String> rejected = new ArrayList<>();
    private final Map<String, Histogram> histograms = new HashMap<>();
    private final RowWriter writer = new RowWriter(
            LIMITS,
            new Backoff(Duration.ofMillis(100), Duration.ofSeconds(1)),
            new RowWriter.Environment(
                    FakeStore.NAME,
                    FakeStore.TABLE,
                    store.connect(),
                    new FakeStore.Encoder(),
                    task,
                    task,
                    () -> 0.5,
                    new UnregisteredMetricsGroup() {
                        @Override
                        public <H extends Histogram> H histogram(String name, H histogram) {
                            histograms.put(name, histogram);
                            return histogram;
                        }
                    },
                    (event, why) -> rejected.add(event.event().id() + ": " + why)));

    @Test
    void without_rows_no_stream_is_opened() throws Exception {
        task.pass(100_000);

        assertThat(writer.prepareCommit()).isEmpty();
        assertThat(store.streams).isEmpty();
    }

    @Test
    void an_append_goes_when_it_is_full_or_its_first_row_has_waited() throws Exception {
        write(1, 2);
        task.pass(999);
        assertThat(store.appends()).isZero();
        task.pass(1);
        assertThat(store.appends()).isEqualTo(1);

        write(3, 12);
        task.settle();
        assertThat(store.appends()).isGreaterThan(1);
    }

    @Test
    void a_checkpoint_has_all_rows_before_it_and_the_next_one_those_after() throws Exception {
        write(1, 20);
        assertThat(writer.prepareCommit()).singleElement().satisfies(range -> assertThat(range.lastOffset())
                .isEqualTo(19));
        assertThat(writer.prepareCommit()).isEmpty();
        write(21, 21);
        assertThat(writer.prepareCommit()).singleElement().satisfies(range -> assertThat(range.lastOffset())
                .isEqualTo(20));

        assertThat(store.streams).hasSize(1);
        assertThat(onServer()).isEqualTo(ids(1, 21));
    }

    @Test
    void an_append_tells_how_long_its_first_row_took_from_the_commit_in_the_source() throws Exception {
        long committedAt = Samples.enriched(1, 1).event().committedAtMillis();
        write(1, 2);
        task.pass(1_000);

        Histogram latency = histograms.get("commitToWrittenMillis");
        assertThat(latency.getCount()).isEqualTo(1);
        assertThat(latency.getStatistics().getMax()).isEqualTo(task.getCurrentProcessingTime() - committedAt);
    }

    @Test
    void an_append_whose_acknowledgement_was_lost_is_not_there_twice() throws Exception {
        script(Request.APPEND, Fault.NONE, Fault.ANSWER_LOST);
        write(1, 30);
        writer.prepareCommit();

        assertThat(onServer()).isEqualTo(ids(1, 30));
    }

    @Test
    void a_connection_that_says_nothing_is_given_up_in_time() throws Exception {
        script(Request.APPEND, Fault.SILENT);
        write(1, 1);
        task.pass(30_000);
        assertThat(onServer()).isEmpty();
        task.pass(2_000);

        assertThat(onServer()).isEqualTo(ids(1, 1));
    }

    @Test
    void refused_rows_are_put_aside_and_the_others_go_into_a_new_stream() throws Exception {
        store.bad.addAll(List.of(8L, 9L));
        write(1, 20);
        List<RowWriter.Range> ranges = writer.prepareCommit();

        assertThat(rejected).containsExactly("8: bad row 8", "9: bad row 9");
        assertThat(ranges).hasSize(2);
        for (RowWriter.Range range : ranges) {
            store.connect()
                    .show(new Appended(
                            range.stream(),
                            range.lastOffset(),
                            range.detail(),
                            1,
                            new CheckpointLineage("r", List.of())))
                    .get();
        }
        List<Long> good = ids(1, 20);
        good.removeAll(store.bad);
        assertThat(store.visible).isEqualTo(good);
    }

    /** An offset never means two rows: else the late copy of row 4 would stand where row 5 belongs, and row 5 be lost. */
    @Test
    void a_late_copy_of_an_append_is_never_taken_for_another() throws Exception {
        store.dropsWhatIsAbandoned = false;
        store.bad.add(2L);
        write(100, 100);
        task.pass(1_000);
        frozen = true;
        write(1, 3);
        task.pass(1_000);
        write(4, 4);
        task.pass(1_000);
        store.hold();
        frozen = false;
        task.pass(40_000);
        store.release();
        task.settle();
        write(5, 5);

        for (RowWriter.Range range : writer.prepareCommit()) {
            store.connect()
                    .show(new Appended(
                            range.stream(),
                            range.lastOffset(),
                            range.detail(),
                            1,
                            new CheckpointLineage("r", List.of())))
                    .get();
        }
        assertThat(store.visible).containsExactly(100L, 1L, 3L, 4L, 5L);
    }

    @Test
    void an_append_of_refused_rows_alone_leaves_nothing() throws Exception {
        store.bad.add(1L);
        write(1, 1);

        assertThat(writer.prepareCommit()).isEmpty();
        assertThat(rejected).hasSize(1);
    }

    @Test
    void what_the_store_cannot_hold_is_not_even_sent() throws Exception {
        writer.write(withPayload(1, "refuse"));
        writer.write(withPayload(2, "x".repeat(20_000)));
        writer.write(withPayload(3, "{}"));

        assertThat(writer.prepareCommit()).hasSize(1);
        assertThat(onServer()).isEqualTo(ids(3, 3));
        assertThat(rejected.get(0)).isEqualTo("1: it says so");
        assertThat(rejected.get(1)).contains("more than Store takes in one request");
    }

    @Test
    void the_task_waits_rather_than_hold_more_than_its_limit() throws Exception {
        store.script =
                request -> request == Request.OPEN && store.streams.isEmpty() && task.getCurrentProcessingTime() < 5_000
                        ? Fault.REFUSED
                        : Fault.NONE;
        write(1, 100);

        assertThat(task.getCurrentProcessingTime())
                .as("it waited for the outage")
                .isGreaterThanOrEqualTo(5_000);
        writer.prepareCommit();
        assertThat(onServer()).isEqualTo(ids(1, 100));
    }

    @Test
    void a_stream_that_is_lost_after_all_its_rows_were_covered_costs_nothing() throws Exception {
        write(1, 5);
        writer.prepareCommit();
        store.streams.values().forEach(stream -> stream.lost = true);
        write(6, 9);

        assertThat(writer.prepareCommit()).hasSize(1);
        assertThat(store.streams).hasSize(2);
        assertThat(onServer()).isEqualTo(ids(1, 9));
    }

    @Test
    void a_stream_that_is_lost_with_rows_of_no_checkpoint_fails_the_task() throws Exception {
        write(1, 5);
        task.pass(2_000);
        store.streams.values().forEach(stream -> stream.lost = true);
        write(6, 9);

        assertThatThrownBy(writer::prepareCommit).hasStackTraceContaining("has lost the stream");
    }

    @Test
    void an_outage_longer_than_timeout_fails_the_task() throws Exception {
        store.refusal = FakeStore.Failure.of(RowVerdict.TRANSIENT, "no right");
        store.script = request -> request == Request.OPEN ? Fault.REFUSED : Fault.NONE;
        write(1, 1);

        assertThatThrownBy(() -> task.pass(700_000))
                .isInstanceOf(RowStoreException.class)
                .hasMessageContaining("shop.commit-timeout")
                .hasMessageContaining("no right");
    }

    private void write(long first, long last) throws Exception {
        for (long id = first; id <= last; id++) {
            writer.write(Samples.enriched(id, 1));
        }
    }

    private static EnrichedEvent withPayload(long id, String payload) {
        EngagementEvent event =
                new EngagementEvent(id, "c", null, null, 5, 1, null, payload, true, 0, new Position(0, 0, 0));
        return EngagementRule.DEFAULT.enrich(event, new Content("c", null, null, null, null, null));
    }

    private void script(Request request, Fault... faults) {
        Deque<Fault> left = new ArrayDeque<>(List.of(faults));
        store.script = asked -> asked == request && !left.isEmpty() ? left.remove() : Fault.NONE;
    }

    private List<Long> onServer() {
        List<Long> all = new ArrayList<>();
        store.streams.values().forEach(stream -> all.addAll(stream.rows));
        return all;
    }

    private static List<Long> ids(long first, long last) {
        return new ArrayList<>(LongStream.rangeClosed(first, last).boxed().toList());
    }
}
