package dev.engagement.deadletter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.deadletter.DeadLetterJson.UnreadableLetterException;
import dev.engagement.event.EventId;
import dev.engagement.event.Timestamps;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** A letter is read back as it was written, byte for byte. */
class DeadLetterJsonProperties {

    @Property(tries = 500)
    void what_is_written_is_read(@ForAll("letters") DeadLetter letter) throws Exception {
        DeadLetter read = DeadLetterJson.read(DeadLetterJson.toBytes(letter, "1.2"));

        assertThat(said(read)).isEqualTo(said(letter));
        assertThat(read.payload()).isEqualTo(letter.payload());
        assertThat(read.headers()).hasSameSizeAs(letter.headers());
        for (int i = 0; i < letter.headers().size(); i++) {
            assertThat(read.headers().get(i).key())
                    .isEqualTo(letter.headers().get(i).key());
            assertThat(read.headers().get(i).value())
                    .isEqualTo(letter.headers().get(i).value());
        }
    }

    @Property(tries = 200)
    void the_head_is_the_letter_s(@ForAll("letters") DeadLetter letter) throws Exception {
        DeadLetter head = DeadLetterJson.readHead(DeadLetterJson.toBytes(letter, "1.2"));

        assertThat(head.id()).isEqualTo(letter.id());
        assertThat(head.reason()).isEqualTo(letter.reason());
        assertThat(head.stage()).isEqualTo(letter.stage());
        assertThat(head.failedAtMillis()).isEqualTo(letter.failedAtMillis());
        assertThat(head.source()).isEqualTo(letter.source());
        assertThat(head.eventId()).isEqualTo(letter.eventId());
    }

    /** What stands behind the head does not cost anything, so it is not looked at either. */
    @Property(tries = 100)
    void the_head_does_not_need_the_rest(@ForAll("letters") DeadLetter letter) throws Exception {
        byte[] json = DeadLetterJson.toBytes(letter, "1.2");
        String text = new String(json, StandardCharsets.UTF_8);
        int behind = text.indexOf("\"payload");
        byte[] cut = Arrays.copyOf(json, text.substring(0, behind).getBytes(StandardCharsets.UTF_8).length);

        assertThat(DeadLetterJson.readHead(cut).id()).isEqualTo(letter.id());
        assertThatThrownBy(() -> DeadLetterJson.read(cut)).isInstanceOf(UnreadableLetterException.class);
    }

    @Property(tries = 500)
    void what_is_no_letter_is_refused_and_nothing_else_happens(@ForAll byte[] bytes) {
        assertThatThrownBy(() -> DeadLetterJson.read(bytes)).isInstanceOf(UnreadableLetterException.class);
        assertThatThrownBy(() -> DeadLetterJson.readHead(bytes)).isInstanceOf(UnreadableLetterException.class);
    }

    @Example
    void other_builds_letters_are_read_in_any_order_and_with_more_in_them() throws Exception {
        DeadLetter letter = DeadLetterJson.read(("{\"payload\":\"AP8=\",\"later\":{\"payload\":[1,{}]},"
                        + "\"payload_encoding\":\"base64\",\"headers\":[{\"value\":null,\"key\":\"k\",\"more\":1}],"
                        + "\"source\":{\"offset\":7,\"topic\":\"t\",\"partition\":2,\"timestamp\":5,\"x\":null},"
                        + "\"event_id\":9,\"failed_at\":\"2026-01-08T14:21:52Z\",\"stage\":\"decode\","
                        + "\"reason\":\"INVALID\",\"id\":\"i\"}")
                .getBytes(StandardCharsets.UTF_8));

        assertThat(letter.payload()).containsExactly(0, 0xff);
        assertThat(letter.source()).isEqualTo(new DeadLetter.Source("t", 2, 7, 5));
        assertThat(letter.headers()).containsExactly(new DeadLetter.Header("k", null));
        assertThat(letter.failedAtMillis()).isEqualTo(1_767_882_112_000L);
    }

    @Example
    void what_is_wrong_is_named() {
        assertThatThrownBy(() -> read("[]")).hasMessage("it is no JSON object");
        assertThatThrownBy(() -> read("{}")).hasMessageContaining("lacks one of id, reason");
        assertThatThrownBy(() -> read("{\"reason\":\"NEW\"}"))
                .hasMessage("its reason is 'NEW', which this build does not know");
        assertThatThrownBy(() -> read("{\"failed_at\":\"infinity\"}"))
                .hasMessageContaining("'infinity', which is no time");
        assertThatThrownBy(() -> read("{\"payload_encoding\":\"hex\"}")).hasMessageContaining("known is base64");
        assertThatThrownBy(() -> read("{\"source\":{\"partition\":1}}")).hasMessage("its source has no topic");
        assertThatThrownBy(() -> read("{\"event_id\":1e3}")).hasMessage("event_id is not a whole number");
        assertThatThrownBy(() -> read("{\"event_id\":99999999999999999999}")).hasMessageContaining("not readable");
    }

    private static DeadLetter read(String json) throws UnreadableLetterException {
        return DeadLetterJson.read(json.getBytes(StandardCharsets.UTF_8));
    }

    private static List<Object> said(DeadLetter letter) {
        return Arrays.asList(
                letter.id(),
                letter.reason(),
                letter.stage(),
                letter.error(),
                letter.attempts(),
                letter.failedAtMillis(),
                letter.source(),
                letter.eventId());
    }

    @Provide
    Arbitrary<DeadLetter> letters() {
        Arbitrary<String> texts = Arbitraries.strings().ofMaxLength(30).map(DeadLetterJsonProperties::withoutHalfPairs);
        Arbitrary<byte[]> bytes = Arbitraries.oneOf(
                Arbitraries.bytes().array(byte[].class).ofMaxSize(60),
                texts.map(text -> text.getBytes(StandardCharsets.UTF_8)),
                Arbitraries.strings()
                        .withChars('"', '\\', '\n', 'a')
                        .ofMaxLength(60)
                        .map(String::getBytes));
        Arbitrary<DeadLetter.Header> headers =
                Combinators.combine(texts, bytes.injectNull(0.1)).as(DeadLetter.Header::new);
        Arbitrary<DeadLetter.Source> sources = Combinators.combine(
                        texts, Arbitraries.integers().between(-1, 100), Arbitraries.longs(), Arbitraries.longs())
                .as(DeadLetter.Source::new);
        return Combinators.combine(
                        Arbitraries.of(Reason.class),
                        texts,
                        Arbitraries.integers(),
                        Arbitraries.longs().between(Timestamps.MIN_MICROS / 1_000, Timestamps.MAX_MICROS / 1_000),
                        sources,
                        Arbitraries.longs().injectNull(0.2),
                        bytes.injectNull(0.1),
                        headers.list().ofMaxSize(3))
                .as((reason, text, attempts, failedAt, source, eventId, payload, all) -> new DeadLetter(
                        DeadLetter.idOf(source, text, reason),
                        reason,
                        text,
                        text + '!',
                        attempts,
                        failedAt,
                        source,
                        eventId == null ? null : EventId.of(eventId),
                        payload,
                        all));
    }

    private static String withoutHalfPairs(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    }
}
