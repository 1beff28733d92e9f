package dev.engagement.event;

import org.jspecify.annotations.Nullable;

/** What the content topic says, in the order of one partition: the latest change of a content wins. */
public sealed interface ContentChange {

    /**
     * A content was inserted, updated or read by a snapshot.
     *
     * @param content the row as it is now
     * @param unchanged which of its texts the source left out because they did not change ({@link Unchanged})
     * @param position where in the content topic
     */
    record Put(Content content, Unchanged unchanged, Position position) implements ContentChange {}

    /** A content was deleted: by an {@code op} d or by a tombstone. */
    record Delete(String contentId, Position position) implements ContentChange {}

    /**
     * Everything that a partition of the content topic held at a moment of this run has been read.
     *
     * @param partition which one
     * @param partitions how many the topic has: once all have said so, the topic has been caught up with
     */
    record ReadToEnd(int partition, int partitions) implements ContentChange {}

    /**
     * Large texts that an update did not touch are left out by PostgreSQL's logical decoding; the value known before
     * stands.
     */
    record Unchanged(boolean slug, boolean title) {
        /** Nothing was left out. */
        public static final Unchanged NOTHING = new Unchanged(false, false);

        /** The row with what was left out taken from {@code before}, or left null if there is no such. */
        public Content fill(Content row, @Nullable Content before) {
            if (!slug && !title) {
                return row;
            }
            return new Content(
                    row.id(),
                    slug ? (before == null ? null : before.slug()) : row.slug(),
                    title ? (before == null ? null : before.title()) : row.title(),
                    row.contentType(),
                    row.lengthSeconds(),
                    row.publishTsMicros());
        }
    }
}
