package dev.engagement.local.clickhouse;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What the server does wrong on purpose, as {@code POST /control/faults} sets it: a list of faults, each for the next so
 * many statements that hold a text.
 *
 * <pre>{@code
 * [{"statement": "MOVE PARTITION", "does": "KILL_AFTER"},
 *  {"statement": "INSERT", "does": "LOSE_ANSWER", "times": 2},
 *  {"statement": "INSERT", "does": "REFUSE", "code": 252}]
 * }</pre>
 *
 * <p>Thread safe.
 */
final class ClickHouseFaults {

    /** What happens to a statement. */
    enum Deed {
        /** The process ends before it is run. */
        KILL_BEFORE,
        /** The process ends once it was run, before that is answered. */
        KILL_AFTER,
        /** It is run, and its connection ends without an answer. */
        LOSE_ANSWER,
        /** It is not run, and its connection ends without an answer. */
        LOSE_REQUEST,
        /** It is not run, and answered with an error. */
        REFUSE,
        /** It is not run, and nothing is answered for as long as the fault lasts. */
        SILENCE
    }

    /**
     * A fault.
     *
     * @param statement a text that it holds, in any case
     * @param deed what happens
     * @param code of the error that is answered
     * @param left how often
     */
    record Fault(String statement, Deed deed, int code, int left) {}

    private final List<Fault> faults = new ArrayList<>();

    /** Sets what a JSON array names, instead of what was set; an empty one ends all. */
    synchronized void set(JsonNode wanted) {
        List<Fault> parsed = new ArrayList<>();
        for (JsonNode fault : wanted) {
            parsed.add(new Fault(
                    fault.path("statement").asText().toLowerCase(Locale.ROOT),
                    Deed.valueOf(fault.path("does").asText()),
                    fault.path("code").asInt(),
                    fault.path("times").asInt(1)));
        }
        faults.clear();
        faults.addAll(parsed);
        notifyAll();
    }

    /** The fault of this statement, which is used up by it; null for none. */
    synchronized @Nullable Fault next(String statement) {
        String lower = statement.toLowerCase(Locale.ROOT);
        for (Iterator<Fault> each = faults.iterator(); each.hasNext(); ) {
            Fault fault = each.next();
            if (lower.contains(fault.statement())) {
                each.remove();
                if (fault.left() > 1) {
                    faults.add(new Fault(fault.statement(), fault.deed(), fault.code(), fault.left() - 1));
                }
                return fault;
            }
        }
        return null;
    }

    /** Waits until faults are set anew. */
    synchronized void awaitChange() throws InterruptedException {
        List<Fault> before = List.copyOf(faults);
        while (faults.equals(before)) {
            wait();
        }
    }
}
