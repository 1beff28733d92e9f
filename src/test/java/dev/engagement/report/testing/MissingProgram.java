package dev.engagement.report.testing;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Why a test is skipped: it needs a program that is not installed.
 *
 * @param program name of the program, as on a command line
 * @param debianPackage the package of Debian that contains it
 * @param toShow what the test would have shown: a clause that follows "that"
 */
public record MissingProgram(String program, String debianPackage, String toShow) {

    private static final Pattern TEXT = Pattern.compile(
            "needs (?<program>\\S+) \\(Debian: apt-get install (?<package>\\S+)\\) to show that (?<show>.+)");

    /** The form in which it passes through the reports of the tests; {@link #in} reads it. */
    String text() {
        return "needs " + program + " (Debian: apt-get install " + debianPackage + ") to show that " + toShow;
    }

    /** The missing program that a message speaks of; empty if it speaks of none. */
    public static Optional<MissingProgram> in(String message) {
        Matcher matcher = TEXT.matcher(message);
        return matcher.find()
                ? Optional.of(
                        new MissingProgram(matcher.group("program"), matcher.group("package"), matcher.group("show")))
                : Optional.empty();
    }
}
