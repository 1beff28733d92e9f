package dev.engagement.local;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import java.io.IOException;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The warehouse against plain SQL, by BigQuery's query endpoint and nothing else. An oracle on purpose: it shares no code
 * with the job. Every row is compared: fact columns equal the source's; the content's columns equal one version that the
 * content had, with the engagement that follows from it.
 *
 * <p>Rows are read by ranges of ids, so that neither side is ever held as a whole. Not thread safe.
 */
public final class WarehouseCheck implements DestinationCheck {

    /** The table, as the job names it unless told otherwise. */
    static final String TABLE = "analytics.engagement_events";

    private static final int PAGE = 5_000;
    /** Of a page that holds so many rows of the warehouse, more is not asked for: something is doubled all over. */
    private static final int MAX_PAGE = 4 * PAGE;

    private static final int MAX_DIFFERING = 1_000;

    /** Those that do not depend on the content. */
    private static final List<String> FACTS =
            List.of("content_id", "user_id", "event_type", "event_ts", "duration_ms", "device");

    private static final String SOURCE_TOTALS = """
            SELECT count(*), count(DISTINCT id), coalesce(sum(duration_ms), 0),
              coalesce(sum(duration_ms::numeric / 1000), 0)
            FROM engagement_events""";

    private static final String TOTALS = """
            SELECT COUNT(*), COUNT(DISTINCT event_id), COALESCE(SUM(duration_ms), 0),
              COALESCE(SUM(engagement_seconds), 0)
            FROM %s""".formatted(TABLE);

    private static final String SOURCE_PAGE = """
            SELECT e.id, e.content_id, e.user_id, e.event_type, e.duration_ms, e.device, e.raw_payload,
              to_char(e.event_ts AT TIME ZONE 'UTC', %1$s) AS event_ts,
              e.duration_ms::numeric / 1000 AS engagement_seconds,
              CASE WHEN c.length_seconds > 0
                THEN round(e.duration_ms::numeric / (1000 * c.length_seconds::numeric), 2) END AS engagement_pct,
              c.slug, c.title, c.content_type, c.length_seconds,
              to_char(c.publish_ts AT TIME ZONE 'UTC', %1$s) AS publish_ts
            FROM engagement_events e LEFT JOIN content c ON c.id = e.content_id
            WHERE %3$s ORDER BY %4$s LIMIT %2$d""";

    private static final String COLUMNS =
            "event_id, content_id, user_id, event_type, UNIX_MICROS(event_ts) AS event_ts,"
                    + " duration_ms, device, raw_payload, slug, title, content_type, length_seconds,"
                    + " UNIX_MICROS(publish_ts) AS publish_ts, engagement_seconds, engagement_pct";

    private final PostgresServer postgres;
    private final UnaryOperator<String> query;
    private final Function<UUID, List<ContentRow>> versions;
    private final ObjectMapper mapper = new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

    /**
     * A check of one warehouse against one database, over connections of its own for each comparison.
     *
     * @param postgres with {@link Schema}
     * @param query from GoogleSQL to what BigQuery's {@code jobs.query} answers, as JSON
     * @param versions every version that a content had, as far as known; the present row counts without it
     */
    public WarehouseCheck(
            PostgresServer postgres, UnaryOperator<String> query, Function<UUID, List<ContentRow>> versions) {
        this.postgres = postgres;
        this.query = query;
        this.versions = versions;
    }

    @Override
    public String destination() {
        return "BigQuery";
    }

    @Override
    public long arrived() throws IOException {
        return count(query);
    }

    /** How many rows the table has. */
    static long count(UnaryOperator<String> query) throws JsonProcessingException {
        return Long.parseLong(new ObjectMapper()
                .readTree(query.apply("SELECT COUNT(*) FROM " + TABLE))
                .at("/rows/0/f/0/v")
                .asText());
    }

    @Override
    public List<Comparison> compare() throws SQLException, IOException {
        try (Connection source = postgres.connect()) {
            List<Comparison> comparisons = new ArrayList<>(totals(source));
            comparisons.addAll(rows(source));
            return comparisons;
        }
    }

