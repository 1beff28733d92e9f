package dev.engagement.deadletter;

import dev.engagement.event.EventId;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One record that could not be processed. Immutable; its arrays are not to be written to.
 *
 * @param id a hash of where it was read, the stage and the reason: the same failure always gives the same id
 * @param reason why
 * @param stage the stage that refused it, a name of the drawing: {@code decode}, {@code enrich}, ...
 * @param error what was wrong, at most {@link #MAX_ERROR_CHARS} characters
 * @param attempts how often it was tried, at least 1
 * @param failedAtMillis when it was given up, milliseconds since the epoch
 * @param source where the record was read
 * @param eventId the event's id, or null if it is not known
 * @param payload what entered the failing stage, byte for byte; null if there is none but a reference in {@code error}
 * @param headers the Kafka headers of the record; of a letter of capture its {@link #ROW_KEY}; of one of the warehouse where
 *     in the line of checkpoints its row was refused
 */
public record DeadLetter(
        String id,
        Reason reason,
        String stage,
        String error,
        int attempts,
        long failedAtMillis,
        Source source,
        @Nullable EventId eventId,
        byte @Nullable [] payload,
        List<Header> headers) {

    /** Longest {@link #error}; what is longer is cut. */
    public static final int MAX_ERROR_CHARS = 1_000;

    /** Header of a letter of capture, which has no record and no other headers: the row's primary key, as JSON. */
    public static final String ROW_KEY = "row-key";

    /**
     * Where a record was read.
     *
     * @param topic Kafka topic, or for a letter of capture the table
     * @param partition Kafka partition, or -1 if it never reached Kafka
     * @param offset Kafka offset, or for a letter of capture the row's log sequence number
     * @param timestampMillis the record's timestamp, milliseconds since the epoch
     */
    public record Source(String topic, int partition, long offset, long timestampMillis) {}

    /** A Kafka header; the value may be null. */
    public record Header(String key, byte @Nullable [] value) {}

    public DeadLetter {
        headers = List.copyOf(headers);
        error = bounded(error);
    }

    /** A letter for its first failure, id and all. */
    public static DeadLetter of(
            Reason reason,
            String stage,
            String error,
            long failedAtMillis,
            Source source,
            @Nullable EventId eventId,
            byte @Nullable [] payload,
            List<Header> headers) {
        return new DeadLetter(
                idOf(source, stage, reason),
                reason,
                stage,
                error,
                1,
                failedAtMillis,
                source,
                eventId,
                payload,
                headers);
    }

    /** The same letter with nothing in it but where its contents are to be found. */
    DeadLetter withoutContents() {
        return new DeadLetter(
                id,
                reason,
                stage,
                "The payload (" + (payload == null ? 0 : payload.length) + " bytes) and " + headers.size()
                        + " headers are left out, as no producer would take the letter; they are at its source. "
                        + error,
                attempts,
                failedAtMillis,
                source,
                eventId,
                null,
                List.of());
    }

    /** The first 16 bytes of SHA-256 over topic, partition, offset, stage and reason, as 32 hexadecimal digits. */
    public static String idOf(Source source, String stage, Reason reason) {
        String what =
                source.topic() + '\n' + source.partition() + '\n' + source.offset() + '\n' + stage + '\n' + reason;
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(what.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(hash, 0, 16);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }

    private static String bounded(String error) {
        if (error.length() <= MAX_ERROR_CHARS) {
            return error;
        }
        int end = Character.isHighSurrogate(error.charAt(MAX_ERROR_CHARS - 2))
                ? MAX_ERROR_CHARS - 2
                : MAX_ERROR_CHARS - 1;
        return error.substring(0, end) + '…';
    }
}
