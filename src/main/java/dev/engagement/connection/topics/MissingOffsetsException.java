package dev.engagement.connection.topics;

import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The offset that reading was to continue at is no longer in Kafka: the same words for whatever reads a topic with state. */
public final class MissingOffsetsException extends RuntimeException {

    private static final long serialVersionUID = 1L;
    private static final Logger LOG = LoggerFactory.getLogger(MissingOffsetsException.class);

    MissingOffsetsException(String message) {
        super(message);
    }

    /**
     * Goes on without what is missing if that is accepted, and says so in the log.
     *
     * @param message what is missing, and the way out
     * @throws SuppressRestartsException if it is not: the job stops for good
     */
    public static void requireAccepted(boolean acceptGap, String message) {
        if (!acceptGap) {
            throw forGood(message);
        }
        LOG.warn("Going on because of --accept-gap. {}", message);
    }

    /** To be thrown where no restart would help. */
    public static SuppressRestartsException forGood(String message) {
        return new SuppressRestartsException(new MissingOffsetsException(message));
    }

    /**
     * What to say of a partition that has no such offset any more.
     *
     * @param wanted where reading was to continue
     * @param begin the first offset that it has
     * @param end the offset behind its last
     */
    public static String gone(TopicPartition partition, long wanted, long begin, long end) {
        return gone(
                partition,
                wanted,
                wanted < begin
                        ? "offsets " + wanted + " to " + (begin - 1) + " (" + (begin - wanted)
                                + " records at most) are gone: they expired before they were read"
                        : "the topic ends at " + end + ": it was made anew or cut off",
                begin);
    }

    /** As {@link #gone(TopicPartition, long, long, long)}, where nobody asked for the offsets that it has. */
    public static String gone(TopicPartition partition, long wanted) {
        return gone(
                partition,
                wanted,
                "Kafka has no record there: they expired before they were read, or the topic was made anew or cut off",
                null);
    }

    private static String gone(TopicPartition partition, long wanted, String what, @Nullable Long begin) {
        return "Reading " + partition.topic() + " partition " + partition.partition() + " was to continue at offset "
                + wanted + ", but " + what
                + ". Fill the range with the backfill command, or restart with --accept-gap to"
                + " continue at " + (begin == null ? "the earliest record there is" : "offset " + begin)
                + " without it";
    }

    /**
     * What to say of a topic that is another one than it was.
     *
     * @param madeAnew {@link TopicIds.Found#madeAnew}
     * @param where each partition with the offset at which it was to continue
     */
    public static String anew(String madeAnew, String where) {
        return madeAnew + ", so that the offsets to continue at are another topic's: " + where
                + ". What the old topic held beyond them is missing. Fill the range with the backfill command, or"
                + " restart with --accept-gap to continue at the beginning of the new topic without it";
    }
}
