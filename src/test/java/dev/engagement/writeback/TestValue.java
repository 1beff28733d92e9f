package dev.engagement.writeback;

import org.jspecify.annotations.Nullable;

/**
 * A count in two parts: of all, and of late, which is over at some time.
 *
 * @param recent 0 if there is no such part
 * @param recentUntilMillis when that part is over
 * @param untilMillis when the value is over
 * @param estimatedBytes what it says of its size
 */
record TestValue(String id, long total, long recent, long recentUntilMillis, long untilMillis, int estimatedBytes)
        implements WriteBackValue<TestValue> {

    static final long TOTAL = 1;
    static final long RECENT = 2;
    static final long[] RECENT_FIRST = {RECENT, TOTAL};

    private static final int BYTES = 100;

    static TestValue of(String id, long total) {
        return new TestValue(id, total, 0, 0, Long.MAX_VALUE, BYTES);
    }

    TestValue withRecent(long events, long recentUntil) {
        return new TestValue(id, total, events, recentUntil, untilMillis, estimatedBytes);
    }

    TestValue until(long millis) {
        return new TestValue(id, total, recent, recentUntilMillis, millis, estimatedBytes);
    }

    TestValue ofBytes(int bytes) {
        return new TestValue(id, total, recent, recentUntilMillis, untilMillis, bytes);
    }

    @Override
    public boolean has(long parts) {
        return (parts & TOTAL) != 0 || ((parts & RECENT) != 0 && recent != 0);
    }

    @Override
    public @Nullable TestValue aliveAt(long nowMillis) {
        if (untilMillis <= nowMillis) {
            return null;
        }
        return recent != 0 && recentUntilMillis <= nowMillis ? withRecent(0, 0) : this;
    }
}
