package dev.engagement.api.track;

import static dev.engagement.api.track.Samples.CONTENT;
import static dev.engagement.api.track.Samples.JSON;
import static dev.engagement.api.track.Samples.LINES;
import static dev.engagement.api.track.Samples.USER;
import static dev.engagement.api.track.Samples.array;
import static dev.engagement.api.track.Samples.bytes;
import static dev.engagement.api.track.Samples.event;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;

import dev.engagement.api.track.TrackRefusedException.Refusal;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventParserTest {

    private static final long NOW_MICROS = Samples.NOW.toEpochMilli() * 1_000;

    private final EventParser parser = new EventParser(Samples.options(), new ManualClock(Samples.NOW));

    @Test
    void an_event_with_all_that_it_may_have() throws Exception {
        List<TrackEvent> events = parse(
                event(",\"event_ts\":\"2026-01-08T10:00:29.120+01:00\",\"duration_ms\":45000,\"device\":\"ios\","
                        + "\"payload\":{ \"value\" : 4.50 },\"event_key\":\"player-7\""),
                JSON);

        assertThat(events)
                .containsExactly(new TrackEvent(
                        1,
                        CONTENT,
                        USER,
                        "click",
                        NOW_MICROS - 880_000,
                        45_000,
                        "ios",
                        "{\"value\":4.50}",
                        "player-7"));
    }

    @Test
    void an_event_with_nothing_that_it_need_not_have_happened_now() throws Exception {
        assertThat(parse(event(",\"event_ts\":null,\"duration_ms\":null,\"device\":null,\"payload\":null"), JSON))
                .containsExactly(new TrackEvent(1, CONTENT, USER, "click", NOW_MICROS, null, null, null, null));
    }

    @Test
    void lines_are_counted_as_they_stand() throws Exception {
        List<TrackEvent> events = parse("\n" + event() + "\r\n  \n" + event() + "\n\n", LINES);

        assertThat(events).extracting(TrackEvent::line).containsExactly(2, 4);
    }

    @Test
    void places_of_an_array_are_counted() throws Exception {
        assertThat(parse("[\n" + event() + ",\n" + event() + "]", JSON))
                .extracting(TrackEvent::line)
                .containsExactly(1, 2);
    }

    @Test
    void a_byte_order_mark_is_no_part_of_the_text() throws Exception {
        assertThat(parse("\uFEFF" + event(), JSON)).hasSize(1);
    }

    @Test
    void all_that_is_wrong_is_told_at_once_with_its_line() {
        String wrong = "{\"content_id\":5,\"event_type\":\"buy\",\"colour\":\"red\"}";
        String body = event() + "\n" + wrong + "\n{\n" + event() + event();

        assertThat(refused(body, LINES).refusals())
                .extracting(Refusal::line, Refusal::field)
                .containsExactly(
                        tuple(2, "content_id"),
                        tuple(2, "event_type"),
                        tuple(2, "colour"),
                        tuple(2, "user_id"),
                        tuple(3, "body"),
                        tuple(4, "body"));
    }

    @Test
    void a_refusal_names_the_value_and_the_way_out() {
        TrackRefusedException refused = refused(event().replace("click", "buy\\u001b[31m"), JSON);

        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused).hasMessage("Line 1: event_type is 'buy?[31m'; choose one of play, pause, finish, click");
    }

    @Test
    void of_very_much_that_is_wrong_only_the_first_is_told() {
        String body = IntStream.range(0, 100).mapToObj(i -> "{}").collect(Collectors.joining("\n"));

        assertThat(refused(body, LINES).refusals()).hasSize(EventParser.MAX_REFUSALS);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", "[]", "null", "5", "\"x\"", "[null]", "[[]]", "{", "[{}", "{}{}", "[] []"})
    void a_body_without_events_is_refused(String body) {
        assertThat(refused(body, JSON).status()).isEqualTo(422);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "\n\n", "[]", "null", "{}"})
    void lines_without_events_are_refused(String body) {
        assertThat(refused(body, LINES).status()).isEqualTo(422);
    }

    @Test
    void two_events_in_a_document_are_no_array() {
        assertThat(refused(event() + "\n" + event(), JSON).refusals().get(0).wayOut())
                .contains("application/x-ndjson");
    }

    @Test
    void what_is_not_utf_8_is_refused() {
        TrackRefusedException refused = catchThrowableOfType(
                TrackRefusedException.class,
                () -> parser.parse(
                        event().replace("click", "\u00e4").getBytes(StandardCharsets.ISO_8859_1),
                        BodyForm.DOCUMENT,
                        IdForm.UUID,
                        IdForm.UUID));

        assertThat(refused).hasMessageContaining("UTF-8");
        assertThat(catchThrowableOfType(
                        TrackRefusedException.class,
                        () -> parser.parse(
                                event().getBytes(StandardCharsets.UTF_16LE),
                                BodyForm.DOCUMENT,
                                IdForm.UUID,
                                IdForm.UUID)))
                .isNotNull();
    }

    @Test
    void sizes_have_bounds() {
        assertThat(refused("[" + " ".repeat(100_000), JSON).status()).isEqualTo(413);
        assertThat(refused(new String(array(501), StandardCharsets.UTF_8), JSON).status())
                .isEqualTo(413);
        assertThat(refused((event() + "\n").repeat(501), LINES).status()).isEqualTo(413);
        assertThat(refused(event(",\"payload\":\"" + "x".repeat(10_000) + "\""), JSON)
                        .refusals())
                .extracting(Refusal::field)
                .contains("payload");
        // In characters it would do, in bytes it does not.
        assertThat(refused(event(",\"payload\":\"" + "\u00e4".repeat(5_000) + "\""), JSON)
                        .refusals())
                .extracting(Refusal::field)
                .contains("payload");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"\\u0000\"",
                "{\"\\u0000\":1}",
                "[\"\\ud800\"]",
                "1e309",
                "1e-999999999999",
                "1E+00000000000000000309"
            })
    void what_jsonb_does_not_take_or_makes_long_is_refused(String payload) {
        assertThat(refused(event(",\"payload\":" + payload), JSON).refusals())
                .extracting(Refusal::field)
                .containsExactly("payload");
    }

    @Test
    void numbers_count_as_long_as_they_are_written_out() throws Exception {
        String thirty = IntStream.range(0, 30).mapToObj(i -> "1e300").collect(Collectors.joining(","));

        assertThat(parse(event(",\"payload\":[" + thirty + "]"), JSON)).hasSize(1);
        assertThat(refused(event(",\"payload\":[" + thirty + "," + thirty + "]"), JSON)
                        .refusals())
                .extracting(Refusal::field)
                .containsExactly("payload");
    }

    @Test
    void a_payload_may_be_so_deep_and_no_deeper() throws Exception {
        assertThat(parse("[" + event(",\"payload\":" + nested(EventParser.MAX_DEPTH)) + "]", JSON))
                .hasSize(1);
        assertThat(refused(event(",\"payload\":" + nested(EventParser.MAX_DEPTH + 1)), JSON)
                        .refusals())
                .extracting(Refusal::field)
                .containsExactly("payload");
        assertThat(refused(event(",\"payload\":" + nested(5_000)), JSON).refusals())
                .extracting(Refusal::field)
                .containsExactly("body");
    }

    @Test
    void the_table_says_what_ids_are() throws Exception {
        byte[] numbers = bytes("{\"content_id\":5,\"user_id\":\"6\",\"event_type\":\"click\"}");

        assertThat(parser.parse(numbers, BodyForm.DOCUMENT, IdForm.INTEGER, IdForm.TEXT))
                .extracting(TrackEvent::contentId, TrackEvent::userId)
                .containsExactly(tuple("5", "6"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "application/json",
                "application/json; charset=utf-8",
                "Application/JSON;charset=\"UTF-8\"",
                "application/json; profile=x"
            })
    void media_types_of_documents(String type) throws Exception {
        assertThat(BodyForm.of(type)).isEqualTo(BodyForm.DOCUMENT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"application/x-ndjson", "application/ndjson; charset=utf8", "application/jsonl"})
    void media_types_of_lines(String type) throws Exception {
        assertThat(BodyForm.of(type)).isEqualTo(BodyForm.LINES);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ";", "text/plain", "application/json; charset=utf-16", "application/xml\r\nX: y"})
    void other_media_types_are_refused(String type) {
        TrackRefusedException refused = catchThrowableOfType(TrackRefusedException.class, () -> BodyForm.of(type));

        assertThat(refused.status()).isEqualTo(415);
        assertThat(refused.getMessage()).doesNotContain("\r", "\n");
    }

    private static String nested(int levels) {
        return "[".repeat(levels) + "]".repeat(levels);
    }

    private List<TrackEvent> parse(String body, String type) throws TrackRefusedException {
        return parser.parse(bytes(body), BodyForm.of(type), IdForm.UUID, IdForm.UUID);
    }

    private TrackRefusedException refused(String body, String type) {
        TrackRefusedException refused = catchThrowableOfType(TrackRefusedException.class, () -> parse(body, type));
        assertThat(refused).as(body).isNotNull();
        return refused;
    }
}
