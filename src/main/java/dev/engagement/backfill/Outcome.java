package dev.engagement.backfill;

/**
 * What a backfill or a rebuild did.
 *
 * @param inserted rows that the destination lacked and has now; of rollups, cells that were inserted or replaced
 * @param skipped rows of the range that were there; of rollups, cells that were right
 */
public record Outcome(long inserted, long skipped) {

    /** The last line of either command. */
    public String line() {
        return "Backfill done. inserted=" + inserted + " skipped=" + skipped;
    }
}
