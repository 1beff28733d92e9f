package dev.engagement.local;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.local.ShippedRollup.DependsOn;
import dev.engagement.local.ShippedRollup.Measure;
import dev.engagement.local.ShippedRollup.Part;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.Response;
import redis.clients.jedis.resps.Tuple;

/**
 * The rollups that come with the job against plain SQL: their tables, and what Redis shows of them. An oracle on purpose:
 * it shares no code with the job, neither definitions nor keys nor arithmetic.
 *
 * <p>Every row of a table is compared, and a row is due once the newest event has passed its window's end by the default
 * out-of-orderness. Every window is compared that Redis shows: closed ones are due for an hour, and of each key the newest
 * event is in one of them, which an open window's early value has to show. Early values and corrections come with a refresh
 * ({@code rollup.refresh}, 5 s); a difference that is gone at the next look is not one.
 *
 * <p>Numbers are equal. So are users, unless the row says that they are estimated: then they are within
 * {@value #STANDARD_ERRORS} standard errors of 1.6 %, and there are more than {@value #COUNTED_USERS} of them.
 *
 * <p>For a stream with the default options of rollups, and events that are committed within the allowed lateness of their
 * time. What depends on a content that had several types or lengths is not judged, as an event counts by the content as it
 * was. Not thread safe.
 */
public final class RollupCheck implements DestinationCheck {

    /** The default of {@code ranking.max-out-of-orderness}. */
    private static final Duration MAX_OUT_OF_ORDERNESS = Duration.ofSeconds(2);

    /** How long Redis shows a window, less time for the comparison itself. */
    private static final Duration SHOWN_FOR = Duration.ofMinutes(58);

    private static final int STANDARD_ERRORS = 5;
    private static final BigDecimal STANDARD_ERROR = new BigDecimal("0.016");
    /** So many users are always counted, one by one. */
    private static final int COUNTED_USERS = 1_000;

    private static final int MAX_DIFFERING = 1_000;

    private static final String NEWEST_EVENT = """
            SELECT coalesce(max((extract(epoch FROM e.event_ts) * 1000)::bigint), 0)
            FROM engagement_events e WHERE e.content_id IS NOT NULL AND %s""".formatted(KeyCheck.TIMELY);

    private final PostgresServer postgres;
    private final RedisServer redis;
    private final Function<UUID, List<ContentRow>> versions;
    private final Clock clock;
    private final ObjectMapper mapper = new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

    /**
     * A check of the tables in {@value PostgresServer#ANALYTICS} and of one Redis against the source tables, over
     * connections of its own for each comparison.
     *
     * @param postgres with {@link Schema}, and the other database beside it
     * @param redis with keys without a prefix
     * @param versions every version that a content had, as far as known; the present row counts without it
     */
    public RollupCheck(PostgresServer postgres, RedisServer redis, Function<UUID, List<ContentRow>> versions) {
        this(postgres, redis, versions, Clock.systemUTC());
    }

    /** @param clock that of Redis, within a second */
    RollupCheck(PostgresServer postgres, RedisServer redis, Function<UUID, List<ContentRow>> versions, Clock clock) {
        this.postgres = postgres;
        this.redis = redis;
        this.versions = versions;
        this.clock = clock;
    }

    @Override
    public String destination() {
        return "rollups";
    }

    /** By the one rollup of which every event is in exactly one window: closed ones by its table, open ones by Redis. */
    @Override
    public long arrived() throws SQLException, JsonProcessingException {
        ShippedRollup rollup = ShippedRollup.CATEGORY_ACTIVITY;
        Map<Cell, BigDecimal> events = new HashMap<>();
        // Redis first: a window that closes meanwhile is then in the table.
        try (Jedis jedis = redis.connect()) {
            for (List<Found> shown : shown(rollup, names(rollup, jedis), jedis).values()) {
                shown.forEach(each -> add(each, events));
            }
        }
        try (Connection analytics = postgres.connect(PostgresServer.ANALYTICS)) {
            rows(rollup, analytics).forEach(each -> add(each, events));
        }
        return events.values().stream().mapToLong(BigDecimal::longValue).sum();
    }

