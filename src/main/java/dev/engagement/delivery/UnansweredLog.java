package dev.engagement.delivery;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.StringJoiner;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Says at most once a minute which attempts had no answer, and why: a receiver that is away answers none of thousands.
 * Confined to one thread; time is what it is told.
 */
final class UnansweredLog {

    /** Between two lines at least. */
    static final Duration INTERVAL = Duration.ofMinutes(1);

    private final String receiver;
    private final Consumer<String> lines;
    private final Map<NoAnswer, Long> counts = new EnumMap<>(NoAnswer.class);
    private long notBeforeMillis = Long.MIN_VALUE;
    private Answer.@Nullable Unanswered last;

    /**
     * @param receiver whom it speaks of, without anything that nobody may know
     * @param lines takes each line
     */
    UnansweredLog(String receiver, Consumer<String> lines) {
        this.receiver = receiver;
        this.lines = lines;
    }

    /** An attempt had no answer; it may be told at once. */
    void add(Answer.Unanswered unanswered, long nowMillis) {
        counts.merge(unanswered.kind(), 1L, Long::sum);
        last = unanswered;
        look(nowMillis);
    }

    /** Tells what was not told yet, if it is time. */
    void look(long nowMillis) {
        Answer.Unanswered told = last;
        if (told == null || nowMillis < notBeforeMillis) {
            return;
        }
        boolean first = notBeforeMillis == Long.MIN_VALUE;
        notBeforeMillis = nowMillis + INTERVAL.toMillis();
        StringJoiner byKind = new StringJoiner(", ");
        long sum = 0;
        for (Map.Entry<NoAnswer, Long> each : counts.entrySet()) {
            byKind.add(each.getKey().text() + " " + each.getValue());
            sum += each.getValue();
        }
        lines.accept("Attempts to post to " + receiver + " that had no answer since "
                + (first ? "the start: " : "the last line that said so: ") + sum + " (" + byKind
                + "). They will be repeated. " + told.kind().sentence() + ": " + told.why());
        counts.clear();
        last = null;
    }
}
