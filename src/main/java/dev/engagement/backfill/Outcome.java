package dev.engagement.backfill;

/**
 * What a backfill or a rebuild did.
 *
 * @param inserted rows that the destination lacked and has now
 * @param skipped rows of the range that were there
 */
public record Outcome(long inserted, long skipped) {

    /** The last line of either command. */
    public String line() {
        return "Backfill done. inserted=" + inserted + " skipped=" + skipped;
    }
}
