package dev.engagement.rollup;

import dev.engagement.rollup.definition.Condition;
import dev.engagement.rollup.definition.Filter;
import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.RollupDefinition;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * The SQL by which PostgreSQL computes the cells of a rollup from the source tables: what the job computes, by the same
 * rules. Users are counted and never estimated. An event counts by its content as it is now; one that the job makes a dead
 * letter of because of its row, or that has no content where it must have one, does not count. One without a
 * {@code content_id} is in no cell of a content.
 *
 * <p>What SQL cannot know: whether an event was too large for the stream, whether it came too late for its window, and, in a
 * database that does not keep the times of commits, whether it was stamped ahead of its arrival.
 */
public final class RollupSql {

    private static final long MICROS = 1_000;

    /** Longest text of a number that counts, as of {@link PlainDecimal}. */
    private static final int MAX_NUMBER_LENGTH = 100;

    /** Of which the middle says when the first events happened. */
    private static final int FIRST_EVENTS = 101;

    private final RollupDefinition rollup;
    private final RollupSource source;
    private final List<KeyPart> key;
    private final List<String> fields;

    public RollupSql(RollupDefinition rollup, RollupSource source) {
        this.rollup = rollup;
        this.source = source;
        this.key = rollup.eventKey();
        this.fields = rollup.measures().stream()
                .map(Measure::field)
                .filter(Objects::nonNull)
                .distinct()
                .toList();
    }

    /**
     * Each cell that has events, ordered by window and then by key, whose parts are compared by their code points. Columns:
     * the window's start in milliseconds since the epoch, the parts of the key, the measures, the values that no measure
     * could use, and the events.
     *
     * @param windows of this rollup
     * @param withoutSome whether the statement has a parameter, an array of ids of events that are left out
     */
    public String cells(RollupWindows windows, boolean withoutSome) {
        List<String> place = new ArrayList<>(List.of("window_start"));
        place.addAll(names("k", key.size()));
        List<String> columns = new ArrayList<>(place);
        rollup.measures().forEach(measure -> columns.add(value(measure)));
        columns.add(skipped());
        columns.add("count(*)");
        return "SELECT " + list(columns) + " FROM (" + counted(windows, withoutSome) + ") AS counted GROUP BY "
                + list(place) + " ORDER BY " + list(place);
    }

    /** When the first event happened that is in any window, in milliseconds since the epoch; no row if there is none. */
    public String firstEvent(RollupWindows windows) {
        return "SELECT floor(extract(epoch FROM e.event_ts) * 1000)::bigint FROM " + source.events() + " AS e WHERE "
                + within(windows) + " ORDER BY e.event_ts LIMIT 1";
    }

    /**
     * When the oldest event happened, in microseconds since the epoch; null if there is none. What was before may have been
     * purged. An event that a clock gone wrong has stamped long ago says nothing of that: ids are handed out in the order of
     * insertion, so the first ones tell, too, and the later of the two answers counts.
     */
    public static String oldestEvent(RollupSource source) {
        // Other rules than time's own are none of its business: -infinity is no time.
        String events = "SELECT e.event_ts FROM " + source.events()
                + " AS e WHERE e.event_ts >= TIMESTAMPTZ '0001-01-01T00:00:00Z'";
        return "SELECT "
                + micros("greatest((SELECT min(event_ts) FROM (" + events
                        + ") AS every), (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY event_ts) FROM (" + events
                        + " ORDER BY e.id LIMIT " + FIRST_EVENTS + ") AS early))");
    }

    // ---------------------------------------------------------------------------------------------- events

    /** A row for each event and window that it is in. */
    private String counted(RollupWindows windows, boolean withoutSome) {
        long window = rollup.windowMillis();
        long slide = rollup.slideMillis();
        List<String> columns = new ArrayList<>();
        String from = "";
        if (window == slide) {
            columns.add("fact.last_start AS window_start");
        } else {
            columns.add("windows.window_start");
            from = " CROSS JOIN LATERAL generate_series(greatest(fact.last_start - " + (window - slide) + ", "
                    + windows.fromMillis() + "), least(fact.last_start, " + (windows.toMillis() - slide) + "), " + slide
                    + ") AS windows (window_start)";
        }
        names("k", key.size()).forEach(name -> columns.add("fact." + name));
        columns.addAll(List.of("fact.event_type", "fact.user_id", "fact.duration_ms", "fact.length_seconds"));
        for (int i = 0; i < fields.size(); i++) {
            // As PlainDecimal has it.
            columns.add(
                    "CASE WHEN abs(fact.f" + i + ") < 1e" + PlainDecimal.INTEGER_DIGITS + " AND scale(trim_scale(fact.f"
                            + i + ")) <= " + PlainDecimal.FRACTION_DIGITS + " THEN fact.f" + i + " END AS n" + i);
        }
        // An event with such a key is left out of the rollup.
        String where = names("k", key.size()).stream()
                .map(name -> "octet_length(fact." + name + ") <= " + CompiledRollup.MAX_KEY_PART_BYTES)
                .collect(Collectors.joining(" AND "));
        return "SELECT " + list(columns) + " FROM (" + facts(windows, withoutSome) + ") AS fact" + from
                + (where.isEmpty() ? "" : " WHERE " + where);
    }

