package dev.engagement.api.definition;

import static dev.engagement.api.definition.Fields.answer;
import static dev.engagement.api.definition.Fields.anything;
import static dev.engagement.api.definition.Fields.bool;
import static dev.engagement.api.definition.Fields.decimal;
import static dev.engagement.api.definition.Fields.instant;
import static dev.engagement.api.definition.Fields.integer;
import static dev.engagement.api.definition.Fields.list;
import static dev.engagement.api.definition.Fields.millis;
import static dev.engagement.api.definition.Fields.nullable;
import static dev.engagement.api.definition.Fields.object;
import static dev.engagement.api.definition.Fields.text;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Every operation of the API with its parameters and the fields of its answer. The one place where they are written
 * down: requests are checked by it, and the OpenAPI document, the documentation page, the GraphQL schema and the page's
 * tooltips are made of it. Fields are added and never renamed. Immutable.
 */
public final class ApiDefinition {

    /** Most entries of an answer about now, and of a leaderboard. */
    public static final long MAX_ENTRIES = 100;

    /** Most entries of an answer about the past. */
    public static final long MAX_HISTORY_ENTRIES = 1_000;

    /** Longest {@code Idempotency-Key} and {@code event_key}, bytes of UTF-8. */
    public static final int MAX_KEY_BYTES = 256;

    /** Of three parts of a key, each of 512 bytes as the job bounds them, in Base64, behind a moment. */
    private static final long MAX_CURSOR_BYTES = 2_100;

    /** Of three such parts in which every byte is written as in a URL. */
    private static final long MAX_ROLLUP_KEY_BYTES = 3 * 3 * 512 + 2;

    private static final String GET = "GET";
    private static final String POST = "POST";

    private static final String EVENT_TYPE_EXAMPLES = "play, pause, finish, click, or whatever the source has.";

    private static final ApiDefinition THE_ONE = new ApiDefinition(List.of(
            realtime(),
            history(),
            leaderboard(),
            content(),
            rollups(),
            rollup(),
            event(),
            stats(),
            track(),
            live(),
            liveMetrics(),
            graphql()));

    private final Map<String, Operation> operations = new LinkedHashMap<>();

    private ApiDefinition(List<Operation> operations) {
        for (Operation operation : operations) {
            if (this.operations.put(operation.id(), operation) != null) {
                throw new IllegalArgumentException("Two operations are called " + operation.id());
            }
        }
    }

    /** What this API is. */
    public static ApiDefinition get() {
        return THE_ONE;
    }

    /** All operations, in the order in which they are documented. */
    public List<Operation> operations() {
        return List.copyOf(operations.values());
    }

    /**
     * One operation.
     *
     * @throws IllegalArgumentException if there is none of that id
     */
    public Operation operation(String id) {
        Operation operation = operations.get(id);
        if (operation == null) {
            throw new IllegalArgumentException("There is no operation " + id + ", only " + operations.keySet());
        }
        return operation;
    }

    /** The operations that answer one document about what is stored: what GraphQL can ask for. */
    public List<Operation> reads() {
        return operations.values().stream()
                .filter(operation ->
                        operation.method().equals(GET) && !operation.id().equals("live"))
                .toList();
    }

    /** What stands in the body of a request, or null if it has none. */
    public @Nullable Field body(String operationId) {
        return switch (operationId) {
            case "track" -> trackedEvent();
            case "graphql" -> graphqlRequest();
            default -> null;
        };
    }

    // -------------------------------------------------------------------------------------------------------- metrics

    private static Operation realtime() {
        return new Operation(
                "realtime",
                GET,
                List.of("/metrics/realtime", "/metrics", "/metrics/metrics"),
                "The newest windows of an event type",
                "Events, their value and their users by window, newest first, out of the live view. The first window"
                        + " may still be open. What was never seen is answered with no entries, and no error.",
                List.of(eventType(), windowSize(), limit(MAX_ENTRIES, "10", "How many windows at most.")),
                answer("The newest windows, newest first.", windows()),
                false,
                "/metrics/realtime?event_type=click&window_size=30s&limit=10");
    }

