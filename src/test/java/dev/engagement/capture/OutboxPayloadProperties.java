package dev.engagement.capture;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.event.EnvelopeJson;
import dev.engagement.event.JsonText;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Payloads of any form against a tree of each, by which the same row is made. */
class OutboxPayloadProperties {

    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private final OutboxPayload payload = new OutboxPayload();

    @Property(tries = 500)
    void aRowIsWhatATreeOfItsPayloadSays(
            @ForAll("rows") ObjectNode made, @ForAll CapturedTable table, @ForAll long order, @ForAll boolean pretty)
            throws IOException {
        String text = text(made, order, pretty);
        // Read back, so that a number is of the type that any reader takes it for.
        JsonNode row = JSON.readTree(text);

        OutboxPayload.Kind kind = payload.read(text, table);

        boolean isNested = table.columns().stream()
                .anyMatch(column ->
                        !column.equals("raw_payload") && row.path(column).isContainerNode());
        boolean isNamed = row.path("id").isValueNode()
                && !row.path("id").isNull()
                && !row.path("id").asText().isEmpty();
        assertThat(kind).isEqualTo(row.isEmpty() ? OutboxPayload.Kind.EMPTY : OutboxPayload.Kind.OBJECT);
        assertThat(payload.problem(true) == null).isEqualTo(!isNested && isNamed);
        assertThat(payload.problem(false) == null)
                .isEqualTo(!isNested && isNamed && table.columns().stream().allMatch(row::has));
        if (payload.problem(true) == null) {
            JsonNode written = JSON.readTree(EnvelopeJson.document(payload::writeRow));
            assertThat(written.fieldNames()).toIterable().containsExactlyElementsOf(table.columns());
            for (String column : table.columns()) {
                JsonNode expected = row.path(column);
                if (expected.isMissingNode() || expected.isNull()) {
                    assertThat(written.path(column).isNull()).isTrue();
                } else if (column.equals("raw_payload")) {
                    assertThat(JSON.readTree(written.path(column).textValue())).isEqualTo(expected);
                } else {
                    assertThat(written.path(column)).isEqualTo(expected);
                }
            }
            assertThat(JSON.readTree(EnvelopeJson.document(payload::writeKey)).path("id"))
                    .isEqualTo(row.path("id"));
        }
    }

    /** Whatever it is, it is what a tree says, and never an exception, which would stop capture for ever. */
    @Property(tries = 1_000)
    void anyTextIsAnObjectOrEmptyOrBroken(@ForAll("texts") String text, @ForAll CapturedTable table) {
        OutboxPayload.Kind kind = payload.read(text, table);

        assertThat(kind).isEqualTo(kindOf(text));
        assertThat(kind == OutboxPayload.Kind.BROKEN && payload.problem(true) == null)
                .isFalse();
    }

    private static OutboxPayload.Kind kindOf(String text) {
        try {
            JsonNode tree = JSON.readTree(text);
            return tree.isMissingNode() || tree.isNull() || tree.isObject() && tree.isEmpty()
                    ? OutboxPayload.Kind.EMPTY
                    : tree.isObject() ? OutboxPayload.Kind.OBJECT : OutboxPayload.Kind.BROKEN;
        } catch (IOException e) {
            return OutboxPayload.Kind.BROKEN;
        }
    }

    private static String text(ObjectNode row, long order, boolean pretty) throws IOException {
        List<String> names = new ArrayList<>();
        row.fieldNames().forEachRemaining(names::add);
        Collections.shuffle(names, new Random(order));
        ObjectNode shuffled = JSON.createObjectNode();
        names.forEach(name -> shuffled.set(name, row.get(name)));
        return pretty ? JSON.writerWithDefaultPrettyPrinter().writeValueAsString(shuffled) : shuffled.toString();
    }

    @Provide
    Arbitrary<ObjectNode> rows() {
        Arbitrary<String> names = Arbitraries.of(
                "id",
                "content_id",
                "user_id",
                "event_type",
                "duration_ms",
                "device",
                "raw_payload",
                "slug",
                "title",
                "content_type",
                "length_seconds",
                "elsewhere",
                "ID");
        return Combinators.combine(
                        Arbitraries.maps(names, values(2)).ofMaxSize(13),
                        Arbitraries.maps(Arbitraries.of(CapturedTable.EVENTS.columns()), scalars())
                                .ofMinSize(0)
                                .ofMaxSize(8),
                        Arbitraries.of(true, false))
                .as((any, columns, clean) -> {
                    ObjectNode row = JSON.createObjectNode();
                    if (!clean) {
                        any.forEach(row::set);
                    }
                    columns.forEach((name, value) ->
                            row.set(name, isTime(name) ? JSON.getNodeFactory().nullNode() : value));
                    return row;
                });
    }

    /** Times are rewritten, which their own test holds. */
    private static boolean isTime(String name) {
        return name.endsWith("_ts");
    }

    private Arbitrary<JsonNode> scalars() {
        return Arbitraries.oneOf(
                Arbitraries.strings()
                        .all()
                        .ofMaxLength(20)
                        .filter(JsonText::isWellFormed)
                        .map(text -> (JsonNode) JSON.getNodeFactory().textNode(text)),
                Arbitraries.longs()
                        .map(number -> (JsonNode) JSON.getNodeFactory().numberNode(number)),
                Arbitraries.of(true, false)
                        .map(flag -> (JsonNode) JSON.getNodeFactory().booleanNode(flag)),
                Arbitraries.just((JsonNode) JSON.getNodeFactory().nullNode()));
    }

    private Arbitrary<JsonNode> values(int depth) {
        if (depth == 0) {
            return scalars();
        }
        return Arbitraries.oneOf(
                scalars(),
                values(depth - 1).list().ofMaxSize(3).map(values ->
                        (JsonNode) JSON.createArrayNode().addAll(values)),
                Arbitraries.maps(Arbitraries.strings().alpha().ofMaxLength(3), values(depth - 1))
                        .ofMaxSize(3)
                        .map(values -> {
                            ObjectNode node = JSON.createObjectNode();
                            values.forEach(node::set);
                            return (JsonNode) node;
                        }));
    }

    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.oneOf(
                Arbitraries.strings().all().ofMaxLength(30),
                Arbitraries.strings()
                        .withChars("{}[]\",:truefalsn0123456789.-+eEidw \\u")
                        .ofMaxLength(30),
                rows().map(ObjectNode::toString).map(text -> text.substring(0, text.length() / 2)),
                rows().map(row -> row + "}"));
    }
}
