package dev.engagement.ingest;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.engagement.deadletter.Reason;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoField;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The rules for Debezium values read in the plainest way: the whole value into a tree, then one rule after the other.
 * Where the rules leave something open it says so instead of guessing.
 */
final class TreeOracle {

    private static final int MAX_DEPTH = 1_000;

    static final ObjectMapper JSON = JsonMapper.builder(JsonFactory.builder()
                    .streamReadConstraints(StreamReadConstraints.builder()
                            .maxNestingDepth(MAX_DEPTH)
                            .maxNumberLength(Integer.MAX_VALUE)
                            .maxNameLength(Integer.MAX_VALUE)
                            .build())
                    .build())
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private static final Pattern TIME =
            Pattern.compile("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?(Z|[+-]\\d\\d:\\d\\d)");

    /** Forms that some parsers of ISO 8601 take and others do not: no rule mentions them. */
    private static final Pattern NEARLY_TIME = Pattern.compile(
            "\\d{4}-\\d\\d-\\d\\d[Tt ]\\d\\d:?\\d\\d(:?\\d\\d([.,]\\d*)?)?" + "(Z|z|[+-]\\d\\d(:?\\d\\d(:?\\d\\d)?)?)");

    private static final String UNAVAILABLE = "__debezium_unavailable_value";

    /**
     * What the rules say.
     *
     * @param specified whether they say anything
     * @param outcome what must come of it
     * @param unspecifiedFields of an accepted row, those whose content the rules leave open
     */
    record Verdict(boolean specified, Outcome outcome, List<String> unspecifiedFields) {
        static Verdict open() {
            return new Verdict(false, Outcome.ignored(), List.of());
        }

        static Verdict is(Outcome outcome) {
            return new Verdict(true, outcome, List.of());
        }
    }

    private static final Verdict UNDECODABLE = Verdict.is(Outcome.dead(Reason.UNDECODABLE, null));

    /** Thrown where no rule says what happens. */
    private static final class Open extends Exception {
        private static final long serialVersionUID = 1L;
    }

    /** Thrown where a row breaks a rule. */
    private static final class Broken extends Exception {
        private static final long serialVersionUID = 1L;
    }

    private TreeOracle() {}

    static Verdict judge(boolean events, byte @Nullable [] key, byte @Nullable [] value) {
        if (value == null) {
            return events ? Verdict.is(Outcome.ignored()) : deletedByKey(key);
        }
        if (value.length > DebeziumCase.MAX_RECORD_BYTES) {
            return Verdict.is(Outcome.dead(Reason.OVERSIZE, null));
        }
        JsonNode root = tree(value);
        if (root == null || !root.isObject()) {
            return UNDECODABLE;
        }
        JsonNode envelope = root;
        if (root.has("payload") && root.has("op") == root.has("schema")) {
            // Wrapper and envelope at once, or a payload without schema: taking it and refusing it are both sound.
            return Verdict.open();
        } else if (root.has("payload") && root.has("schema")) {
            envelope = root.get("payload");
        }
        if (!envelope.path("op").isTextual()) {
            return UNDECODABLE;
        }
        String op = envelope.get("op").textValue();
        if (!List.of("c", "r", "u", "d", "t", "m").contains(op)) {
            return UNDECODABLE;
        }
        boolean ignored = events ? !op.equals("c") && !op.equals("r") : op.equals("t") || op.equals("m");
        if (ignored) {
            return Verdict.is(Outcome.ignored());
        }
        if (op.equals("d")) {
            return deleted(envelope.path("before"), key);
        }
        JsonNode row = envelope.path("after");
        if (!row.isObject()) {
            return UNDECODABLE;
        }
        return events ? event(row, op, envelope.path("source")) : content(row);
    }

    private static Verdict deleted(JsonNode before, byte @Nullable [] key) {
        if (before.isNull() || before.isMissingNode()) {
            return deletedByKey(key);
        }
        JsonNode id = before.path("id");
        if (id.isTextual() && id.textValue().isEmpty()) {
            return deletedByKey(key);
        }
        return isId(id) ? deletedId(id) : Verdict.open();
    }

    private static Verdict deletedByKey(byte @Nullable [] key) {
        JsonNode root = key == null ? null : tree(key);
        if (root == null || !root.isObject()) {
            return UNDECODABLE;
        }
        if (root.has("payload") && root.has("id") == root.has("schema")) {
            return Verdict.open();
        }
        boolean wrapped = root.has("schema") && root.has("payload");
        JsonNode id = (wrapped ? root.get("payload") : root).path("id");
        if (id.isFloatingPointNumber()) {
            return Verdict.open();
        }
        return isId(id) ? deletedId(id) : UNDECODABLE;
    }

    private static boolean isId(JsonNode id) {
        return id.isIntegralNumber() || (id.isTextual() && !id.textValue().isEmpty() && isWellFormed(id.textValue()));
    }

    private static Verdict deletedId(JsonNode id) {
        return Verdict.is(Outcome.accepted(Map.of("deleted", id.asText())));
    }

