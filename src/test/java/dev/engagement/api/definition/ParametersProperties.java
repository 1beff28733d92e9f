package dev.engagement.api.definition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.engagement.event.Timestamps;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.StringLength;

/** Whatever is sent: a value within its bounds, or a refusal that says what would do. */
class ParametersProperties {

    private static final Operation HISTORY = ApiDefinition.get().operation("history");

    @Property
    void a_number_is_taken_exactly_within_its_bounds(@ForAll long number) {
        boolean isWithin = number >= 1 && number <= ApiDefinition.MAX_HISTORY_ENTRIES;

        assertThat(isTaken("limit", Long.toString(number))).isEqualTo(isWithin);
    }

    @Property
    void every_number_within_the_bounds_is_what_was_sent(
            @ForAll @LongRange(min = 1, max = ApiDefinition.MAX_HISTORY_ENTRIES) long number) {
        assertThat(with("limit", Long.toString(number)).integer("limit")).isEqualTo((int) number);
    }

    @Property
    void digits_are_a_number_and_nothing_else_is(
            @ForAll @StringLength(min = 1, max = 22) @Chars({'0', '1', '9', '-', '+', '.', ' ', 'e'}) String text) {
        boolean isWithin = text.matches("-?[0-9]{1,19}")
                && new BigInteger(text).signum() > 0
                && new BigInteger(text).compareTo(BigInteger.valueOf(ApiDefinition.MAX_HISTORY_ENTRIES)) <= 0;

        assertThat(isTaken("limit", text)).isEqualTo(isWithin);
    }

    @Property
    void a_moment_is_the_same_in_both_forms(
            @ForAll @LongRange(min = Timestamps.MIN_MICROS / 1_000, max = Timestamps.MAX_MICROS / 1_000) long millis) {
        Instant moment = Instant.ofEpochMilli(millis);

        assertThat(with("start_time", Long.toString(millis)).instantOrNull("start_time"))
                .isEqualTo(moment);
        assertThat(with("start_time", Timestamps.format(Timestamps.microsOf(moment)))
                        .instantOrNull("start_time"))
                .isEqualTo(moment);
    }

    @Property
    void a_text_comes_through_unchanged_or_not_at_all(@ForAll @StringLength(max = 300) String text) {
        boolean isFine = StandardCharsets.UTF_8.newEncoder().canEncode(text)
                && text.getBytes(StandardCharsets.UTF_8).length <= Parameter.DEFAULT_TEXT_BYTES
                && text.chars().noneMatch(Character::isISOControl);

        assertThat(isTaken("event_type", text)).isEqualTo(isFine);
        if (isFine) {
            assertThat(with("event_type", text).text("event_type")).isEqualTo(text);
        }
    }

    @Property
    void a_refusal_is_short_and_can_be_written_on_a_line(
            @ForAll @StringLength(max = 300) String name, @ForAll @StringLength(max = 300) String value) {
        InvalidParameterException refusal = new InvalidParameterException(name, value, "give another");

        assertThat(refusal.getMessage()).hasSizeLessThan(200).endsWith("; give another");
        assertThat(refusal.getMessage().chars())
                .noneMatch(c -> Character.isISOControl(c) || c == 0x2028 || c == 0x2029);
        assertThat(StandardCharsets.UTF_8.newEncoder().canEncode(refusal.getMessage()))
                .isTrue();
    }

    @Property
    void no_text_breaks_any_parameter(@ForAll @StringLength(max = 60) String text) {
        for (Operation operation : ApiDefinition.get().operations()) {
            for (Parameter parameter : operation.parameters()) {
                Map<String, String> given = new HashMap<>(ApiDefinitionTest.exampleParameters(operation));
                given.put(parameter.name(), text);
                assertThatCode(() -> takenOrRefused(operation, given))
                        .as(operation.id() + " " + parameter.name())
                        .doesNotThrowAnyException();
            }
        }
    }

    private static void takenOrRefused(Operation operation, Map<String, String> given) {
        try {
            assertThat(Parameters.of(operation, given::get, given.keySet())).isNotNull();
        } catch (InvalidParameterException e) {
            assertThat(e.wayOut()).isNotBlank();
        }
    }

    private static boolean isTaken(String name, String text) {
        try {
            return with(name, text) != null;
        } catch (InvalidParameterException e) {
            assertThat(e.wayOut()).isNotBlank();
            return false;
        }
    }

    private static Parameters with(String name, String text) {
        Map<String, String> given = new HashMap<>(Map.of("event_type", "click"));
        given.put(name, text);
        return Parameters.of(HISTORY, given::get, given.keySet());
    }
}
