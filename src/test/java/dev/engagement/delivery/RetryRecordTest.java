package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EventId;
import dev.engagement.event.Position;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RetryRecordTest {

    private static final byte[] BODY = "{\"event_id\":16,\"ü\":\"\\u0000\"}".getBytes(StandardCharsets.UTF_8);

    private static final Delivery DELIVERY =
            new Delivery(EventId.of(16), BODY, 3, new Position(5, 1_234_567_890_123L, 99), 1_000, 2_000, 900);

    @Test
    void what_was_written_is_read_again() throws Exception {
        ProducerRecord<byte[], byte[]> record = RetryRecord.of("retry", DELIVERY);

        assertThat(RetryRecord.read(record.key(), record.value(), record.headers(), 7))
                .isEqualTo(DELIVERY);
    }

    @Test
    void a_record_is_key_value_and_headers_as_text() {
        ProducerRecord<byte[], byte[]> record = RetryRecord.of("retry", DELIVERY);

        assertThat(new String(record.key(), StandardCharsets.UTF_8)).isEqualTo("16");
        assertThat(record.value()).as("byte for byte").isSameAs(BODY);
        assertThat(header(record, "attempts")).isEqualTo("3");
        assertThat(header(record, "since")).isEqualTo("1000");
        assertThat(header(record, "not-before")).isEqualTo("2000");
        assertThat(header(record, "source-partition")).isEqualTo("5");
        assertThat(header(record, "source-offset")).isEqualTo("1234567890123");
        assertThat(header(record, "source-timestamp")).isEqualTo("99");
    }

    @Test
    void who_writes_one_by_hand_needs_no_headers() throws Exception {
        Delivery read = RetryRecord.read(text("-7"), BODY, new RecordHeaders(), 55);

        assertThat(read).isEqualTo(new Delivery(EventId.of(-7), BODY, 0, Delivery.UNKNOWN_SOURCE, 55, 0, 0));
    }

    @Test
    void a_record_says_why_an_attempt_had_no_answer() throws Exception {
        Delivery unanswered =
                DELIVERY.afterNone(new Answer.Unanswered(NoAnswer.TLS_FAILED, "no ü in the certificate"), 3_000);
        ProducerRecord<byte[], byte[]> record = RetryRecord.of("retry", unanswered);

        assertThat(header(record, "unanswered")).isEqualTo("tls-failed");
        assertThat(header(record, "unanswered-why")).isEqualTo("no ü in the certificate");
        assertThat(RetryRecord.read(record.key(), record.value(), record.headers(), 7))
                .isEqualTo(unanswered);
        assertThat(RetryRecord.of("retry", DELIVERY).headers().lastHeader("unanswered"))
                .isNull();
    }

    @Test
    void a_reason_that_nobody_knows_keeps_no_record_from_being_read() throws Exception {
        Headers headers = new RecordHeaders().add("unanswered", text("struck-by-lightning"));
        Headers empty = new RecordHeaders().add("unanswered", null);
        Headers withoutWhy = new RecordHeaders().add("unanswered", text("timed-out"));

        assertThat(RetryRecord.read(text("1"), BODY, headers, 0).unanswered()).isNull();
        assertThat(RetryRecord.read(text("1"), BODY, empty, 0).unanswered()).isNull();
        assertThat(RetryRecord.read(text("1"), BODY, withoutWhy, 0).unanswered())
                .isEqualTo(new Answer.Unanswered(NoAnswer.TIMED_OUT, ""));
    }

    @Test
    void a_letter_says_why_an_attempt_before_had_no_answer() {
        Delivery unanswered = DELIVERY.afterNone(new Answer.Unanswered(NoAnswer.CONNECTION_REFUSED, "refused"), 3_000);

        assertThat(DeliveryLetters.undeliverable(unanswered, "answered 400", "events", 0)
                        .error())
                .isEqualTo("answered 400; before, an attempt had no answer: connection-refused (refused)");
        assertThat(DeliveryLetters.undeliverable(DELIVERY, "answered 400", "events", 0)
                        .error())
                .isEqualTo("answered 400");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x", "1.5", "99999999999999999999", "\uFFFD", " 1"})
    void a_key_that_is_no_id_is_told(String key) {
        assertThatThrownBy(() -> RetryRecord.read(text(key), BODY, new RecordHeaders(), 0))
                .isInstanceOf(RetryRecord.UnreadableException.class)
                .hasMessageContaining("key");
    }

    @ParameterizedTest
    @ValueSource(strings = {"attempts", "since", "not-before", "source-partition", "source-offset", "source-timestamp"})
    void a_header_that_is_no_number_is_told(String name) {
        for (String value : new String[] {"", "many", "-2", "999999999999999999999"}) {
            Headers headers = new RecordHeaders().add(name, text(value));
            assertThatThrownBy(() -> RetryRecord.read(text("1"), BODY, headers, 0))
                    .isInstanceOf(RetryRecord.UnreadableException.class)
                    .hasMessageContaining("header " + name);
        }
    }

    @Test
    void a_record_without_key_or_body_is_told() {
        assertThatThrownBy(() -> RetryRecord.read(null, BODY, new RecordHeaders(), 0))
                .hasMessageContaining("no key");
        assertThatThrownBy(() -> RetryRecord.read(text("1"), null, new RecordHeaders(), 0))
                .hasMessageContaining("no value");
        assertThatThrownBy(() -> RetryRecord.read(text("1"), new byte[0], new RecordHeaders(), 0))
                .hasMessageContaining("no value");
    }

    @Test
    void what_cannot_be_read_becomes_a_letter_with_all_of_it() {
        Headers headers = new RecordHeaders().add("attempts", text("lots"));
        RetryTopicEntry entry = RetryTopicEntry.Reading.read(
                new ConsumerRecord<>(
                        "retry",
                        4,
                        77,
                        5,
                        TimestampType.CREATE_TIME,
                        1,
                        BODY.length,
                        text("1"),
                        BODY,
                        headers,
                        Optional.empty()),
                1_000);

        assertThat(entry).isInstanceOfSatisfying(RetryTopicEntry.Bad.class, unreadable -> {
            DeadLetter letter = unreadable.letter();
            assertThat(letter.reason()).isEqualTo(Reason.UNDECODABLE);
            assertThat(letter.stage()).isEqualTo("drain");
            assertThat(letter.source()).isEqualTo(new DeadLetter.Source("retry", 4, 77, 5));
            assertThat(letter.payload()).isEqualTo(BODY);
            assertThat(letter.error()).contains("'lots'");
            assertThat(letter.headers()).extracting(DeadLetter.Header::key).containsExactly("attempts");
        });
    }

    @Test
    void letters_of_events_whose_place_is_not_known_differ() {
        Delivery one = new Delivery(EventId.of(1), BODY, 1, Delivery.UNKNOWN_SOURCE, 0, 0, 0);
        Delivery two = new Delivery(EventId.of(2), BODY, 1, Delivery.UNKNOWN_SOURCE, 0, 0, 0);

        assertThat(DeliveryLetters.undeliverable(one, "x", "events", 0).id())
                .isNotEqualTo(
                        DeliveryLetters.undeliverable(two, "x", "events", 0).id())
                .isEqualTo(DeliveryLetters.undeliverable(one, "y", "events", 1).id());
    }

    @Test
    void a_receipt_is_json() {
        assertThat(new String(
                        DeliverySinks.json(new Receipt(EventId.of(16), 1_767_882_112_000L, 204)),
                        StandardCharsets.UTF_8))
                .isEqualTo("{\"event_id\":16,\"delivered_at\":\"2026-01-08T14:21:52.000000Z\",\"status\":204}");
    }

    private static String header(ProducerRecord<byte[], byte[]> record, String name) {
        return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
