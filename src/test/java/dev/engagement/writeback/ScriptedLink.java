package dev.engagement.writeback;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;

/** A link that records what it is to send, and whose store answers as it is told; otherwise it takes everything. */
final class ScriptedLink implements Link<TestValue> {

    final List<List<Item<TestValue>>> batches = new ArrayList<>();
    final CountDownLatch aborted = new CountDownLatch(1);
    /** What the store says of its incarnation; null if it says nothing. */
    String incarnation = "one";

    boolean more;
    int attempts;
    boolean closed;
    private final Deque<Function<List<Item<TestValue>>, Outcome>> answers = new ArrayDeque<>();

    /** The next attempt has this outcome. */
    void answer(Function<List<Item<TestValue>>, Outcome> answer) {
        answers.add(answer);
    }

    /** The next attempt does not reach the store. */
    void fail() {
        answers.add(items -> new Outcome(all(items), "broken", false, false, null));
    }

    /** The next attempt is refused. */
    void refuse() {
        answers.add(items -> new Outcome(all(items), "no right", true, false, null));
    }

    static long[] all(List<Item<TestValue>> items) {
        return items.stream().mapToLong(Item::parts).toArray();
    }

    /** Ids and totals of the batches that were not empty, as {@code a=1}. */
    List<List<String>> texts() {
        return batches.stream()
                .map(batch -> batch.stream()
                        .map(item -> item.value().id() + "=" + item.value().total())
                        .toList())
                .toList();
    }

    @Override
    public boolean hasMore() {
        return more;
    }

    @Override
    public Attempt attempt(List<Item<TestValue>> items, long nowMillis) {
        more = false;
        return new Attempt() {
            private Outcome outcome;

            @Override
            public void send() {
                attempts++;
                if (!items.isEmpty()) {
                    batches.add(items);
                }
                outcome = answers.isEmpty()
                        ? new Outcome(new long[items.size()], null, false, true, incarnation)
                        : answers.remove().apply(items);
            }

            @Override
            public Outcome outcome(long nowMillis) {
                return outcome;
            }
        };
    }

    @Override
    public void abort() {
        aborted.countDown();
    }

    @Override
    public void close() {
        closed = true;
    }
}