    private static void add(Found found, Map<Cell, BigDecimal> events) {
        BigDecimal count = found.values.get(0);
        if (count != null) {
            // The greater one is the later one.
            events.merge(found.cell, count, BigDecimal::max);
        }
    }

    @Override
    public List<Comparison> compare() throws SQLException, JsonProcessingException {
        List<Comparison> comparisons = new ArrayList<>();
        try (Connection source = postgres.connect();
                Connection analytics = postgres.connect(PostgresServer.ANALYTICS);
                Jedis jedis = redis.connect()) {
            Instant now = clock.instant();
            long closed = newestEvent(source) - MAX_OUT_OF_ORDERNESS.toMillis();
            Map<DependsOn, Set<UUID>> uncertain = uncertainContents(source);
            for (ShippedRollup rollup : ShippedRollup.values()) {
                Expected expected = expected(rollup, source, uncertain.getOrDefault(rollup.dependsOn(), Set.of()));
                comparisons.add(compareTable(rollup, expected, rows(rollup, analytics), closed));
                comparisons.add(compareShown(rollup, expected, jedis, closed, now));
            }
        }
        return comparisons;
    }

    // ------------------------------------------------------------------------------------------------- the source

    /** A window of a key; its start in milliseconds since the epoch. */
    private record Cell(long start, List<String> key) {
        String text() {
            return String.join("/", key) + " from " + Instant.ofEpochMilli(start);
        }
    }

    /** What SQL says of a cell. */
    private record Numbers(List<BigDecimal> values, long skipped, long newestMicros) {}

    /**
     * All cells of a rollup.
     *
     * @param windows those that nobody can judge, by their start
     * @param keys those that nobody can judge
     */
    private record Expected(Map<Cell, Numbers> cells, Set<Long> windows, Set<List<String>> keys) {
        boolean isJudged(Cell cell) {
            return !windows.contains(cell.start) && !keys.contains(cell.key);
        }
    }

    private static long newestEvent(Connection source) throws SQLException {
        try (Statement statement = source.createStatement();
                ResultSet row = statement.executeQuery(NEWEST_EVENT)) {
            row.next();
            return row.getLong(1);
        }
    }

