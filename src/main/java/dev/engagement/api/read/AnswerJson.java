package dev.engagement.api.read;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** JSON of stores and answers: decimals keep the digits that they have. Thread-safe. */
final class AnswerJson {

    /**
     * By what fraction an estimated number of users may be off, in two of three cases: the standard error of the job's.
     */
    static final BigDecimal USERS_ERROR = new BigDecimal("0.016");

    /** More digits than any number of the job has. As a plain number, one with a large exponent would have millions. */
    private static final int MAX_EXPONENT = 1_000;

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
            .build();

    private AnswerJson() {}

    /** An empty object. */
    static ObjectNode newObject() {
        return JsonNodeFactory.instance.objectNode();
    }

    /**
     * Says of an answer what every answer says of itself.
     *
     * @param asOf the moment that it speaks of
     * @param windowMillis how much time its numbers are about; null: they are about no stretch of time
     * @param exact whether no number of it is an estimate
     */
    static ObjectNode finish(ObjectNode body, Instant asOf, @Nullable Long windowMillis, boolean exact) {
        body.put("as_of", asOf.truncatedTo(ChronoUnit.MILLIS).toString());
        body.put("window", windowMillis);
        body.put("exact", exact);
        body.put("error", exact ? null : USERS_ERROR);
        return body;
    }

    /** The object that a text is; null if it is none, because somebody else wrote it. */
    static @Nullable ObjectNode object(@Nullable String text) {
        return text != null && value(text) instanceof ObjectNode object ? object : null;
    }

    /** The value that a text is; a missing one if it is no JSON, because somebody else wrote it. */
    static JsonNode value(String text) {
        try {
            return bounded(MAPPER.readTree(text));
        } catch (JsonProcessingException | NumberFormatException e) {
            // A reader has nobody to give it to; what cannot be read is not known.
            return MissingNode.getInstance();
        }
    }

    /** Numbers with enormous exponents as the texts that they are. */
    private static JsonNode bounded(JsonNode node) {
        if (node instanceof ObjectNode object) {
            for (Map.Entry<String, JsonNode> field : object.properties()) {
                field.setValue(bounded(field.getValue()));
            }
            return object;
        }
        if (node instanceof ArrayNode array) {
            List<JsonNode> items = new ArrayList<>(array.size());
            array.forEach(item -> items.add(bounded(item)));
            return array.removeAll().addAll(items);
        }
        return node.isBigDecimal() && Math.abs((long) node.decimalValue().scale()) > MAX_EXPONENT
                ? TextNode.valueOf(node.asText())
                : node;
    }
}
