package dev.engagement;

import dev.engagement.backfill.ProgressReport;
import java.io.PrintStream;

/** A report that is printed; what is replaced is seen on a terminal only. */
final class PrintedReport implements ProgressReport {

    private final PrintStream out;
    private final boolean isTerminal;
    private int shown;

    PrintedReport(PrintStream out, boolean isTerminal) {
        this.out = out;
        this.isTerminal = isTerminal;
    }

    @Override
    public void line(String text) {
        out.println(over(text));
        shown = 0;
    }

    @Override
    public void progress(String text) {
        if (isTerminal) {
            out.print(over(text));
            out.flush();
            shown = text.length();
        }
    }

    private String over(String text) {
        return (shown > 0 ? "\r" : "") + text + " ".repeat(Math.max(0, shown - text.length()));
    }
}
