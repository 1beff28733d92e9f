package dev.engagement.delivery;

import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import dev.engagement.event.Position;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/**
 * A {@link Delivery} as a record of the retry topic: the key is the event's id, of a number its digits, the value the body byte
 * for byte, everything else a header with a decimal number as text, or with text: {@code unanswered} says of what kind the
 * last attempt without an answer was, {@code unanswered-why} what happened. A header that is absent says that it is not
 * known; who writes such a record by hand needs none, unless the id is a text: then {@code event-id} is {@code text}.
 */
public final class RetryRecord {

    /** Largest body: what is in the topic can be read again, and put into a dead letter. */
    public static final int MAX_BODY_BYTES = 16 * 1024 * 1024 - 4 * 1024;

    private static final String EVENT_ID = "event-id";
    private static final String TEXT = "text";
    private static final String ATTEMPTS = "attempts";
    private static final String SINCE = "since";
    private static final String NOT_BEFORE = "not-before";
    private static final String COMMITTED_AT = "committed-at";
    private static final String SOURCE_PARTITION = "source-partition";
    private static final String SOURCE_OFFSET = "source-offset";
    private static final String SOURCE_TIMESTAMP = "source-timestamp";
    private static final String UNANSWERED = "unanswered";
    private static final String UNANSWERED_WHY = "unanswered-why";

    private static final int MAX_QUOTED = 40;

    private RetryRecord() {}

    /** The record cannot be read; the message says why. */
    public static final class UnreadableException extends Exception {
        private static final long serialVersionUID = 1L;

        UnreadableException(String message) {
            super(message);
        }
    }

    /** The delivery as a record of {@code topic}. */
    public static ProducerRecord<byte[], byte[]> of(String topic, Delivery delivery) {
        Headers headers = new RecordHeaders();
        if (delivery.eventId().kind() == EventIdKind.TEXT) {
            headers.add(EVENT_ID, TEXT.getBytes(StandardCharsets.US_ASCII));
        }
        put(headers, ATTEMPTS, delivery.attempts());
        put(headers, SINCE, delivery.sinceMillis());
        put(headers, NOT_BEFORE, delivery.notBeforeMillis());
        put(headers, COMMITTED_AT, delivery.committedAtMillis());
        put(headers, SOURCE_PARTITION, delivery.source().partition());
        put(headers, SOURCE_OFFSET, delivery.source().offset());
        put(headers, SOURCE_TIMESTAMP, delivery.source().timestampMillis());
        Answer.Unanswered unanswered = delivery.unanswered();
        if (unanswered != null) {
            headers.add(UNANSWERED, unanswered.kind().text().getBytes(StandardCharsets.UTF_8));
            headers.add(UNANSWERED_WHY, unanswered.why().getBytes(StandardCharsets.UTF_8));
        }
        return new ProducerRecord<>(
                topic,
                null,
                null,
                delivery.eventId().toString().getBytes(StandardCharsets.US_ASCII),
                delivery.body(),
                headers);
    }

    private static void put(Headers headers, String name, long value) {
        headers.add(name, text(value));
    }

    private static byte[] text(long number) {
        return Long.toString(number).getBytes(StandardCharsets.US_ASCII);
    }

    /**
     * What {@link #of} wrote.
     *
     * @param timestampMillis the record's own timestamp: since when it waits, if no header says so
     * @throws UnreadableException if there is no id or no body, or a header is no number
     */
    public static Delivery read(byte @Nullable [] key, byte @Nullable [] value, Headers headers, long timestampMillis)
            throws UnreadableException {
        if (key == null) {
            throw new UnreadableException("The record has no key; it needs the event's id, as decimal text");
        }
        if (value == null || value.length == 0) {
            throw new UnreadableException("The record has no value; it needs the body that is to be posted");
        }
        Position source = new Position(
                (int) number(headers, SOURCE_PARTITION, -1, -1, Integer.MAX_VALUE),
                number(headers, SOURCE_OFFSET, -1, -1, Long.MAX_VALUE),
                number(headers, SOURCE_TIMESTAMP, -1, -1, Long.MAX_VALUE));
        return new Delivery(
                eventId(key, headers),
                value,
                (int) number(headers, ATTEMPTS, 0, 0, Integer.MAX_VALUE - 1),
                source,
                number(headers, SINCE, timestampMillis, 0, Long.MAX_VALUE),
                number(headers, NOT_BEFORE, 0, 0, Long.MAX_VALUE),
                number(headers, COMMITTED_AT, 0, 0, Long.MAX_VALUE),
                unanswered(headers));
    }

    private static EventId eventId(byte[] key, Headers headers) throws UnreadableException {
        if (!TEXT.equals(string(headers, EVENT_ID))) {
            return EventId.of(number("key", key, Long.MIN_VALUE, Long.MAX_VALUE));
        }
        String text = decode(key);
        if (!EventId.isText(text)) {
            throw new UnreadableException("The key is '" + bounded(text) + "', which is not " + EventId.TEXT_RULE);
        }
        return EventId.of(text);
    }

    /** It is for people: what cannot be read of it, or is of a newer build, is left out. */
    private static Answer.@Nullable Unanswered unanswered(Headers headers) {
        String kind = string(headers, UNANSWERED);
        NoAnswer known = kind == null ? null : NoAnswer.named(kind);
        if (known == null) {
            return null;
        }
        String why = string(headers, UNANSWERED_WHY);
        return Answer.Unanswered.of(known, why == null ? "" : why);
    }

    private static @Nullable String string(Headers headers, String name) {
        Header header = headers.lastHeader(name);
        return header == null || header.value() == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }

    private static long number(Headers headers, String name, long absent, long min, long max)
            throws UnreadableException {
        Header header = headers.lastHeader(name);
        return header == null ? absent : number("header " + name, header.value(), min, max);
    }

    private static long number(String what, byte @Nullable [] bytes, long min, long max) throws UnreadableException {
        String text = bytes == null ? "" : decode(bytes);
        try {
            long number = Long.parseLong(text);
            if (min <= number && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw new UnreadableException("The " + what + " is '" + bounded(text) + "', which is no number");
        }
        throw new UnreadableException("The " + what + " is " + text + "; it must be from " + min + " to " + max);
    }

    private static String decode(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            // Some bytes, of which none is a digit: the number is refused with what can be shown of them.
            return new String(bytes, StandardCharsets.US_ASCII) + '?';
        }
    }

    private static String bounded(String text) {
        return text.length() <= MAX_QUOTED ? text : text.substring(0, MAX_QUOTED) + "…";
    }
}
