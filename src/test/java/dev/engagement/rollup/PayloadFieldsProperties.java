package dev.engagement.rollup;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.rollup.PayloadFields.Kind;
import java.util.List;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.jspecify.annotations.Nullable;

/** What is found of a payload, beside a tree of it. */
class PayloadFieldsProperties {

    private static final List<String> NAMES = List.of("price", "value", "a b", "");
    private static final ObjectMapper TREES = new ObjectMapper();

    private final PayloadFields fields = new PayloadFields(NAMES);

    @Property(tries = 3_000)
    void every_field_is_what_a_tree_of_the_payload_has(@ForAll("payloads") String payload) throws Exception {
        fields.read(payload);
        JsonNode tree = TREES.readTree(payload);
        for (String name : NAMES) {
            JsonNode node = tree.isObject() ? tree.get(name) : null;
            int index = fields.indexOf(name);
            assertThat(fields.kind(index)).as("%s of %s", name, payload).isEqualTo(kind(node));
            String text = fields.text(index);
            if (node != null && node.isNumber()) {
                assertThat(TREES.readTree(text)).as("%s of %s", name, payload).isEqualTo(node);
            } else {
                assertThat(text).as("%s of %s", name, payload).isEqualTo(text(node));
            }
        }
    }

    private static Kind kind(@Nullable JsonNode node) {
        if (node == null) {
            return Kind.ABSENT;
        }
        return switch (node.getNodeType()) {
            case NULL -> Kind.NULL;
            case STRING -> Kind.TEXT;
            case NUMBER -> Kind.NUMBER;
            case BOOLEAN -> Kind.BOOLEAN;
            default -> Kind.NESTED;
        };
    }

    private static @Nullable String text(@Nullable JsonNode node) {
        return node == null || node.isNull() || node.isContainerNode() ? null : node.asText();
    }

    @Provide
    Arbitrary<String> payloads() {
        return values(3);
    }

    /** Values with and without space, escapes, nesting, names that come twice. */
    private static Arbitrary<String> values(int depth) {
        Arbitrary<String> scalars = Arbitraries.oneOf(
                Arbitraries.of("null", "true", "false", "0", "-1", "12.50", "1e3", "-0.5E-2", "123456789012345678"),
                texts());
        if (depth == 0) {
            return scalars;
        }
        Arbitrary<String> inner = values(depth - 1);
        Arbitrary<String> spaces = Arbitraries.of("", "", " ", "\n\t", "\r ");
        Arbitrary<String> names =
                Arbitraries.oneOf(Arbitraries.of(NAMES).map(PayloadFieldsProperties::quoted), texts());
        Arbitrary<String> members = Combinators.combine(spaces, names, spaces, inner)
                .as((space, name, more, value) -> space + name + more + ":" + space + value + more);
        Arbitrary<String> objects = Combinators.combine(spaces, members.list().ofMaxSize(5))
                .as((space, all) -> space + "{" + (all.isEmpty() ? space : String.join(",", all)) + "}" + space);
        Arbitrary<String> arrays =
                inner.list().ofMaxSize(3).map(all -> all.stream().collect(Collectors.joining(", ", "[", "]")));
        return Arbitraries.frequencyOf(Tuple.of(6, objects), Tuple.of(1, arrays), Tuple.of(2, scalars));
    }

    private static Arbitrary<String> texts() {
        return Arbitraries.strings()
                .withChars("abpriceu0{}[],:\"\\/ \u00e9\n")
                .ofMaxLength(8)
                .map(PayloadFieldsProperties::quoted);
    }

    private static String quoted(String text) {
        try {
            return TREES.writeValueAsString(text);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
