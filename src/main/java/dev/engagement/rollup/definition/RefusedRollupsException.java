package dev.engagement.rollup.definition;

import java.util.List;

/** Rollups are defined in a way that cannot be used; says all that is wrong, each with its key, its value and the way out. */
public final class RefusedRollupsException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    private final List<String> problems;

    /** @param problems at least one sentence, each without its full stop */
    RefusedRollupsException(List<String> problems) {
        super(String.join(".\n", problems));
        this.problems = List.copyOf(problems);
    }

    /** The problems one by one, each without its full stop. */
    public List<String> problems() {
        return problems;
    }
}
