package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.liveview.WriteOutcome;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.UnaryOperator;

/** A Redis that records what it is sent and fails as it is told; otherwise every write is applied. */
final class ScriptedRedis implements RedisConnection.Connector {

    private static final long serialVersionUID = 1L;

    final transient List<List<ScriptedWrite>> batches = new ArrayList<>();
    final transient CountDownLatch aborted = new CountDownLatch(1);
    private final transient Deque<RuntimeException> connectFailures = new ArrayDeque<>();
    private final transient Deque<UnaryOperator<List<Reply>>> answers = new ArrayDeque<>();
    private final transient Set<LiveViewScript> known = new HashSet<>();
    /** What it says of its incarnation. */
    String incarnation = "one";

    int incarnationAsked;
    int connects;
    int loads;

    void failConnect(RuntimeException failure) {
        connectFailures.add(failure);
    }

    /** The next batch breaks the connection. */
    void failBatch(RuntimeException failure) {
        answers.add(replies -> {
            throw failure;
        });
    }

    /** The next batch is answered so. */
    void answer(UnaryOperator<List<Reply>> answer) {
        answers.add(answer);
    }

    void flushScripts() {
        known.clear();
    }

    @Override
    public RedisConnection connect() {
        connects++;
        if (!connectFailures.isEmpty()) {
            throw connectFailures.remove();
        }
        return new Recording();
    }

    /** Keys of a batch, in order. */
    List<String> keys(int batch) {
        return batches.get(batch).stream().map(ScriptedWrite::key).toList();
    }

    private final class Recording implements RedisConnection {

        @Override
        public void load(LiveViewScript... scripts) {
            loads++;
            known.addAll(List.of(scripts));
        }

        @Override
        public List<Reply> perform(List<ScriptedWrite> writes) {
            batches.add(writes);
            List<Reply> replies = new ArrayList<>();
            for (ScriptedWrite write : writes) {
                replies.add(
                        known.contains(write.script())
                                ? new Reply.Done(WriteOutcome.WRITTEN)
                                : new Reply.Failed("NOSCRIPT No matching script. Please use EVAL."));
            }
            return answers.isEmpty() ? replies : answers.remove().apply(replies);
        }

        @Override
        public String incarnation() {
            incarnationAsked++;
            return incarnation;
        }

        @Override
        public void abort() {
            aborted.countDown();
        }
    }
}
