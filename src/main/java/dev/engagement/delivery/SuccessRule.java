package dev.engagement.delivery;

import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Which answers are a success.
 *
 * @param statuses the statuses that are
 * @param field a field at the top of the answer's JSON that has to say so too; empty if the status is enough
 * @param values what the field may say, as text; its number, true or false in JSON's own form
 */
record SuccessRule(List<Statuses> statuses, Optional<String> field, Set<String> values) implements Serializable {
    private static final long serialVersionUID = 1L;

    /** Any 2xx, whatever its body says. */
    static final SuccessRule ANY_2XX = new SuccessRule(List.of(new Statuses(200, 299)), Optional.empty(), Set.of());

    boolean accepts(int status) {
        return statuses.stream().anyMatch(range -> range.from() <= status && status <= range.to());
    }

    /** Statuses from one to another, both included. */
    record Statuses(int from, int to) implements Serializable {
        private static final long serialVersionUID = 1L;
    }
}