    private List<Comparison> totals(Connection source) throws SQLException, IOException {
        List<String> what = List.of("rows", "distinct event_id", "sum of duration_ms", "sum of engagement_seconds");
        JsonNode found = rows(TOTALS).get(0).path("f");
        List<Comparison> comparisons = new ArrayList<>();
        try (Statement statement = source.createStatement();
                ResultSet expected = statement.executeQuery(SOURCE_TOTALS)) {
            expected.next();
            for (int i = 0; i < what.size(); i++) {
                comparisons.add(new Comparison(
                        what.get(i),
                        plain(expected.getBigDecimal(i + 1)),
                        plain(new BigDecimal(found.path(i).path("v").asText())),
                        List.of()));
            }
        }
        return comparisons;
    }

    private static String plain(BigDecimal number) {
        return number.signum() == 0 ? "0" : number.stripTrailingZeros().toPlainString();
    }

    private JsonNode rows(String sql) throws JsonProcessingException {
        return mapper.readTree(query.apply(sql)).path("rows");
    }

    // ---------------------------------------------------------------------------------------------- row by row

    /** What differs, and how many rows do not. */
    private static final class Tally {
        private final List<String> differing = new ArrayList<>();
        private long equal;

        void add(@Nullable String difference) {
            if (difference == null) {
                equal++;
            } else if (differing.size() < MAX_DIFFERING) {
                differing.add(difference);
            }
        }
    }

    private List<Comparison> rows(Connection source) throws SQLException, IOException {
        Tally facts = new Tally();
        Tally derived = new Tally();
        long expected = 0;
        EventIdKind kind = Schema.eventIds(source);
        String order = Schema.orderedBy("e.id", kind);
        EventId after = null;
        boolean more = true;
        while (more) {
            NavigableMap<EventId, SourceRow> page = new TreeMap<>();
            String where = after == null ? "TRUE" : order + " > " + literal(after);
            try (Statement statement = source.createStatement();
                    ResultSet rows = statement.executeQuery(SOURCE_PAGE.formatted(KeyCheck.ISO, PAGE, where, order))) {
                while (rows.next()) {
                    SourceRow row = SourceRow.of(rows, kind);
                    page.put(row.id, row);
                }
            }
            expected += page.size();
            more = page.size() == PAGE;
            // The last range is open: it holds what the source has not.
            EventId last = more ? page.lastKey() : null;
            compare(page, kind, after, last, facts, derived);
            after = last;
        }
        return List.of(
                new Comparison(
                        "rows with the source's facts, once",
                        Long.toString(expected),
                        Long.toString(facts.equal),
                        facts.differing),
                new Comparison(
                        "rows with their content and engagement",
                        Long.toString(expected),
                        Long.toString(derived.equal),
                        derived.differing));
    }

    /** In either SQL. */
    private static String literal(EventId id) {
        return id.text() == null ? id.toString() : "'" + id + "'";
    }

    /** Of a kind, which a text in SQL's answers does not say. */
    private static EventId id(String text, EventIdKind kind) {
        return kind == EventIdKind.LONG ? EventId.of(Long.parseLong(text)) : EventId.of(text);
    }

    /** One range of ids, without its first and with its last; null where it is open. */
    private void compare(
            Map<EventId, SourceRow> expected,
            EventIdKind kind,
            @Nullable EventId after,
            @Nullable EventId last,
            Tally facts,
            Tally derived)
            throws IOException {
        JsonNode answer = rows("SELECT " + COLUMNS + " FROM " + TABLE
                + (after == null ? " WHERE TRUE" : " WHERE event_id > " + literal(after))
                + (last == null ? "" : " AND event_id <= " + literal(last))
                + " ORDER BY event_id LIMIT " + MAX_PAGE);
        Map<EventId, List<JsonNode>> found = new TreeMap<>();
        for (JsonNode row : answer) {
            found.computeIfAbsent(id(row.at("/f/0/v").asText(), kind), id -> new ArrayList<>())
                    .add(row.path("f"));
        }
        for (SourceRow row : expected.values()) {
            List<JsonNode> copies = found.getOrDefault(row.id, List.of());
            if (copies.isEmpty()) {
                facts.add(row.id + ": is missing");
                continue;
            }
            if (copies.size() > 1) {
                facts.add(row.id + ": stands there " + copies.size() + " times");
                continue;
            }
            WarehouseRow actual = WarehouseRow.of(copies.get(0));
            facts.add(factsDifference(row, actual));
            derived.add(derivedDifference(row, actual));
        }
        found.forEach((id, copies) -> {
            if (!expected.containsKey(id)) {
                facts.add(id + ": is not in the source");
            }
        });
        if (answer.size() == MAX_PAGE) {
            facts.add("of the ids above " + (after == null ? "none" : after) + " there are so many rows that only "
                    + MAX_PAGE + " were compared");
        }
    }

