package dev.engagement.ingest;

import dev.engagement.deadletter.DeadLetter;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What one Kafka record turned out to be, or the mark that a partition was read to its end.
 *
 * <p>Mutable and reused for every record of a reader, so that an event costs no object besides itself. It never outlives
 * the call it is passed in; Flink copies it where a chain is broken.
 *
 * @param <T> what a good record holds
 */
public final class DecodedRecord<T> {

    /** What it is. */
    public enum Kind {
        /** A good record. */
        VALUE,
        /** A record that says nothing to this pipeline: an update or delete of a fact, a tombstone. */
        IGNORED,
        /** A record that could not be processed. */
        LETTER,
        /** All records that a partition held at {@link #readToEndAtMillis} have been emitted. */
        READ_TO_END
    }

    private Kind kind = Kind.IGNORED;
    private @Nullable T value;
    private @Nullable DeadLetter letter;
    private long kafkaTimestampMillis;
    private boolean publishTsDropped;
    private long knownUntilMillis;
    private int partition;
    private int partitions;
    private long readToEndAtMillis;

    /** {@link #knownUntilMillis} of a record that says nothing of the kind. */
    public static final long UNKNOWN = Long.MIN_VALUE;

    /** A good record. */
    public void accept(T good, long recordTimestampMillis) {
        reset(Kind.VALUE);
        value = good;
        kafkaTimestampMillis = recordTimestampMillis;
    }

    /** A record without meaning here. */
    public void ignore() {
        reset(Kind.IGNORED);
    }

    /** A record that could not be processed. */
    public void reject(DeadLetter bad) {
        reset(Kind.LETTER);
        letter = bad;
    }

    /**
     * A partition was read to the end it had at some moment.
     *
     * @param ofPartition which one
     * @param ofPartitions how many the topic has
     * @param atMillis the moment, milliseconds since the epoch
     */
    public void readToEnd(int ofPartition, int ofPartitions, long atMillis) {
        reset(Kind.READ_TO_END);
        partition = ofPartition;
        partitions = ofPartitions;
        readToEndAtMillis = atMillis;
    }

    private void reset(Kind next) {
        kind = next;
        value = null;
        letter = null;
        publishTsDropped = false;
        knownUntilMillis = UNKNOWN;
    }

    /** The record is not a good one, but shows how far its partition has come. */
    void markKnownUntil(long millis) {
        knownUntilMillis = millis;
    }

    void markPublishTsDropped() {
        publishTsDropped = true;
    }

    public Kind kind() {
        return kind;
    }

    /** The good record; only of {@link Kind#VALUE}. */
    public T value() {
        return Objects.requireNonNull(value, "not a value");
    }

    /** The dead letter; only of {@link Kind#LETTER}. */
    public DeadLetter letter() {
        return Objects.requireNonNull(letter, "not a letter");
    }

    /** Timestamp of the Kafka record, milliseconds since the epoch; only of {@link Kind#VALUE}. */
    public long kafkaTimestampMillis() {
        return kafkaTimestampMillis;
    }

    /**
     * The moment, milliseconds since the epoch, up to which the partition is known to hold all that the source had: what
     * was committed before this record stands before it. {@link #UNKNOWN} if the record does not say so; only of
     * {@link Kind#IGNORED} and {@link Kind#LETTER}.
     */
    public long knownUntilMillis() {
        return knownUntilMillis;
    }

    /** Whether the content's {@code publish_ts} was no time within years 1..9999 and became null. */
    public boolean publishTsDropped() {
        return publishTsDropped;
    }

    public int partition() {
        return partition;
    }

    public int partitions() {
        return partitions;
    }

    public long readToEndAtMillis() {
        return readToEndAtMillis;
    }
}