    /** A row for each event, with everything that is asked of it. */
    private String facts(RollupWindows windows, boolean withoutSome) {
        long slideMicros = rollup.slideMillis() * MICROS;
        String at = micros("e.event_ts");
        List<String> columns = new ArrayList<>();
        // Whole slides, before 1970 too.
        columns.add("(" + at + " - mod(mod(" + at + ", " + slideMicros + ") + " + slideMicros + ", " + slideMicros
                + ")) / " + MICROS + " AS last_start");
        for (int i = 0; i < key.size(); i++) {
            columns.add("(" + part(key.get(i)) + ") COLLATE \"C\" AS k" + i);
        }
        columns.addAll(List.of("e.event_type", "e.user_id", "e.duration_ms", "c.length_seconds"));
        for (int i = 0; i < fields.size(); i++) {
            columns.add(number(fields.get(i)) + " AS f" + i);
        }
        List<String> conditions = new ArrayList<>(List.of(
                within(windows),
                // The others are dead letters.
                "(e.duration_ms IS NULL OR e.duration_ms BETWEEN 0 AND " + Integer.MAX_VALUE + ")"));
        Filter filter = rollup.where();
        if (filter != null) {
            if (!filter.eventTypes().isEmpty()) {
                conditions.add("e.event_type IN (" + literals(filter.eventTypes()) + ")");
            }
            filter.presentFields().forEach(field -> conditions.add("jsonb_typeof(" + json(field) + ") <> 'null'"));
        }
        if (withoutSome) {
            conditions.add("NOT EXISTS (SELECT FROM unnest(?::bigint[]) AS without (id) WHERE without.id = e.id)");
        }
        // The offset keeps PostgreSQL from reading the payload anew for each window and each use of a field.
        return "SELECT " + list(columns) + " FROM " + source.events() + " AS e"
                + (source.contentRequired() ? " JOIN " : " LEFT JOIN ") + source.contents() + " AS c ON "
                + source.join() + " WHERE " + String.join(" AND ", conditions) + " OFFSET 0";
    }

    private static String within(RollupWindows windows) {
        return "e.event_ts >= " + time(windows.fromMillis()) + " AND e.event_ts < " + time(windows.endMillis());
    }

    private static String time(long millis) {
        return "TIMESTAMPTZ '" + Instant.ofEpochMilli(millis) + "'";
    }

    private static String micros(String time) {
        return "(extract(epoch FROM " + time + ") * 1000000)::bigint";
    }

    private static String part(KeyPart part) {
        return switch (part.source()) {
            case EVENT_TYPE -> "coalesce(e.event_type, '')";
            case CONTENT_ID -> "e.content_id::text";
            case CONTENT_TYPE -> "coalesce(c.content_type, '')";
            case DEVICE -> "coalesce(e.device, '')";
            case PAYLOAD ->
                "CASE WHEN jsonb_typeof(" + json(field(part)) + ") IN ('object', 'array') THEN '' ELSE coalesce("
                        + jsonText(field(part)) + ", '') END";
            case WINDOW_SIZE -> throw new IllegalStateException("The window's size is no part of an event's key");
        };
    }

    private static String field(KeyPart part) {
        return Objects.requireNonNull(part.field(), part.column());
    }

    /** A field as a number; null unless it is one, or a string that is a plain one. */
    private static String number(String field) {
        String text = jsonText(field);
        return "CASE WHEN length(" + text + ") > " + MAX_NUMBER_LENGTH + " THEN NULL WHEN jsonb_typeof(" + json(field)
                + ") = 'number' OR jsonb_typeof(" + json(field) + ") = 'string' AND " + text
                + " ~ '^-?[0-9]+([.][0-9]+)?$' THEN " + text + "::numeric END";
    }

    private static String json(String field) {
        return "(e.raw_payload -> " + RollupTable.literal(field) + ")";
    }

    private static String jsonText(String field) {
        return "(e.raw_payload ->> " + RollupTable.literal(field) + ")";
    }

    // ---------------------------------------------------------------------------------------------- measures

    private String value(Measure measure) {
        return switch (measure.function()) {
            case COUNT -> "count(*)";
            case COUNT_IF -> "count(*)" + filter(measure);
            case SUM_SECONDS -> "trim_scale(coalesce(sum(duration_ms), 0) * 0.001)";
            case SUM -> "trim_scale(coalesce(sum(" + usable(measure) + "), 0))";
            case MIN -> "trim_scale(min(" + usable(measure) + "))";
            case MAX -> "trim_scale(max(" + usable(measure) + "))";
            case UNIQUE -> "count(DISTINCT user_id)";
            case UNIQUE_IF -> "count(DISTINCT user_id)" + filter(measure);
        };
    }

    private String usable(Measure measure) {
        return "n" + fields.indexOf(measure.field());
    }

    private static String filter(Measure measure) {
        return " FILTER (WHERE " + condition(Objects.requireNonNull(measure.condition())) + ")";
    }

    private static String condition(Condition condition) {
        if (condition instanceof Condition.EventTypeIn in) {
            return "event_type IN (" + literals(in.types()) + ")";
        }
        if (condition instanceof Condition.PctAtLeast atLeast) {
            // In whole numbers, as no division is exact.
            BigDecimal percent = atLeast.percent();
            BigInteger denominator = BigInteger.TEN.pow(percent.scale());
            return "length_seconds > 0 AND duration_ms::numeric * " + denominator
                    + " >= length_seconds::numeric * 10 * " + percent.unscaledValue();
        }
        throw new IllegalArgumentException("Unknown condition " + condition);
    }

    /** Of each measure that takes a field. */
    private String skipped() {
        String each = rollup.measures().stream()
                .filter(measure -> measure.field() != null)
                .map(measure -> "count(*) - count(" + usable(measure) + ")")
                .collect(Collectors.joining(" + "));
        return each.isEmpty() ? "0::bigint" : each;
    }

    // ---------------------------------------------------------------------------------------------- text

    private static List<String> names(String prefix, int number) {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < number; i++) {
            names.add(prefix + i);
        }
        return names;
    }

    private static String literals(Collection<String> texts) {
        return texts.stream().map(RollupTable::literal).collect(Collectors.joining(", "));
    }

    private static String list(List<String> parts) {
        return String.join(", ", parts);
    }
}
