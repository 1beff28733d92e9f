package dev.engagement.warehouse;

import dev.engagement.rowstore.RowWriter;
import dev.engagement.rowstore.RowStoreException;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.Backoff;
import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import dev.engagement.event.Samples;
import dev.engagement.warehouse.FakeBigQuery.Fault;
import dev.engagement.warehouse.FakeBigQuery.Request;
import io.grpc.Status;
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

class WarehouseWriterTest {

    private static final int ROW_BYTES = 170;

    private final FakeBigQuery bigQuery = new FakeBigQuery();
    private boolean frozen;
    private final Random random = new Random(1);
    private final ManualTask task = new ManualTask(0, () -> !frozen && bigQuery.step(random));
    private final List<String> rejected = new ArrayList<>();
    private final Map<String, Histogram> histograms = new HashMap<>();
    private final RowWriter writer = new RowWriter(
            new RowWriter.Limits(
                    10_000,
                    6 * ROW_BYTES,
                    20_000,
                    Duration.ofSeconds(1),
                    Duration.ofSeconds(30),
                    Duration.ofMinutes(10),
                    WarehouseOptions.JsonNumbers.ROUND),
            new Backoff(Duration.ofMillis(100), Duration.ofSeconds(1)),
            new RowWriter.Environment(
                    "t",
                    bigQuery.connect(),
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
        assertThat(bigQuery.streams).isEmpty();
    }

    @Test
    void an_append_goes_when_it_is_full_or_its_first_row_has_waited() throws Exception {
        write(1, 2);
        task.pass(999);
        assertThat(bigQuery.appends()).isZero();
        task.pass(1);
        assertThat(bigQuery.appends()).isEqualTo(1);

        write(3, 12);
        task.settle();
        assertThat(bigQuery.appends()).isGreaterThan(1);
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

        assertThat(bigQuery.streams).hasSize(1);
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
        bigQuery.bad.addAll(List.of(8L, 9L));
        write(1, 20);
        List<RowWriter.Range> ranges = writer.prepareCommit();

        assertThat(rejected).containsExactly("8: bad row 8", "9: bad row 9");
        assertThat(ranges).hasSize(2);
        for (RowWriter.Range range : ranges) {
            bigQuery.connect().flush(range.stream(), range.lastOffset()).get();
        }
        List<Long> good = ids(1, 20);
        good.removeAll(bigQuery.bad);
        assertThat(bigQuery.visible).isEqualTo(good);
    }

    /** An offset never means two rows: else the late copy of row 4 would stand where row 5 belongs, and row 5 be lost. */
    @Test
    void a_late_copy_of_an_append_is_never_taken_for_another() throws Exception {
        bigQuery.dropsWhatIsAbandoned = false;
        bigQuery.bad.add(2L);
        write(100, 100);
        task.pass(1_000);
        frozen = true;
        write(1, 3);
        task.pass(1_000);
        write(4, 4);
        task.pass(1_000);
        bigQuery.hold();
        frozen = false;
        task.pass(40_000);
        bigQuery.release();
        task.settle();
        write(5, 5);

        for (RowWriter.Range range : writer.prepareCommit()) {
            bigQuery.connect().flush(range.stream(), range.lastOffset()).get();
        }
        assertThat(bigQuery.visible).containsExactly(100L, 1L, 3L, 4L, 5L);
    }

    @Test
    void an_append_of_refused_rows_alone_leaves_nothing() throws Exception {
        bigQuery.bad.add(1L);
        write(1, 1);

        assertThat(writer.prepareCommit()).isEmpty();
        assertThat(rejected).hasSize(1);
    }

    @Test
    void what_bigquery_cannot_hold_is_not_even_sent() throws Exception {
        writer.write(withPayload(1, "[1e400]"));
        writer.write(withPayload(2, "\"" + "x".repeat(20_000) + "\""));
        writer.write(withPayload(3, "{}"));

        assertThat(writer.prepareCommit()).hasSize(1);
        assertThat(onServer()).isEqualTo(ids(3, 3));
        assertThat(rejected.get(0)).contains("the number 1e400");
        assertThat(rejected.get(1)).contains("more than BigQuery takes in one request");
    }

    @Test
    void a_number_that_bigquery_would_change_is_sent_as_bigquery_writes_it() throws Exception {
        writer.write(withPayload(1, "{\"at\": [0.01207, 12345678901234567890123, 0.5]}"));

        assertThat(writer.prepareCommit()).hasSize(1);
        assertThat(rejected).isEmpty();
        assertThat(bigQuery.lastAppend.get(0).toStringUtf8())
                .contains("{\"at\": [0.012070000000000001, 1.2345678901234568E+22, 0.5]}");
    }

    @Test
    void the_task_waits_rather_than_hold_more_than_its_limit() throws Exception {
        bigQuery.script = request ->
                request == Request.OPEN && bigQuery.streams.isEmpty() && task.getCurrentProcessingTime() < 5_000
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
        bigQuery.streams.values().forEach(stream -> stream.lost = true);
        write(6, 9);

        assertThat(writer.prepareCommit()).hasSize(1);
        assertThat(bigQuery.streams).hasSize(2);
        assertThat(onServer()).isEqualTo(ids(1, 9));
    }

    @Test
    void a_stream_that_is_lost_with_rows_of_no_checkpoint_fails_the_task() throws Exception {
        write(1, 5);
        task.pass(2_000);
        bigQuery.streams.values().forEach(stream -> stream.lost = true);
        write(6, 9);

        assertThatThrownBy(writer::prepareCommit).hasStackTraceContaining("has lost the stream");
    }

    @Test
    void an_outage_longer_than_timeout_fails_the_task() throws Exception {
        bigQuery.refusal = WarehouseFailure.of(Status.Code.PERMISSION_DENIED, "no right");
        bigQuery.script = request -> request == Request.OPEN ? Fault.REFUSED : Fault.NONE;
        write(1, 1);

        assertThatThrownBy(() -> task.pass(700_000))
                .isInstanceOf(RowStoreException.class)
                .hasMessageContaining("warehouse.commit-timeout")
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
        bigQuery.script = asked -> asked == request && !left.isEmpty() ? left.remove() : Fault.NONE;
    }

    private List<Long> onServer() {
        List<Long> all = new ArrayList<>();
        bigQuery.streams.values().forEach(stream -> all.addAll(stream.rows));
        return all;
    }

    private static List<Long> ids(long first, long last) {
        return new ArrayList<>(LongStream.rangeClosed(first, last).boxed().toList());
    }
}