    private static Verdict event(JsonNode row, String op, JsonNode source) {
        JsonNode id = row.path("id");
        Long eventId = id.isIntegralNumber() && id.canConvertToLong() ? (Long) id.longValue() : null;
        List<String> unspecified = new ArrayList<>();
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        boolean open = false;
        boolean broken = eventId == null;
        fields.put("id", eventId);
        for (String name :
                List.of("content_id", "user_id", "event_type", "event_ts", "duration_ms", "device", "raw_payload")) {
            JsonNode node = row.path(name);
            try {
                fields.put(
                        name,
                        switch (name) {
                            case "content_id" -> required(idText(node, name, unspecified));
                            case "user_id" -> idText(node, name, unspecified);
                            case "event_ts" -> required(time(node));
                            case "duration_ms" -> duration(node);
                            case "raw_payload" -> payload(node, row, unspecified);
                            default -> text(node);
                        });
            } catch (Broken e) {
                broken = true;
            } catch (Open e) {
                open = true;
            }
        }
        if (broken) {
            return Verdict.is(Outcome.dead(Reason.INVALID, eventId));
        }
        if (open) {
            return Verdict.open();
        }
        fields.put("op", op);
        JsonNode committed = source.path("ts_ms");
        if (op.equals("r")) {
            fields.put("committed_at_millis", 0L);
        } else if (committed.isIntegralNumber() && committed.canConvertToLong() && committed.longValue() >= 0) {
            fields.put("committed_at_millis", committed.longValue());
        } else {
            fields.put("committed_at_millis", 0L);
            if (!committed.isMissingNode() && !committed.isNull()) {
                unspecified.add("committed_at_millis");
            }
        }
        return new Verdict(true, Outcome.accepted(fields), unspecified);
    }

    private static Verdict content(JsonNode row) {
        List<String> unspecified = new ArrayList<>();
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        try {
            String id = required(idText(row.path("id"), "id", unspecified));
            fields.put("id", required(id.isEmpty() ? null : id));
            List<String> unchanged = new ArrayList<>();
            for (String name : List.of("slug", "title", "content_type")) {
                String text = text(row.path(name));
                if (UNAVAILABLE.equals(text) && !name.equals("content_type")) {
                    unchanged.add(name);
                    text = null;
                }
                fields.put(name, text);
            }
            fields.put("unchanged", unchanged);
            JsonNode length = row.path("length_seconds");
            if (!absent(length) && !(length.isIntegralNumber() && length.canConvertToInt())) {
                throw new Broken();
            }
            fields.put("length_seconds", absent(length) ? null : (Integer) length.intValue());
        } catch (Broken e) {
            return Verdict.is(Outcome.dead(Reason.INVALID, null));
        }
        JsonNode published = row.path("publish_ts");
        String time = null;
        try {
            time = time(published);
        } catch (Broken e) {
            time = null;
        } catch (Open e) {
            unspecified.add("publish_ts");
            unspecified.add("publish_ts_dropped");
        }
        fields.put("publish_ts", time);
        fields.put("publish_ts_dropped", time == null && !absent(published));
        return new Verdict(true, Outcome.accepted(fields), unspecified);
    }

    /** Half a surrogate pair is no character: UTF-8 cannot say it and no database text can hold it. */
    private static boolean isWellFormed(String text) {
        return StandardCharsets.UTF_16LE.newEncoder().canEncode(text);
    }

    private static boolean absent(JsonNode node) {
        return node.isMissingNode() || node.isNull();
    }

    private static <T> T required(@Nullable T value) throws Broken {
        if (value == null) {
            throw new Broken();
        }
        return value;
    }

    private static @Nullable String text(JsonNode node) throws Broken {
        if (absent(node)) {
            return null;
        }
        if (!node.isTextual() || !isWellFormed(node.textValue())) {
            throw new Broken();
        }
        return node.textValue();
    }

    private static @Nullable String idText(JsonNode node, String name, List<String> unspecified) throws Broken {
        if (node.isNumber()) {
            if (!node.isIntegralNumber()) {
                unspecified.add(name); // the tree no longer knows how it was written
            }
            return node.asText();
        }
        return text(node);
    }

    private static @Nullable Integer duration(JsonNode node) throws Broken {
        if (absent(node)) {
            return null;
        }
        if (!node.isIntegralNumber() || !node.canConvertToInt() || node.intValue() < 0) {
            throw new Broken();
        }
        return node.intValue();
    }

    private static @Nullable String payload(JsonNode node, JsonNode row, List<String> unspecified) throws Broken, Open {
        if (absent(node)) {
            return null;
        }
        if (node.isContainerNode()) {
            unspecified.add("raw_payload"); // the tree no longer knows how it was written
            return row.get("raw_payload").toString();
        }
        if (!node.isTextual()) {
            throw new Open();
        }
        if (!isWellFormed(node.textValue())) {
            throw new Broken();
        }
        try {
            if (JSON.readTree(node.textValue()).isMissingNode()) {
                throw new Broken();
            }
        } catch (JsonProcessingException e) {
            if (e instanceof StreamConstraintsException) {
                throw new Open();
            }
            throw new Broken();
        }
        return node.textValue();
    }

    /** A timestamp in UTC with six digits; null if there is none. */
    private static @Nullable String time(JsonNode node) throws Broken, Open {
        String text = text(node);
        if (text == null) {
            return null;
        }
        if (!TIME.matcher(text).matches()) {
            if (NEARLY_TIME.matcher(text).matches()) {
                throw new Open();
            }
            throw new Broken();
        }
        try {
            OffsetDateTime utc = OffsetDateTime.parse(text).withOffsetSameInstant(ZoneOffset.UTC);
            if (utc.getYear() < 1 || utc.getYear() > 9999 || text.startsWith("0000")) {
                throw new Broken();
            }
            return Outcome.isoOfMicros(utc.toEpochSecond() * 1_000_000L + utc.get(ChronoField.MICRO_OF_SECOND));
        } catch (DateTimeException e) {
            throw new Broken();
        }
    }

    private static @Nullable JsonNode tree(byte[] bytes) {
        String text;
        try {
            text = StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (CharacterCodingException e) {
            return null;
        }
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            return null;
        }
    }
}