    private @Nullable String factsDifference(SourceRow expected, WarehouseRow actual) throws JsonProcessingException {
        List<String> differences = new ArrayList<>();
        expected.facts.forEach((column, value) -> {
            String other = actual.facts.get(column);
            if (!Objects.equals(value, other)) {
                differences.add(column + " is " + value + ", in BigQuery " + other);
            }
        });
        if (!sameJson(expected.rawPayload, actual.rawPayload)) {
            differences.add("raw_payload is " + expected.rawPayload + ", in BigQuery " + actual.rawPayload);
        }
        return differences.isEmpty() ? null : expected.id + ": " + String.join("; ", differences);
    }

    private @Nullable String derivedDifference(SourceRow expected, WarehouseRow actual) {
        if (!ContentColumns.sameNumber(expected.seconds, actual.seconds)) {
            return expected.id + ": engagement_seconds is " + expected.seconds + ", in BigQuery " + actual.seconds;
        }
        if (expected.content.matches(actual.content)) {
            return null;
        }
        String content = expected.facts.get("content_id");
        if (content != null) {
            for (ContentRow version : versions.apply(UUID.fromString(content))) {
                if (ContentColumns.of(version, expected.durationMs).matches(actual.content)) {
                    return null;
                }
            }
        }
        return expected.id + ": the content and engagement_pct are " + expected.content
                + " and were never as in BigQuery: " + actual.content;
    }

    /** By meaning: order of members, white space and the writing of numbers do not matter. */
    private boolean sameJson(@Nullable String one, @Nullable String other) throws JsonProcessingException {
        if (one == null || other == null || one.equals(other)) {
            return Objects.equals(one, other);
        }
        return mapper.readTree(one).equals(BY_MEANING, mapper.readTree(other));
    }

    private static final Comparator<JsonNode> BY_MEANING = (one, other) -> one.isNumber() && other.isNumber()
            ? one.decimalValue().compareTo(other.decimalValue())
            : one.equals(other) ? 0 : 1;

    private record SourceRow(
            EventId id,
            Map<String, @Nullable String> facts,
            @Nullable Integer durationMs,
            @Nullable String rawPayload,
            @Nullable BigDecimal seconds,
            ContentColumns content) {

        static SourceRow of(ResultSet row, EventIdKind kind) throws SQLException {
            Map<String, @Nullable String> facts = new LinkedHashMap<>();
            for (String column : FACTS) {
                facts.put(column, row.getString(column));
            }
            return new SourceRow(
                    WarehouseCheck.id(row.getString("id"), kind),
                    facts,
                    row.getObject("duration_ms", Integer.class),
                    row.getString("raw_payload"),
                    row.getBigDecimal("engagement_seconds"),
                    new ContentColumns(
                            row.getString("slug"),
                            row.getString("title"),
                            row.getString("content_type"),
                            row.getString("length_seconds"),
                            row.getString("publish_ts"),
                            row.getBigDecimal("engagement_pct")));
        }
    }

    private record WarehouseRow(
            Map<String, @Nullable String> facts,
            @Nullable String rawPayload,
            @Nullable BigDecimal seconds,
            ContentColumns content) {

        /** @param cells in the order of {@link #COLUMNS} */
        static WarehouseRow of(JsonNode cells) {
            Map<String, @Nullable String> facts = new LinkedHashMap<>();
            for (int i = 0; i < FACTS.size(); i++) {
                String value = text(cells, i + 1);
                facts.put(FACTS.get(i), FACTS.get(i).equals("event_ts") ? iso(value) : value);
            }
            return new WarehouseRow(
                    facts,
                    text(cells, 7),
                    number(cells, 13),
                    new ContentColumns(
                            text(cells, 8),
                            text(cells, 9),
                            text(cells, 10),
                            text(cells, 11),
                            iso(text(cells, 12)),
                            number(cells, 14)));
        }

        private static @Nullable String text(JsonNode cells, int column) {
            JsonNode value = cells.path(column).path("v");
            return value.isNull() ? null : value.asText();
        }

        private static @Nullable BigDecimal number(JsonNode cells, int column) {
            String text = text(cells, column);
            return text == null ? null : new BigDecimal(text);
        }

        private static @Nullable String iso(@Nullable String micros) {
            return micros == null
                    ? null
                    : ContentColumns.iso(Instant.EPOCH.plus(Long.parseLong(micros), ChronoUnit.MICROS));
        }
    }
}