    private static Operation history() {
        return new Operation(
                "history",
                GET,
                List.of("/metrics/history"),
                "Windows of an event type in a range of time",
                "The same form as of the newest windows, out of PostgreSQL: windows that have ended, newest first,"
                        + " for as long as their rollup is kept. next_cursor leads to those before.",
                List.of(
                        eventType(),
                        windowSize(),
                        startTime(),
                        endTime(),
                        limit(MAX_HISTORY_ENTRIES, "100", "How many windows at most."),
                        cursor()),
                answer("Windows of the range, newest first.", with(windows(), nextCursor())),
                false,
                "/metrics/history?event_type=click&window_size=30s&start_time=2026-01-08T09:00:00Z"
                        + "&end_time=2026-01-08T10:00:00Z&limit=100");
    }

    private static Field[] windows() {
        return new Field[] {
            text("event_type", "The event type that was asked for."),
            text("window_size", "The length of each window, such as 30s."),
            list(
                    "entries",
                    "The windows, newest first.",
                    windowStart(),
                    integer("count", "Events in the window."),
                    decimal("total_value", "Sum of their values; what has none adds nothing."),
                    integer("unique_users", "Different users in the window. Those of two windows do not add up."))
        };
    }

    // ------------------------------------------------------------------------------------------- contents and boards

    private static Operation leaderboard() {
        return new Operation(
                "leaderboard",
                GET,
                List.of("/leaderboard"),
                "The contents that lead",
                "By events or by seconds of engagement, each over ten minutes of event time; or by what is trending:"
                        + " above the content's own usual. Of what is usual some minutes have to be known before these"
                        + " ten, so after a first start nothing is trending for a quarter of an hour.",
                List.of(
                        choice(
                                "by",
                                "events",
                                List.of("events", "seconds", "trending"),
                                "What the places are by: number of events, seconds of engagement, or how far above"
                                        + " its own usual a content is."),
                        limit(MAX_ENTRIES, "10", "How many places at most."),
                        optional(
                                "type",
                                64L,
                                "Only contents of this type, such as video. Places are counted among them.")),
                answer(
                        "The places, the first one first.",
                        text("by", "What the places are by."),
                        nullable(text("type", "The type of content that was asked for; null for all.")),
                        list(
                                "places",
                                "The places.",
                                integer("place", "From 1."),
                                contentId(),
                                title(),
                                contentType(),
                                decimal(
                                        "score",
                                        "By events, how many; by seconds, how many; if trending, how many times its"
                                                + " usual."),
                                nullable(decimal(
                                        "usual",
                                        "Events in ten minutes that are usual for this content: of the last hour,"
                                                + " and of the same time yesterday and a week ago where history has"
                                                + " it.")),
                                nullable(integer(
                                        "change_minute",
                                        "Places won against a minute ago, negative if lost; null if it had none,"
                                                + " left out where nobody knows how the board was.")),
                                nullable(integer(
                                        "change_hour",
                                        "Places won against an hour ago, negative if lost; null if it had none, left"
                                                + " out where nobody knows how the board was.")))),
                false,
                "/leaderboard?by=trending&limit=5");
    }

    private static Operation content() {
        return new Operation(
                "content",
                GET,
                List.of("/content/{id}"),
                "One content",
                "What it is, its last event, how many events it has, who is there now, the minutes of its last hour,"
                        + " and how far people get. What is not known of it is null.",
                List.of(path("id", ParameterType.TEXT, null, "The content's id.")),
                answer(
                        "The content.",
                        contentId(),
                        nullable(text("slug", "Its name in addresses.")),
                        title(),
                        contentType(),
                        lengthSeconds(),
                        publishTs(),
                        nullable(object("last_event", "Its last event, enriched.", enriched())),
                        nullable(integer("count", "Different events that it has ever had.")),
                        nullable(object(
                                "audience",
                                "Who was there in the newest five minutes.",
                                windowStart(),
                                windowEnd(),
                                integer("active_users", "Different users."),
                                nullable(decimal("seconds", "Seconds that they spent.")),
                                usersExact())),
                        list(
                                "minutes",
                                "The minutes of the last hour that have events, oldest first.",
                                millis("minute", "Its first moment."),
                                integer("count", "Events in it.")),
                        nullable(object(
                                "completion",
                                "How far people got in the newest hour that is known, users each.",
                                windowStart(),
                                windowEnd(),
                                integer("started", "Who started."),
                                integer("reached_25", "Who got through 25 percent."),
                                integer("reached_50", "Who got through 50 percent."),
                                integer("reached_75", "Who got through 75 percent."),
                                integer("finished", "Who finished."),
                                usersExact()))),
                false,
                "/content/7c9e6679-7425-40de-944b-e07fc1f90ae7");
    }

