package dev.engagement.api.track;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.api.track.TrackRefusedException.Refusal;
import dev.engagement.event.JsonText;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;

/** {@link EventParser}, against bodies of which it is known what is wrong with them, as that was put in. */
class EventParserProperties {

    private static final ObjectMapper TREES = new ObjectMapper();

    private static final List<String> REQUIRED = List.of("content_id", "user_id", "event_type");

    /** Of a field: some JSON, and what becomes of it; null if it is to be refused. */
    private record Value(String json, @Nullable Object becomes) {

        static Value good(String json, Object becomes) {
            return new Value(json, becomes);
        }

        static Value bad(String json) {
            return new Value(json, null);
        }

        boolean isNull() {
            return json.equals("null");
        }
    }

    private static final List<Value> IDS = List.of(
            Value.good("\"" + Samples.CONTENT + "\"", Samples.CONTENT),
            Value.good("\"" + Samples.USER + "\"", Samples.USER),
            Value.good("\"7C9E6679-7425-40de-944b-e07fc1f90ae7\"", "7C9E6679-7425-40de-944b-e07fc1f90ae7"),
            Value.bad("\"7c9e6679742540de944be07fc1f90ae7\""),
            Value.bad("\"\""),
            Value.bad("7"),
            Value.bad("[\"" + Samples.USER + "\"]"),
            Value.bad("true"),
            Value.bad("null"));

    private static final Map<String, List<Value>> VALUES = Map.of(
            "content_id",
            IDS,
            "user_id",
            IDS,
            "event_type",
            List.of(
                    Value.good("\"click\"", "click"),
                    Value.good("\"pl\\u0061y\"", "play"),
                    Value.bad("\"buy\""),
                    Value.bad("\"\""),
                    Value.bad("1"),
                    Value.bad("{\"event_type\":\"click\"}"),
                    Value.bad("null")),
            "event_ts",
            List.of(
                    Value.good("\"2026-01-08T09:00:00Z\"", micros("2026-01-08T09:00:00Z")),
                    Value.good("\"2026-01-08 10:00:00.000001+01\"", micros("2026-01-08T09:00:00.000001Z")),
                    Value.good("1767862800123", micros("2026-01-08T09:00:00.123Z")),
                    Value.good("-1", micros("1969-12-31T23:59:59.999Z")),
                    // A minute ahead, and not more.
                    Value.good("\"2026-01-08T09:01:30Z\"", micros("2026-01-08T09:01:30Z")),
                    Value.bad("\"2026-01-08T09:01:30.000001Z\""),
                    Value.bad("\"yesterday\""),
                    Value.bad("\"\""),
                    Value.bad("1.5"),
                    Value.bad("99999999999999999999"),
                    Value.bad("{}"),
                    Value.bad("false")),
            "duration_ms",
            List.of(
                    Value.good("0", 0),
                    Value.good("2147483647", Integer.MAX_VALUE),
                    Value.bad("2147483648"),
                    Value.bad("-1"),
                    Value.bad("1.0"),
                    Value.bad("\"5\""),
                    Value.bad("[5]")),
            "device",
            List.of(
                    Value.good("\"web\"", "web"),
                    Value.good("\"\"", ""),
                    Value.good("\"\\ud83d\\ude00\"", "\ud83d\ude00"),
                    Value.good("\"<b>'; DROP TABLE x\"", "<b>'; DROP TABLE x"),
                    Value.bad("\"a\\u0007\""),
                    Value.bad("\"\\udc00\""),
                    Value.bad("\"" + "x".repeat(257) + "\""),
                    Value.bad("{}")),
            "payload",
            List.of(
                    payload("{\"value\":4.50,\"list\":[1,{\"x\":null}],\"t\":true}"),
                    payload("\"text\""),
                    payload("[]"),
                    payload("-1.5E+300"),
                    payload("false"),
                    Value.bad("\"\\u0000\""),
                    Value.bad("{\"a\":[{\"b\\u0000\":1}]}"),
                    Value.bad("[\"\\ud800x\"]"),
                    Value.bad("[1e309]")),
            "event_key",
            List.of(
                    Value.good("\"player-7-000123\"", "player-7-000123"),
                    Value.good("\"\u00e4\"", "\u00e4"),
                    Value.bad("\"\""),
                    Value.bad("5"),
                    Value.bad("\"" + "\u00e4".repeat(129) + "\"")));

    private final EventParser parser = new EventParser(Samples.options(), new ManualClock(Samples.NOW));

    /** An event as text, and what is known of it. */
    private record Case(String json, Map<String, Object> becomes, List<String> refused) {}

