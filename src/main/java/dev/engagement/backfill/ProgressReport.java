package dev.engagement.backfill;

/** Where a command says how it goes: the main prints it. Called from one thread at a time. */
public interface ProgressReport {

    /** A line that stays. */
    void line(String text);

    /** A line that the next one replaces, where the terminal can do that. */
    void progress(String text);
}