    private static Operation event() {
        return new Operation(
                "event",
                GET,
                List.of("/events/{id}"),
                "One event",
                "The enriched event, for an hour after it came, out of the event cache; afterwards out of the"
                        + " warehouse, if that is asked for.",
                List.of(
                        path("id", ParameterType.INTEGER, 0L, "The event's id."),
                        choice(
                                "fallback",
                                "none",
                                List.of("none", "warehouse"),
                                "Where to look if the cache does not have it. The warehouse is slower, and is refused"
                                        + " where none is set (warehouse.project).")),
                answer("The event, enriched.", enriched().toArray(new Field[0])),
                false,
                "/events/4711");
    }

    /** As {@code event.EventJson} writes it. */
    private static List<Field> enriched() {
        return List.of(
                integer("event_id", "The event's id."),
                nullable(text("content_id", "The content's id; null if the event has no content.")),
                nullable(text("user_id", "Whose event it is.")),
                nullable(text("event_type", "What happened: " + EVENT_TYPE_EXAMPLES)),
                instant("event_ts", "When it happened."),
                nullable(integer("duration_ms", "How long it took, milliseconds.")),
                nullable(text("device", "The device it happened on.")),
                nullable(anything("raw_payload", "What else its source says of it: any JSON value.")),
                nullable(text("slug", "The content's name in addresses.")),
                title(),
                contentType(),
                lengthSeconds(),
                publishTs(),
                nullable(decimal("engagement_seconds", "duration_ms in seconds.")),
                nullable(decimal("engagement_pct", "engagement_seconds of the content's length, percent.")));
    }

    // -------------------------------------------------------------------------------------------------------- rollups

    private static Operation rollups() {
        return new Operation(
                "rollups",
                GET,
                List.of("/rollups"),
                "Which rollups there are",
                "Every rollup of the configuration: what it counts, by what, in which windows.",
                List.of(),
                answer(
                        "The rollups, in the configuration's order.",
                        list(
                                "rollups",
                                "One for each.",
                                text("name", "Its name."),
                                text("table", "Its table in PostgreSQL."),
                                list("by", "The parts of its key, in order.", text("", "A column.")),
                                text("window_size", "The length of its windows, such as 30s."),
                                integer("window_ms", "The same in milliseconds."),
                                integer("slide_ms", "From the start of a window to the next, milliseconds."),
                                list("measures", "Its numbers.", text("", "A column.")),
                                bool("live", "Whether the live view shows the windows of the last hour."))),
                false,
                "/rollups");
    }

    private static Operation rollup() {
        return new Operation(
                "rollup",
                GET,
                List.of("/rollups/{name}"),
                "Windows of a rollup",
                "Windows by key and range, newest first. With a key and no range out of the live view, the open one"
                        + " among them; otherwise out of PostgreSQL, those that have ended.",
                List.of(
                        path("name", ParameterType.TEXT, null, "The rollup's name, as /rollups says."),
                        optional(
                                "key",
                                MAX_ROLLUP_KEY_BYTES,
                                "The parts of the key in the order of by, with a colon between them; a colon or a"
                                        + " percent sign in a part is written %3A or %25. Without it, all keys."),
                        startTime(),
                        endTime(),
                        limit(MAX_HISTORY_ENTRIES, "100", "How many windows at most."),
                        cursor()),
                answer(
                        "The windows, newest first.",
                        text("rollup", "The rollup's name."),
                        text("window_size", "The length of its windows, such as 30s."),
                        list(
                                "entries",
                                "Each an object: window_start and window_end in milliseconds since the epoch, the"
                                        + " parts of the key and the measures under their columns' names,"
                                        + " unique_users_exact where users are counted.",
                                anything("", "A window.")),
                        nextCursor()),
                false,
                "/rollups/hourly?key=video:web&limit=24");
    }

    // ------------------------------------------------------------------------------------------------------- pipeline