    @Property(tries = 3_000)
    void what_was_put_in_comes_out_or_is_refused_where_it_stood(@ForAll long seed) {
        Random random = new Random(seed);
        List<Case> cases = new ArrayList<>();
        int count = 1 + random.nextInt(4);
        for (int i = 0; i < count; i++) {
            cases.add(event(random, random.nextInt(3) == 0));
        }
        List<Integer> lines = new ArrayList<>();
        boolean isLines = random.nextBoolean();
        String body = isLines ? lines(random, cases, lines) : document(random, cases, lines);

        List<String> refused = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            for (String field : cases.get(i).refused()) {
                refused.add(lines.get(i) + " " + field);
            }
        }
        try {
            List<TrackEvent> events = parse(body, isLines);
            assertThat(refused).as(body).isEmpty();
            assertThat(events).as(body).hasSize(count);
            for (int i = 0; i < count; i++) {
                assertIs(events.get(i), cases.get(i), lines.get(i));
            }
        } catch (TrackRefusedException e) {
            assertThat(e.status()).isEqualTo(422);
            assertThat(e.refusals().stream()
                            .map(refusal -> refusal.line() + " " + refusal.field())
                            .toList())
                    .as(body)
                    .isEqualTo(refused.subList(0, Math.min(refused.size(), EventParser.MAX_REFUSALS)));
        }
    }

    @Property(tries = 3_000)
    void a_body_with_some_characters_changed_is_read_or_refused_and_never_anything_else(@ForAll long seed) {
        Random random = new Random(seed);
        StringBuilder body = new StringBuilder(
                event(random, true).json() + "\n" + event(random, true).json());
        String with = "{}[]\",:\\0e-\u0000\ud800\n ";
        for (int changes = random.nextInt(4); changes >= 0; changes--) {
            int at = random.nextInt(body.length());
            char c = with.charAt(random.nextInt(with.length()));
            switch (random.nextInt(3)) {
                case 0 -> body.deleteCharAt(at);
                case 1 -> body.insert(at, c);
                default -> body.setCharAt(at, c);
            }
        }
        try {
            for (TrackEvent event : parse(body.toString(), random.nextBoolean())) {
                assertThat(IdForm.UUID.accepts(event.contentId())).isTrue();
                assertThat(IdForm.UUID.accepts(event.userId())).isTrue();
                assertThat(event.payload() == null || JsonText.isOneValue(event.payload()))
                        .isTrue();
            }
        } catch (TrackRefusedException e) {
            assertThat(e.refusals()).isNotEmpty();
            for (Refusal refusal : e.refusals()) {
                assertThat(refusal.field() + refusal.what() + refusal.wayOut()).matches("[\\x20-\\x7e\u2026]*");
            }
        }
    }

    /** @param good whether nothing is to be wrong with it */
    private static Case event(Random random, boolean good) {
        List<String> names = new ArrayList<>(VALUES.keySet());
        Collections.shuffle(names, random);
        List<String> members = new ArrayList<>();
        Map<String, Object> becomes = new HashMap<>();
        List<String> refused = new ArrayList<>();
        Set<String> given = new HashSet<>();
        for (String name : names) {
            boolean required = REQUIRED.contains(name);
            if (random.nextInt(8) == 0 && !(good && required)) {
                continue;
            }
            List<Value> values = VALUES.get(name);
            Value value = values.get(random.nextInt(values.size()));
            while (value.becomes() == null && (good || random.nextInt(4) != 0)) {
                value = values.get(random.nextInt(values.size()));
            }
            members.add("\"" + name + "\":" + value.json());
            if (!value.isNull()) {
                given.add(name);
                if (value.becomes() == null) {
                    refused.add(name);
                } else {
                    becomes.put(name, value.becomes());
                }
            }
            if (!good && random.nextInt(20) == 0) {
                members.add("\"" + name + "\":1");
                refused.add(name);
            }
            if (!good && random.nextInt(20) == 0) {
                members.add("\"colour\":{\"" + name + "\":[1]}");
                refused.add("colour");
            }
        }
        for (String name : REQUIRED) {
            if (!given.contains(name)) {
                refused.add(name);
            }
        }
        String space = random.nextBoolean() ? " " : "";
        return new Case(
                members.stream().collect(Collectors.joining("," + space, "{" + space, space + "}")), becomes, refused);
    }

    private static String lines(Random random, List<Case> cases, List<Integer> lines) {
        StringBuilder body = new StringBuilder();
        int line = 1;
        for (Case each : cases) {
            while (random.nextInt(4) == 0) {
                body.append(random.nextBoolean() ? "\n" : " \r\n");
                line++;
            }
            body.append(each.json()).append('\n');
            lines.add(line++);
        }
        return random.nextBoolean() ? body.toString() : body.substring(0, body.length() - 1);
    }

    private static String document(Random random, List<Case> cases, List<Integer> lines) {
        for (int place = 1; place <= cases.size(); place++) {
            lines.add(place);
        }
        if (cases.size() == 1 && random.nextBoolean()) {
            return cases.get(0).json();
        }
        return cases.stream().map(Case::json).collect(Collectors.joining(",\n", " [", "\n]"));
    }

    private List<TrackEvent> parse(String body, boolean isLines) throws TrackRefusedException {
        return parser.parse(
                body.getBytes(StandardCharsets.UTF_8),
                isLines ? BodyForm.LINES : BodyForm.DOCUMENT,
                IdForm.UUID,
                IdForm.UUID);
    }

    private static void assertIs(TrackEvent event, Case expected, int line) {
        Map<String, Object> becomes = expected.becomes();
        assertThat(event.line()).isEqualTo(line);
        assertThat(event.contentId()).isEqualTo(becomes.get("content_id"));
        assertThat(event.userId()).isEqualTo(becomes.get("user_id"));
        assertThat(event.eventType()).isEqualTo(becomes.get("event_type"));
        assertThat((Object) event.eventTsMicros())
                .isEqualTo(becomes.getOrDefault("event_ts", Samples.NOW.toEpochMilli() * 1_000));
        assertThat(event.durationMs()).isEqualTo(becomes.get("duration_ms"));
        assertThat(event.device()).isEqualTo(becomes.get("device"));
        assertThat(event.key()).isEqualTo(becomes.get("event_key"));
        assertThat(event.payload() == null ? null : tree(event.payload())).isEqualTo(becomes.get("payload"));
    }

    private static Value payload(String json) {
        return Value.good(json, tree(json));
    }

    private static Object tree(String json) {
        try {
            return TREES.readTree(json);
        } catch (JsonProcessingException e) {
            throw new AssertionError(json, e);
        }
    }

    private static Object micros(String instant) {
        Instant time = Instant.parse(instant);
        return time.getEpochSecond() * 1_000_000 + time.getNano() / 1_000;
    }
}
