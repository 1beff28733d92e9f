package dev.engagement.config;

import java.util.List;

/**
 * The configuration cannot be used. The message is what the user sees: every problem with the option's name, where its
 * value came from and the way out. It holds no value of a secret. It has no stack trace, which would only hide the text.
 */
public final class ConfigurationException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final List<String> problems;

    ConfigurationException(String problem) {
        this("", List.of(problem));
    }

    /**
     * @param heading what the problems are about, or empty
     * @param problems at least one sentence
     */
    ConfigurationException(String heading, List<String> problems) {
        super(text(heading, problems), null, false, false);
        this.problems = List.copyOf(problems);
    }

    /** The problems one by one, in no particular order. */
    public List<String> problems() {
        return problems;
    }

    private static String text(String heading, List<String> problems) {
        if (heading.isEmpty() && problems.size() == 1) {
            return problems.get(0);
        }
        StringBuilder text = new StringBuilder(heading);
        for (String problem : problems) {
            text.append("\n  - ").append(problem);
        }
        return text.toString();
    }
}
