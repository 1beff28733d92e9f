package dev.engagement.bench;

import dev.engagement.event.Standings;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.functions.FilterFunction;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/** Keeps the boards that a job in this process publishes. One job at a time. */
final class Boards implements FilterFunction<Standings> {

    private static final long serialVersionUID = 1L;

    private static final List<Standings> PUBLISHED = new ArrayList<>();

    private Boards() {}

    /** Ends a stream of boards. */
    static void keep(DataStream<Standings> standings) {
        standings
                .filter(new Boards())
                .setParallelism(1)
                .name("keep boards")
                .sinkTo(new DiscardingSink<>())
                .setParallelism(1);
    }

    @Override
    public boolean filter(Standings board) {
        synchronized (PUBLISHED) {
            PUBLISHED.add(board);
        }
        return false;
    }

    /** Those published since the last call, in their order. */
    static List<Standings> take() {
        synchronized (PUBLISHED) {
            List<Standings> boards = List.copyOf(PUBLISHED);
            PUBLISHED.clear();
            return boards;
        }
    }
}