    private static Expected expected(ShippedRollup rollup, Connection source, Set<UUID> uncertain) throws SQLException {
        Expected expected = new Expected(new LinkedHashMap<>(), new HashSet<>(), new HashSet<>());
        try (PreparedStatement statement = source.prepareStatement(rollup.cellsBySource())) {
            statement.setArray(1, source.createArrayOf("uuid", uncertain.toArray()));
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    Cell cell = new Cell(rows.getLong("start"), key(rollup, rows));
                    List<BigDecimal> values = new ArrayList<>();
                    for (Measure measure : rollup.measures()) {
                        values.add(rows.getBigDecimal(measure.column()).stripTrailingZeros());
                    }
                    expected.cells.put(cell, new Numbers(values, rows.getLong("skipped"), rows.getLong("newest")));
                    if (rows.getBoolean("uncertain")) {
                        if (rollup.dependsOn() == DependsOn.CONTENT_TYPE) {
                            // It may have counted under another key of that window.
                            expected.windows.add(cell.start);
                        } else {
                            expected.keys.add(cell.key);
                        }
                    }
                }
            }
        }
        return expected;
    }

    private static List<String> key(ShippedRollup rollup, ResultSet row) throws SQLException {
        List<String> key = new ArrayList<>();
        for (Part part : rollup.key()) {
            key.add(Objects.requireNonNullElse(row.getString(part.column()), "NULL"));
        }
        return key;
    }

    private Map<DependsOn, Set<UUID>> uncertainContents(Connection source) throws SQLException {
        Map<DependsOn, Set<UUID>> uncertain = new HashMap<>();
        try (Statement statement = source.createStatement();
                ResultSet rows = statement.executeQuery("SELECT id, content_type, length_seconds FROM content")) {
            while (rows.next()) {
                UUID content = rows.getObject(1, UUID.class);
                List<ContentRow> known = versions.apply(content);
                mark(
                        content,
                        DependsOn.CONTENT_TYPE,
                        rows.getString(2),
                        known.stream().map(ContentRow::contentType),
                        uncertain);
                mark(
                        content,
                        DependsOn.LENGTH,
                        rows.getObject(3, Integer.class),
                        known.stream().map(ContentRow::lengthSeconds),
                        uncertain);
            }
        }
        return uncertain;
    }

    private static void mark(
            UUID content,
            DependsOn what,
            @Nullable Object present,
            Stream<?> known,
            Map<DependsOn, Set<UUID>> uncertain) {
        if (known.anyMatch(version -> !Objects.equals(version, present))) {
            uncertain.computeIfAbsent(what, any -> new HashSet<>()).add(content);
        }
    }

    // ------------------------------------------------------------------------------------------------- what is found

    /**
     * A row, or a member of a sorted set.
     *
     * @param ends milliseconds since the epoch
     * @param exact null if it does not say
     * @param skipped null if it does not say
     */
    private record Found(
            Cell cell,
            long ends,
            List<@Nullable BigDecimal> values,
            @Nullable Boolean exact,
            @Nullable Long skipped) {}

    private static List<Found> rows(ShippedRollup rollup, Connection analytics) throws SQLException {
        List<Found> found = new ArrayList<>();
        try (Statement statement = analytics.createStatement();
                ResultSet rows = statement.executeQuery(rollup.rowsOfTable())) {
            while (rows.next()) {
                List<@Nullable BigDecimal> values = new ArrayList<>();
                for (Measure measure : rollup.measures()) {
                    values.add(rows.getBigDecimal(measure.column()));
                }
                found.add(new Found(
                        new Cell(rows.getLong("start"), key(rollup, rows)),
                        rows.getLong("ends"),
                        values,
                        rows.getObject("exact", Boolean.class),
                        rows.getLong("skipped")));
            }
        }
        return found;
    }

    /** The names of a rollup's sorted sets. */
    private static List<String> names(ShippedRollup rollup, Jedis jedis) {
        return KeyCheck.scan(jedis, rollup.shownAs()).stream()
                .filter(rest -> rest.endsWith(rollup.shownWith()))
                .map(rest -> rollup.shownAs() + rest)
                .toList();
    }

    /** The members of those sorted sets, by name. */
    private Map<String, List<Found>> shown(ShippedRollup rollup, List<String> names, Jedis jedis)
            throws JsonProcessingException {
        Map<String, List<Found>> shown = new LinkedHashMap<>();
        for (int from = 0; from < names.size(); from += KeyCheck.CHUNK) {
            List<String> chunk = names.subList(from, Math.min(names.size(), from + KeyCheck.CHUNK));
            Map<String, Response<List<Tuple>>> answers = new LinkedHashMap<>();
            try (Pipeline pipeline = jedis.pipelined()) {
                chunk.forEach(name -> answers.put(name, pipeline.zrangeWithScores(name, 0, -1)));
                pipeline.sync();
            }
            for (Map.Entry<String, Response<List<Tuple>>> answer : answers.entrySet()) {
                List<Found> members = new ArrayList<>();
                for (Tuple member : answer.getValue().get()) {
                    members.add(member(rollup, member));
                }
                shown.put(answer.getKey(), members);
            }
        }
        return shown;
    }

    private Found member(ShippedRollup rollup, Tuple member) throws JsonProcessingException {
        JsonNode json = mapper.readTree(member.getElement());
        List<@Nullable BigDecimal> values = new ArrayList<>();
        for (Measure measure : rollup.measures()) {
            JsonNode value = json.path(measure.column());
            values.add(value.isNumber() ? value.decimalValue() : null);
        }
        List<String> key = rollup.key().stream()
                .map(part -> json.path(part.column()).asText("NULL"))
                .toList();
        JsonNode exact = json.path("unique_users_exact");
        JsonNode ends = json.path("window_end");
        return new Found(
                new Cell(json.path("window_start").asLong(), key),
                // Where it stands and what it says are one thing.
                ends.isNumber() && ends.asLong() == member.getScore() ? ends.asLong() : Long.MIN_VALUE,
                values,
                exact.isBoolean() ? exact.booleanValue() : null,
                null);
    }

    /** What a sorted set is called: a part of the key is written as in a URL where it would not be told apart. */
    private static String name(ShippedRollup rollup, List<String> key) {
        return rollup.shownAs()
                + key.stream().map(RollupCheck::escaped).collect(Collectors.joining(":"))
                + rollup.shownWith();
    }

    private static String escaped(String part) {
        StringBuilder escaped = new StringBuilder();
        for (char c : part.toCharArray()) {
            if (c < 0x20 || "%:{}\177".indexOf(c) >= 0) {
                escaped.append(String.format(Locale.ROOT, "%%%02X", (int) c));
            } else {
                escaped.append(c);
            }
        }
        return escaped.toString();
    }

    // ------------------------------------------------------------------------------------------------- comparisons

    /** What differs, and how many do not. */
    private static final class Tally {
        private final List<String> differing = new ArrayList<>();
        private long equal;

        void differs(String what) {
            if (differing.size() < MAX_DIFFERING) {
                differing.add(what);
            }
        }

        Comparison comparison(String what, long due) {
            return new Comparison(what, Long.toString(due), Long.toString(equal), differing);
        }
    }

    /** @param closed windows that end by then are there, milliseconds since the epoch */
    private static Comparison compareTable(ShippedRollup rollup, Expected expected, List<Found> rows, long closed) {
        Set<Cell> due = due(rollup, expected, 0, closed);
        Set<Cell> missing = new HashSet<>(due);
        Tally tally = new Tally();
        Set<Cell> seen = new HashSet<>();
        for (Found row : rows) {
            if (!expected.isJudged(row.cell)) {
                continue;
            }
            missing.remove(row.cell);
            String difference = seen.add(row.cell)
                    ? difference(rollup, expected.cells.get(row.cell), row)
                    : "it stands there twice";
            if (difference != null) {
                tally.differs(row.cell.text() + ": " + difference);
            } else if (due.contains(row.cell)) {
                tally.equal++;
            }
        }
        missing.forEach(cell -> tally.differs(cell.text() + ": the row is missing"));
        return tally.comparison("closed windows (" + rollup.table() + ")", due.size());
    }

    private static Set<Cell> due(ShippedRollup rollup, Expected expected, long after, long closed) {
        return expected.cells.keySet().stream()
                .filter(expected::isJudged)
                .filter(cell ->
                        cell.start + rollup.windowMillis() > after && cell.start + rollup.windowMillis() <= closed)
                .collect(Collectors.toSet());
    }

    private Comparison compareShown(ShippedRollup rollup, Expected expected, Jedis jedis, long closed, Instant now)
            throws JsonProcessingException {
        long after = now.minus(SHOWN_FOR).toEpochMilli();
        Set<Cell> due = due(rollup, expected, after, closed);
        Map<List<String>, Long> newest = newest(expected, after);
        Set<String> names = new HashSet<>(names(rollup, jedis));
        newest.keySet().forEach(key -> names.add(name(rollup, key)));
        due.forEach(cell -> names.add(name(rollup, cell.key)));

        Set<Cell> missing = new HashSet<>(due);
        Map<List<String>, Long> uncovered = new HashMap<>(newest);
        Tally tally = new Tally();
        for (Map.Entry<String, List<Found>> set :
                shown(rollup, List.copyOf(names), jedis).entrySet()) {
            Set<Cell> seen = new HashSet<>();
            for (Found member : set.getValue()) {
                if (member.ends != Long.MIN_VALUE && member.ends <= after || !expected.isJudged(member.cell)) {
                    continue;
                }
                String difference = !set.getKey().equals(name(rollup, member.cell.key))
                        ? "it stands in " + set.getKey()
                        : seen.add(member.cell)
                                ? difference(rollup, expected.cells.get(member.cell), member)
                                : "it stands there twice";
                missing.remove(member.cell);
                if (difference != null) {
                    tally.differs(member.cell.text() + ": " + difference);
                } else if (due.contains(member.cell)) {
                    tally.equal++;
                }
                Long last = uncovered.get(member.cell.key);
                if (last != null && member.cell.start * 1_000 <= last && member.ends * 1_000 > last) {
                    uncovered.remove(member.cell.key);
                }
            }
        }
        tally.equal += newest.size() - uncovered.size();
        missing.forEach(cell -> tally.differs(cell.text() + ": " + name(rollup, cell.key) + " does not show it"));
        uncovered.forEach((key, last) -> tally.differs(String.join("/", key) + ": its newest event, of "
                + Instant.ofEpochMilli(last / 1_000) + ", is in no window of " + name(rollup, key)));
        return tally.comparison(
                "windows shown, and newest events in one (" + rollup.shownAs() + "…" + rollup.shownWith() + ")",
                due.size() + newest.size());
    }

    /** Microseconds of the newest event of each key that has one since then. */
    private static Map<List<String>, Long> newest(Expected expected, long afterMillis) {
        Map<List<String>, Long> newest = new HashMap<>();
        expected.cells.forEach((cell, numbers) -> {
            if (expected.isJudged(cell) && numbers.newestMicros > afterMillis * 1_000) {
                newest.merge(cell.key, numbers.newestMicros, Math::max);
            }
        });
        return newest;
    }

    /** What is wrong with it, or null. */
    private static @Nullable String difference(ShippedRollup rollup, @Nullable Numbers expected, Found found) {
        if (expected == null) {
            return "no event of that key is in that window";
        }
        List<String> differences = new ArrayList<>();
        if (found.ends != found.cell.start + rollup.windowMillis()) {
            differences.add(
                    found.ends == Long.MIN_VALUE
                            ? "window_end is not its score"
                            : "window_end is " + Instant.ofEpochMilli(found.ends));
        }
        boolean isEstimate = Boolean.FALSE.equals(found.exact);
        boolean mayBeEstimate = false;
        for (int i = 0; i < expected.values.size(); i++) {
            Measure measure = rollup.measures().get(i);
            BigDecimal wanted = expected.values.get(i);
            BigDecimal actual = found.values.get(i);
            mayBeEstimate |= measure.isUsers() && wanted.intValue() > COUNTED_USERS;
            if (actual == null || !isEqual(wanted, actual, measure.isUsers() && isEstimate)) {
                differences.add(measure.column() + " is " + wanted.toPlainString() + " by SQL and "
                        + (actual == null ? "nothing" : actual.toPlainString()) + " here");
            }
        }
        if (rollup.countsUsers() && found.exact == null) {
            differences.add("it does not say whether users are counted or estimated");
        }
        if (isEstimate && !mayBeEstimate) {
            differences.add("users are estimated, with no more than " + COUNTED_USERS + " of them");
        }
        if (found.skipped != null && found.skipped != expected.skipped) {
            differences.add("skipped is " + expected.skipped + " by SQL and " + found.skipped + " here");
        }
        return differences.isEmpty() ? null : String.join("; ", differences);
    }

    private static boolean isEqual(BigDecimal wanted, BigDecimal actual, boolean isEstimate) {
        BigDecimal tolerance = isEstimate
                ? wanted.multiply(STANDARD_ERROR).multiply(BigDecimal.valueOf(STANDARD_ERRORS))
                : BigDecimal.ZERO;
        return wanted.subtract(actual).abs().compareTo(tolerance) <= 0;
    }
}
