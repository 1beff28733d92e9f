package dev.engagement.ranking;

import dev.engagement.event.Standings;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.function.Function;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * One task that merges the subtasks' standings into those of all contents, which is exact: each content is in one shard,
 * and whoever is among the best of all is among the best of its subtask.
 *
 * <p>A slide end is published when the watermarks of all subtasks have passed it, and only if each of them sent its part,
 * else counted: at a start, and after a jump of event time, the subtasks may not agree on the first one.
 *
 * <p>It needs no state: the subtasks saw the same watermarks before an aligned barrier, hence nothing waits here at one.
 * What waits at an unaligned one is a board that may not be published, and the next slide brings another.
 */
final class MergeStandings extends AbstractStreamOperator<Standings>
        implements OneInputStreamOperator<ShardStandings, Standings> {

    private static final long serialVersionUID = 1L;

    private static final Comparator<TopN.Cursor> BEST_FIRST = Comparator.comparing(
            TopN.Cursor::place,
            Comparator.comparingLong(Standings.Place::score)
                    .reversed()
                    .thenComparing(Standings.Place::contentId, ContentIds.ORDER));

    private final int topN;

    private transient TreeMap<Long, List<ShardStandings>> waiting;
    private transient volatile long lagMillis;
    private transient Counter incompleteBoards;

    MergeStandings(RankingOptions options) {
        this.topN = options.topN();
    }

    @Override
    public void open() throws Exception {
        super.open();
        waiting = new TreeMap<>();
        incompleteBoards = getMetricGroup().counter("incompleteBoards");
        getMetricGroup().gauge("boardLagMillis", (Gauge<Long>) () -> lagMillis);
    }

    @Override
    public void processElement(StreamRecord<ShardStandings> record) {
        ShardStandings part = record.getValue();
        waiting.computeIfAbsent(part.slideEndMillis(), end -> new ArrayList<>()).add(part);
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        while (!waiting.isEmpty() && waiting.firstKey() - 1 <= mark.getTimestamp()) {
            Map.Entry<Long, List<ShardStandings>> board = waiting.pollFirstEntry();
            List<ShardStandings> parts = board.getValue();
            if (isComplete(parts)) {
                publish(board.getKey(), parts);
            } else {
                incompleteBoards.inc();
            }
        }
        super.processWatermark(mark);
    }

    /** Slide ends of which some subtask sent no part. */
    long incompleteBoards() {
        return incompleteBoards.getCount();
    }

    /** Whether there is one part of each subtask, all of the same run: parts of two parallelisms cut the shards differently. */
    private static boolean isComplete(List<ShardStandings> parts) {
        int parallelism = parts.get(0).parallelism();
        return parts.size() == parallelism
                && parts.stream().allMatch(part -> part.parallelism() == parallelism)
                && parts.stream().map(ShardStandings::subtask).distinct().count() == parallelism;
    }

    private void publish(long slideEndMillis, List<ShardStandings> parts) throws IOException {
        lagMillis = getProcessingTimeService().getCurrentProcessingTime() - slideEndMillis;
        output.collect(new StreamRecord<>(new Standings(
                slideEndMillis, merge(parts, ShardStandings::byEvents), merge(parts, ShardStandings::byEngagement))));
    }

    /** Only ever the heads are compared: a step for each place on the board, whatever the number of subtasks' places. */
    private List<Standings.Place> merge(List<ShardStandings> parts, Function<ShardStandings, TopN> board)
            throws IOException {
        PriorityQueue<TopN.Cursor> heads = new PriorityQueue<>(parts.size(), BEST_FIRST);
        for (ShardStandings part : parts) {
            enter(board.apply(part).read(), heads);
        }
        List<Standings.Place> places = new ArrayList<>();
        for (TopN.Cursor best = heads.poll(); best != null; best = heads.poll()) {
            places.add(best.place());
            if (places.size() == topN) {
                break;
            }
            enter(best, heads);
        }
        return places;
    }

    private static void enter(TopN.Cursor head, PriorityQueue<TopN.Cursor> heads) throws IOException {
        if (head.next()) {
            heads.add(head);
        }
    }
}