    private static Operation stats() {
        return new Operation(
                "stats",
                GET,
                List.of("/stats"),
                "How the pipeline is",
                "How old what is shown is, what waits, what was refused, whether the receiver takes events, what the"
                        + " last audit found. What nobody knows is null.",
                List.of(),
                answer(
                        "The pipeline's own health.",
                        nullable(integer(
                                "freshness_ms",
                                "From an event's commit in PostgreSQL until it was visible here, milliseconds, at"
                                        + " most; of the newest event that was measured, and longer while one is"
                                        + " waited for. Without the source's address the age of the newest"
                                        + " leaderboard.")),
                        nullable(integer(
                                "lag",
                                "Events committed to PostgreSQL behind the newest one that shows here; 100 is 100 or"
                                        + " more. Null without the source's address.")),
                        nullable(anything(
                                "dead_letters",
                                "An object: by reason, how many dead letters the running jobs have written since"
                                        + " they were last started or restored. Null without flink.rest, and while"
                                        + " Flink does not answer or no job runs.")),
                        nullable(text(
                                "circuit",
                                "Whether the receiver takes events: closed if it does, open, half_open. Null as"
                                        + " dead_letters is, and without the destination delivery.")),
                        nullable(object(
                                "last_audit",
                                "What the last comparison of the stores found. Null without api.audit-report, and"
                                        + " before the first report.",
                                nullable(instant("at", "When its report was written.")),
                                nullable(integer("differences", "What was missing, too much or different."))))),
                false,
                "/stats");
    }

    // -------------------------------------------------------------------------------------------------------- writing

    private static Operation track() {
        return new Operation(
                "track",
                POST,
                List.of("/track"),
                "Send events",
                "One event, an array of them, or one a line (NDJSON). Answered with 202 once all are committed to"
                        + " PostgreSQL, all or none. Sent again with the same Idempotency-Key, or an event with the"
                        + " same event_key, inserts nothing and is answered with the same ids. 503: PostgreSQL does"
                        + " not answer, or there is no room. As a rule nothing was written then; of a commit whose"
                        + " answer was lost nobody knows. Send it again after Retry-After, with the same key: it is"
                        + " then written once. Without a key it may be written twice.",
                List.of(),
                object(
                        "",
                        "What was committed.",
                        list("ids", "The ids, in the order of the events.", integer("", "An event's id.")),
                        bool("repeated", "Whether this is the answer of an earlier request with the same key.")),
                true,
                "/track");
    }

    private static Field trackedEvent() {
        return object(
                "",
                "An event.",
                text("content_id", "The content's id, a UUID."),
                text("user_id", "Whose event it is, a UUID."),
                text("event_type", "What happened: play, pause, finish or click."),
                nullable(instant("event_ts", "When it happened, ISO-8601 with its zone; left out: now.")),
                nullable(integer("duration_ms", "How long it took, milliseconds, not negative.")),
                nullable(text("device", "The device it happened on.")),
                nullable(anything("payload", "What else there is to say: any JSON value.")),
                nullable(text(
                        "event_key",
                        "A name of your own for this event, up to " + MAX_KEY_BYTES
                                + " bytes: an event with a name that was there before is not inserted again.")));
    }

    // -------------------------------------------------------------------------------------------------------- streams

    private static Operation live() {
        return new Operation(
                "live",
                GET,
                List.of("/live"),
                "Changes as they happen: server-sent events",
                "A snapshot, then each change: messages snapshot, metric, leaderboard and heartbeat, each with an"
                        + " id. Who comes back with the last id (browsers do so by themselves) goes on. Who reads"
                        + " slowly gets the newest of each window, and not every step.",
                streamParameters(),
                changedWindow(),
                false,
                "/live?types=click,play");
    }

    private static Operation liveMetrics() {
        return new Operation(
                "live-metrics",
                Operation.WEB_SOCKET,
                List.of("/live-metrics"),
                "Changes as they happen: WebSocket",
                "The same as the server-sent events. A changed window is the object below, as it is. A connection"
                        + " from another origin is refused.",
                streamParameters(),
                changedWindow(),
                false,
                "/live-metrics?types=click,play");
    }

    private static List<Parameter> streamParameters() {
        return List.of(
                optional("types", 512L, "Only windows of these event types, commas between them; without it, all."),
                optional("last_event_id", 128L, "The id of the last message that came, to go on behind it."));
    }

    private static Field changedWindow() {
        return object(
                "",
                "A window that has changed.",
                windowStart(),
                windowEnd(),
                integer("count", "Events in the window so far."),
                decimal("total_value", "Sum of their values."),
                integer("unique_users", "Different users in the window."),
                text("event_type", "What happened: " + EVENT_TYPE_EXAMPLES),
                text("window_size", "The length of the window, such as 30s."));
    }

    // -------------------------------------------------------------------------------------------------------- GraphQL

    private static Operation graphql() {
        return new Operation(
                "graphql",
                POST,
                List.of("/graphql"),
                "All reads, in GraphQL",
                "Each read above is a field of Query, its parameters are arguments, its answer's fields are fields."
                        + " Introspection is on. A query may ask for " + GraphQl.MAX_READS + " reads, "
                        + GraphQl.MAX_ALIASES + " aliases, " + GraphQl.MAX_DEPTH + " levels and a cost of "
                        + GraphQl.MAX_COST + ": a read costs " + GraphQl.READ_COST
                        + ", each field of it 1, and those of a list as often as the read's limit says.",
                List.of(),
                object(
                        "",
                        "What was asked for, and what went wrong.",
                        nullable(anything("data", "As the query asks.")),
                        nullable(list(
                                "errors",
                                "What went wrong; a read that failed is null in data, and the others are there.",
                                text("message", "What is wrong, and what to do."),
                                nullable(anything("locations", "Where in the query.")),
                                nullable(anything("path", "Where in data.")),
                                nullable(anything("extensions", "classification: what kind of error it is."))))),
                false,
                "/graphql");
    }

    private static Field graphqlRequest() {
        return object(
                "",
                "A query.",
                text("query", "The query, in GraphQL."),
                nullable(anything("variables", "An object: the values of its variables.")),
                nullable(text("operationName", "Which operation of the query, if it has several.")));
    }

    // ------------------------------------------------------------------------------------------ what several have

    private static Parameter eventType() {
        return new Parameter(
                "event_type",
                false,
                ParameterType.TEXT,
                true,
                null,
                List.of(),
                null,
                null,
                "What happened: " + EVENT_TYPE_EXAMPLES);
    }

    private static Parameter windowSize() {
        return new Parameter(
                "window_size",
                false,
                ParameterType.TEXT,
                false,
                "30s",
                List.of(),
                null,
                16L,
                "The length of the windows, such as 30s, 5m, 1h: of a rollup by event type and window size.");
    }

    private static Parameter startTime() {
        return moment("start_time", "Only windows that begin at this moment or later.");
    }

    private static Parameter endTime() {
        return moment("end_time", "Only windows that begin before this moment; without it, up to now.");
    }

    private static Parameter moment(String name, String description) {
        return new Parameter(
                name,
                false,
                ParameterType.INSTANT,
                false,
                null,
                List.of(),
                null,
                null,
                description + " ISO-8601 with its zone, or milliseconds since the epoch.");
    }

    private static Parameter limit(long max, String byDefault, String description) {
        return new Parameter("limit", false, ParameterType.INTEGER, false, byDefault, List.of(), 1L, max, description);
    }

    private static Parameter cursor() {
        return optional(
                "cursor",
                MAX_CURSOR_BYTES,
                "next_cursor of the answer before, with the other parameters as they were.");
    }

    private static Parameter optional(String name, long maxBytes, String description) {
        return new Parameter(name, false, ParameterType.TEXT, false, null, List.of(), null, maxBytes, description);
    }

    private static Parameter choice(String name, String byDefault, List<String> choices, String description) {
        return new Parameter(name, false, ParameterType.CHOICE, false, byDefault, choices, null, null, description);
    }

    private static Parameter path(String name, ParameterType type, @Nullable Long min, String description) {
        return new Parameter(name, true, type, true, null, List.of(), min, null, description);
    }

    private static Field windowStart() {
        return millis("window_start", "The window's first moment.");
    }

    private static Field windowEnd() {
        return millis("window_end", "The first moment behind the window.");
    }

    private static Field usersExact() {
        return bool("unique_users_exact", "Whether the users were counted, as against estimated.");
    }

    private static Field contentId() {
        return text("content_id", "The content's id.");
    }

    private static Field title() {
        return nullable(text("title", "The content's title, as text and no markup."));
    }

    private static Field contentType() {
        return nullable(text("content_type", "The content's type: podcast, newsletter, video."));
    }

    private static Field lengthSeconds() {
        return nullable(integer("length_seconds", "The content's length, seconds."));
    }

    private static Field publishTs() {
        return nullable(instant("publish_ts", "When the content was published."));
    }

    private static Field nextCursor() {
        return nullable(text("next_cursor", "For parameter cursor: what comes next; null if this was the last of it."));
    }

    private static Field[] with(Field[] fields, Field last) {
        Field[] all = Arrays.copyOf(fields, fields.length + 1);
        all[fields.length] = last;
        return all;
    }
}
