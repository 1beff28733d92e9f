package dev.engagement.api;

import dev.engagement.rollup.definition.RollupDefinitions;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Every option of the API. {@code engagement-api-reference.properties} is what stands here, as a file; a test keeps the
 * two equal. Options that the job has as well are called as there.
 */
final class ApiKeys {

    private static final List<ApiKey<?>> DECLARED = new ArrayList<>();

    /** Titles of the reference file, by the number of keys before each. */
    private static final Map<Integer, String> SECTIONS = new LinkedHashMap<>();

    private ApiKeys() {}

    private static void section(String title) {
        SECTIONS.put(DECLARED.size(), title);
    }

    private static <T> ApiKey<T> declared(
            String name,
            ApiKeyType<T> type,
            ApiKey.Kind kind,
            @Nullable String defaultText,
            String description,
            String explanation) {
        ApiKey<T> key = new ApiKey<>(name, type, kind, defaultText, description, explanation);
        DECLARED.add(key);
        return key;
    }

    private static <T> ApiKey<T> value(
            String name, ApiKeyType<T> type, @Nullable String defaultText, String description, String explanation) {
        return declared(name, type, ApiKey.Kind.VALUE, defaultText, description, explanation);
    }

    private static ApiKey<String> secret(String name, String description, String explanation) {
        return declared(name, ApiKeyType.TEXT, ApiKey.Kind.SECRET, null, description, explanation);
    }

    private static ApiKey<String> fileOf(ApiKey<String> secret) {
        return value(
                secret.name() + ApiKey.SECRET_FILE,
                ApiKeyType.PATH,
                null,
                "file with that secret, read where the API runs",
                """
                File with it. Path; one trailing line end is left off. Instead of the variable above, not beside it.
                """);
    }

    static {
        section("The API");
    }

    static final ApiKey<String> CONFIG = declared(
            "config", ApiKeyType.PATH, ApiKey.Kind.FILE, null, "file with options, KEY=VALUE a line, UTF-8", """
            Path of the file with options. ENGAGEMENT_CONFIG does the same. It may be the file of the job: what is the
            job's alone is passed over, and the job passes over what begins with api.
            """);

    static final ApiKey<String> ADDRESS =
            value("api.address", ApiKeyType.LISTEN_ADDRESS, "127.0.0.1", "address that it listens on", """
            Address of the interface that it listens on. Address or name of this machine; 0.0.0.0 for all. Whatever
            others can reach is refused as long as reading, sending or the API's numbers need no token. It speaks
            plain HTTP: before other machines belongs a proxy with TLS.
            """);

    static final ApiKey<Integer> PORT =
            value("api.port", ApiKeyType.integer(0, 65_535), "8088", "port that it listens on", """
            Port that it listens on. Number, 0 to 65535; 0 takes a free one, and the first line of its output says
            which.
            Too low: below 1024 an ordinary user may not listen. Too high: from 32768 on some other program's
            connection may have taken it.
            """);

    static {
        section("Who may ask");
    }

    static final ApiKey<String> TOKEN = secret("api.token", "token that allows everything", """
            Token that allows everything: the page, reading, sending events, the API's numbers. 16 to 512 characters
            of ASCII without spaces; openssl rand -hex 32 makes one. Programs send it as Authorization: Bearer TOKEN,
            a browser logs in with it. Without any token everybody on this machine may do everything.
            """);

    static final ApiKey<String> TOKEN_FILE = fileOf(TOKEN);

    static final ApiKey<String> READ_TOKEN = secret("api.read-token", "token that allows reading, and the page", """
            Token that allows reading, and the page, and nothing else. As the one above.
            """);

    static final ApiKey<String> READ_TOKEN_FILE = fileOf(READ_TOKEN);

    static final ApiKey<String> WRITE_TOKEN = secret("api.write-token", "token that allows sending events", """
            Token that allows sending events, and nothing else. As the one above.
            """);

    static final ApiKey<String> WRITE_TOKEN_FILE = fileOf(WRITE_TOKEN);

    static final ApiKey<String> METRICS_TOKEN = secret("api.metrics-token", "token that allows /prometheus", """
            Token that allows /prometheus, and nothing else. As the one above.
            """);

    static final ApiKey<String> METRICS_TOKEN_FILE = fileOf(METRICS_TOKEN);

    static final ApiKey<Set<String>> ALLOWED_HOSTS = value(
            "api.allowed-hosts",
            ApiKeyType.HOSTS,
            "",
            "further names that it may be asked by while there is no token",
            """
            Names that it may be asked by, beside localhost and its like, as long as something needs no token. List of
            hosts, comma separated, without ports. A page of another site could otherwise let its own name lead to
            this machine, and read what is here.
            """);

    static final ApiKey<Set<String>> ALLOWED_ORIGINS = value(
            "api.allowed-origins",
            ApiKeyType.ORIGINS,
            "",
            "further origins whose pages may send, and open WebSockets",
            """
            Origins whose pages may send something, log in or open a WebSocket, beside the server's own. List, comma
            separated, such as https://metrics.example.com. Needed behind a proxy that changes the header Host. No
            page of another origin can read an answer, whatever stands here.
            """);

    static {
        section("How much it takes");
    }

    static final ApiKey<Integer> READ_RATE =
            value("api.read-rate", ApiKeyType.integer(1, 1_000_000), "1000", "requests a second of one address", """
            Requests a second of one address that are answered, over ten seconds. Number, 1 to 1000000. Of IPv6 the
            addresses of one network count as one; behind a proxy all clients do. The headers RateLimit-Policy and
            RateLimit say what is left, and what is beyond gets 429 with Retry-After.
            Too low: the page, which asks a few times a second, is refused. Too high: one address can take all there
            is.
            """);

    static final ApiKey<Integer> WRITE_RATE = value(
            "api.write-rate",
            ApiKeyType.integer(1, 1_000_000),
            "10000",
            "requests a second of one address that write",
            """
            The same of requests that write. Number, 1 to 1000000. Of a batch it is one, however many events are in
            it.
            Too low: producers wait. Too high: one producer can fill the database.
            """);

    static final ApiKey<Integer> MAX_CONNECTIONS =
            value("api.max-connections", ApiKeyType.integer(10, 100_000), "4000", "open connections", """
            Open connections; more wait to be accepted. Number, 10 to 100000.
            Too low: clients wait. Too high: the process runs out of file descriptors (ulimit -n).
            """);

    static final ApiKey<Integer> THREADS =
            value("api.threads", ApiKeyType.integer(8, 1_000), "64", "threads that answer requests", """
            Threads that answer requests. Number, 8 to 1000. A live client takes none.
            Too low: while a store is slow, requests that need it hold up all others. Too high: memory, and more
            requests at the stores' connections than these answer.
            """);

    static final ApiKey<Integer> MAX_HEADER_BYTES =
            value("api.max-header-bytes", ApiKeyType.size("4 kb", "64 kb"), "16 kb", "request line and headers", """
            Request line and headers of a request together. Size, 4 kb to 64 kb; what is larger gets 431.
            Too low: browsers with many cookies of this host are refused. Too high: memory of each connection.
            """);

    static final ApiKey<Duration> BODY_TIMEOUT = value(
            "api.body-timeout", ApiKeyType.duration("1 s", "10 min"), "10 s", "how long a body may take to come", """
            How long the body of a request may take to come. Duration, 1 s to 10 min; what is slower gets 408.
            Too low: producers on slow lines are refused. Too high: clients that send a byte now and then hold as many
            threads.
            """);

    static final ApiKey<Duration> IDLE_TIMEOUT = value(
            "api.idle-timeout",
            ApiKeyType.duration("5 s", "10 min"),
            "30 s",
            "when a connection without traffic is closed",
            """
            When a connection on which nothing moves is closed. Duration, 5 s to 10 min. Live clients get a heartbeat
            each 10 s.
            Too low: clients connect anew all the time, and live clients lose their connection. Too high: connections
            of clients that are gone stay.
            """);

    static final ApiKey<Duration> STORE_TIMEOUT = value(
            "api.store-timeout",
            ApiKeyType.duration("500 ms", "30 s"),
            "2 s",
            "how long Redis or PostgreSQL may take for an answer",
            """
            How long Redis or PostgreSQL may take for a connection, and for an answer. Duration, 500 ms to 30 s.
            Too low: a busy store counts as away. Too high: whoever asks waits for as long while a store is away, and
            threads with him.
            """);

    static {
        section("Live clients");
    }

    static final ApiKey<Integer> LIVE_MAX_CLIENTS =
            value("api.live.max-clients", ApiKeyType.integer(1, 100_000), "2000", "clients that are told changes", """
            Clients that are told changes, by WebSocket and by server-sent events. Number, 1 to 100000, and below
            api.max-connections. What is beyond gets 503.
            Too low: pages fall back to asking. Too high: memory and processor for each of them.
            """);

    static final ApiKey<Integer> LIVE_MAX_PENDING = value(
            "api.live.max-pending",
            ApiKeyType.integer(1, 100_000),
            "256",
            "subjects of which something may wait for a slow client",
            """
            Subjects, such as the window of an event type, of which the newest may wait for a client that reads
            slowly. Number, 1 to 100000. Beyond it, a snapshot waits instead.
            Too low: slow clients get snapshots all the time. Too high: memory of each slow client.
            """);

    static final ApiKey<Integer> LIVE_RECENT_MESSAGES = value(
            "api.live.recent-messages",
            ApiKeyType.integer(1, 1_000_000),
            "2048",
            "messages kept for clients that come back",
            """
            Messages that are kept for clients that come back, so that they go on where they were. Number, 1 to
            1000000.
            Too low: who was away for a moment gets a snapshot. Too high: memory, once for all clients.
            """);

    static final ApiKey<List<String>> LIVE_WINDOW_SIZES = value(
            "api.live.window-sizes",
            ApiKeyType.WORDS,
            "30s",
            "sizes of the windows by event type that a snapshot has",
            """
            Sizes of the windows by event type that a snapshot has from the beginning. List, comma separated, as the
            rollups have them: 30s, 5m, 1h. Others come with their first change.
            """);

    static final ApiKey<Set<String>> LIVE_ROLLUPS = value(
            "api.live.rollups",
            ApiKeyType.NAMES,
            "hourly",
            "rollups whose changes are told beside those by event type",
            """
            Rollups whose changes are told to live clients, beside those by event type and window size. List of names,
            comma separated. Those with few keys: each change goes to every client.
            """);

    static {
        section("Redis");
    }

    static final ApiKey<URI> REDIS_URL = value(
            "redis.url",
            ApiKeyType.REDIS_URL,
            "redis://localhost:6379",
            "where the live view is, without password; rediss:// for TLS",
            """
            Where the live view is, without password. redis://host:port, or rediss://host:port for TLS, /N behind it
            for database N; port 6379 if there is none. redis://user@host:port logs in as that user, with
            redis.password. Of a Redis Cluster any node, without a database. The user needs to read only, and to
            subscribe.
            """);

    static final ApiKey<String> REDIS_PASSWORD = secret("redis.password", "password of Redis", """
            Password of Redis, if it wants one.
            """);

    static final ApiKey<String> REDIS_PASSWORD_FILE = fileOf(REDIS_PASSWORD);

    static final ApiKey<String> REDIS_KEY_PREFIX =
            value("redis.key-prefix", ApiKeyType.TEXT_OR_EMPTY, "", "put before every key in Redis", """
            Put before every key in Redis, as the job has it. Text.
            """);

    static final ApiKey<Integer> REDIS_CONNECTIONS = value(
            "api.redis-connections",
            ApiKeyType.integer(1, 1_000),
            "16",
            "connections to Redis, beside one of all live clients",
            """
            Connections to Redis at once, beside the one subscription of all live clients. Number, 1 to 1000.
            Too low: requests wait for each other. Too high: Redis has one thread, and gets no faster.
            """);

    static {
        section("PostgreSQL");
    }

    static final ApiKey<String> POSTGRES_URL = value(
            "postgres.url",
            ApiKeyType.postgresUrl("postgres"),
            "jdbc:postgresql://localhost:5432/postgres",
            "the source database, without user and password",
            """
            The source database, where events are sent to, without user and password. JDBC URL.
            """);

    static final ApiKey<String> POSTGRES_USERNAME = value(
            "postgres.username",
            ApiKeyType.TEXT,
            null,
            "role for the source database; without it nobody can send events",
            """
            A role for it: with SELECT on the contents and the events, INSERT on the events, USAGE on the sequence of
            their ids, and SELECT, INSERT, UPDATE and DELETE on engagement_track_keys or the right to create that
            table. Text. There is no default: without a role nobody can send events, and how soon an event shows is not known.
            """);

    static final ApiKey<String> POSTGRES_PASSWORD = secret("postgres.password", "that role's password", """
            That role's password, if it needs one.
            """);

    static final ApiKey<String> POSTGRES_PASSWORD_FILE = fileOf(POSTGRES_PASSWORD);

    static final ApiKey<String> POSTGRES_SCHEMA =
            value("postgres.schema", ApiKeyType.POSTGRES_NAME, "public", "schema of the tables", """
            Schema of the tables. Name: letters, digits and underscores.
            """);

    static final ApiKey<String> POSTGRES_EVENTS_TABLE =
            value("postgres.events-table", ApiKeyType.POSTGRES_NAME, "engagement_events", "table of events", """
            Table of events, without the schema. Name.
            """);

    static final ApiKey<Integer> POSTGRES_CONNECTIONS = value(
            "api.postgres-connections",
            ApiKeyType.integer(1, 1_000),
            "4",
            "connections that read, to each database",
            """
            Connections that read, to each database. Number, 1 to 1000; those that write are apart
            (api.track.connections).
            Too low: questions about the past wait for each other. Too high: more than PostgreSQL may have
            (max_connections).
            """);

    static {
        section("The warehouse");
    }

    static final ApiKey<String> WAREHOUSE_PROJECT = value(
            "warehouse.project",
            ApiKeyType.TEXT,
            null,
            "BigQuery's project; without it fallback=warehouse of /events/{id} is refused",
            """
            BigQuery's project, as the job has it, for events that the event cache has no more:
            /events/{id}?fallback=warehouse. Text. There is no default: without it, that is refused.
            """);

    static final ApiKey<String> WAREHOUSE_DATASET =
            value("warehouse.dataset", ApiKeyType.TEXT, "analytics", "dataset of the table", """
            Dataset of the table. Letters, digits and underscores.
            """);

    static final ApiKey<String> WAREHOUSE_TABLE =
            value("warehouse.table", ApiKeyType.TEXT, "engagement_events", "table of events", """
            Table of events. Letters, digits, '-' and '_'.
            """);

    static final ApiKey<URI> WAREHOUSE_ENDPOINT = value(
            "warehouse.endpoint",
            ApiKeyType.WAREHOUSE_URL,
            "https://bigquery.googleapis.com",
            "where BigQuery answers REST",
            """
            Where BigQuery answers REST. https://host:port, or http://host:port for a local emulator, which gets no
            credentials.
            """);

    static final ApiKey<String> WAREHOUSE_CREDENTIALS_FILE = value(
            "warehouse.credentials-file", ApiKeyType.PATH, null, "key file of a service account, for BigQuery", """
            Key file of a service account (type service_account), read where the API runs, for each new access token.
            Path. The API takes no other kind of file, and no application default credentials, both of which the job
            does: without it fallback=warehouse is refused, unless the endpoint is an emulator's. The account needs
            bigquery.dataViewer on the table and bigquery.jobUser on the project; not the job's, which may write.
            """);

    static final ApiKey<Duration> WAREHOUSE_TIMEOUT = value(
            "api.warehouse-timeout",
            ApiKeyType.duration("1 s", "1 min"),
            "10 s",
            "how long the warehouse may take for an answer",
            """
            How long the warehouse may take for an answer, a new access token included. Duration, 1 s to 1 min. Four
            questions run at once; what is beyond gets 503.
            Too low: BigQuery, which takes a second or two for anything, counts as away. Too high: whoever asks waits
            for as long while it is away, and up to four threads with him.
            """);

    static final ApiKey<Long> WAREHOUSE_MAX_BYTES = value(
            "api.warehouse-max-bytes",
            ApiKeyType.largeSize("10 mb", "1000000 gb"),
            "10 gb",
            "how much of the warehouse a question may read",
            """
            How much of the warehouse's table a question may read, which is what Google asks money for. Size, 10 mb to
            1000000 gb. Of an event that the source database has, the partition of its time is read; of another one, or
            without postgres.username, the whole table. What would read more gets 503, and costs nothing.
            Too low: a partition of a busy day is larger, and no event is found. Too high: each request for an id that
            there is not costs the price of the whole table.
            """);

    static {
        section("The pipeline");
    }

    static final ApiKey<URI> FLINK_REST = value(
            "flink.rest",
            ApiKeyType.HTTP_URL,
            null,
            "Flink's REST API, for dead letters and the receiver's circuit in /stats",
            """
            Flink's REST API, for dead letters by reason and the state of the receiver's circuit in /stats.
            http://host:port. Looked at every 5 s, whoever asks. Without it both are null.
            """);

    static final ApiKey<String> AUDIT_REPORT = value(
            "api.audit-report",
            ApiKeyType.PATH,
            null,
            "file that audit --json is written to, for the last audit in /stats",
            """
            File that the report of audit --json is written to, for the last audit in /stats. Path. Read anew when it
            has changed. Without it the last audit is null.
            """);

    static {
        section("Sending events");
    }

    static final ApiKey<List<String>> EVENT_TYPES = value(
            "api.event-types",
            ApiKeyType.WORDS,
            "play,pause,finish,click",
            "event types that are taken, and that a snapshot has",
            """
            Event types that are taken, as the table of events allows them, and whose windows a snapshot has from the
            beginning. List, comma separated.
            """);

    static final ApiKey<Integer> TRACK_MAX_BODY_BYTES = value(
            "api.track.max-body-bytes",
            ApiKeyType.size("1 kb", "32 mb"),
            "1 mb",
            "largest request that sends events",
            """
            Largest request that sends events. Size, 1 kb to 32 mb; what is larger gets 413.
            Too low: batches are refused. Too high: as many requests as there are threads may each take that much
            memory, and some of it again for their events.
            """);

    static final ApiKey<Integer> TRACK_MAX_EVENT_BYTES = value(
            "api.track.max-event-bytes", ApiKeyType.size("1 kb", "8 mb"), "64 kb", "largest event in a request", """
            Largest event in a request. Size, 1 kb to 8 mb, and at most api.track.max-body-bytes. What capture refuses
            (capture.max-row-bytes) must not be taken here.
            Too low: events with much in them are refused. Too high: a few of them fill Kafka's messages and the job's
            buffers.
            """);

    static final ApiKey<Integer> TRACK_MAX_EVENTS =
            value("api.track.max-events", ApiKeyType.integer(1, 100_000), "1000", "events of one request", """
            Events of one request. Number, 1 to 100000; a request is written whole or not at all.
            Too low: more requests for the same events. Too high: long transactions, in which one wrong event refuses
            many.
            """);

    static final ApiKey<Integer> TRACK_CONNECTIONS =
            value("api.track.connections", ApiKeyType.integer(1, 64), "2", "connections that write", """
            Connections that write. Number, 1 to 64. What comes while all are busy is written together, in the next
            transaction.
            Too low: one slow transaction holds up the rest. Too high: small transactions, of which PostgreSQL writes
            fewer events.
            """);

    static final ApiKey<Integer> TRACK_MAX_WAITING_EVENTS = value(
            "api.track.max-waiting-events",
            ApiKeyType.integer(1, 1_000_000),
            "20000",
            "events that wait for a connection",
            """
            Events that wait for a connection; beyond, requests get 503 with Retry-After. Number, 1 to 1000000.
            Too low: a burst is refused. Too high: memory, and answers that come after the client has given up.
            """);

    static final ApiKey<Integer> TRACK_MAX_GROUP_EVENTS = value(
            "api.track.max-group-events", ApiKeyType.integer(1, 100_000), "2000", "events of one transaction", """
            Events of one transaction, unless a single request has more. Number, 1 to 100000.
            Too low: more transactions, each with its own write to the disk. Too high: each request waits for those of
            all others.
            """);

    static final ApiKey<Duration> TRACK_TIMEOUT = value(
            "api.track.timeout",
            ApiKeyType.duration("1 s", "1 h"),
            "10 s",
            "how long a transaction, or the wait for one, may take",
            """
            How long a statement, an answer of PostgreSQL and the wait for a connection may take. Duration, 1 s to 1
            h.
            Too low: under load requests are refused that would have been written. Too high: clients wait as long
            while PostgreSQL is away.
            """);

    static final ApiKey<Duration> TRACK_KEYS_KEPT_FOR = value(
            "api.track.keys-kept-for",
            ApiKeyType.duration("1 min", "366 d"),
            "1 d",
            "how long a repetition is known",
            """
            How long an Idempotency-Key and an event_key are kept, in engagement_track_keys, and a repetition is known
            by them. Duration, 1 min to 366 d.
            Too low: what is sent again later is inserted again. Too high: the table grows.
            """);

    static final ApiKey<Duration> TRACK_MAX_AHEAD = value(
            "api.track.max-ahead",
            ApiKeyType.duration("0 s", "366 d"),
            "1 min",
            "how far ahead of the clock an event may be stamped",
            """
            How far ahead of the API's clock an event may be stamped. Duration, 0 s to 366 d. The job counts in no
            window what is further ahead than its ranking.max-clock-skew.
            Too low: producers whose clocks are ahead are refused. Too high: the job refuses what was taken here.
            """);

    static {
        section("Rollups");
    }

    static final ApiKey<List<String>> ROLLUPS = value(
            "rollups",
            ApiKeyType.WORDS,
            RollupDefinitions.SHIPPED,
            "which aggregates by window the job computes, a list",
            """
            Which rollups the job computes, as the job has it. List of names, comma separated; 'shipped' stands for
            all that come with it.
            """);

    static final ApiKey<String> ROLLUP_PROPERTIES = declared(
            RollupDefinitions.PREFIX,
            ApiKeyType.TEXT_OR_EMPTY,
            ApiKey.Kind.NAMESPACE,
            null,
            "what a rollup is: rollup.NAME.by, window, measures and so on, as the job has it",
            """
            What a rollup is, rollup.NAME.PROPERTY, as the job has it: its reference file says more. In the
            environment ENGAGEMENT_ROLLUP_VIEWS_BY_DEVICE_WINDOW: what is behind the last '_' is the property.
            """);

    static final ApiKey<String> ROLLUP_POSTGRES_URL = value(
            "rollup.postgres.url",
            ApiKeyType.postgresUrl("rollup.postgres"),
            "jdbc:postgresql://localhost:5432/analytics",
            "database with the rollups' tables, without user and password",
            """
            The database with the rollups' tables, without user and password. JDBC URL.
            """);

    static final ApiKey<String> ROLLUP_POSTGRES_USERNAME = value(
            "rollup.postgres.username",
            ApiKeyType.TEXT,
            null,
            "role that may read the rollups' tables; without it nothing is known of the past",
            """
            A role that may read the rollups' tables. Text. There is no default: without it nothing is known of the
            past, neither history nor trends.
            """);

    static final ApiKey<String> ROLLUP_POSTGRES_PASSWORD =
            secret("rollup.postgres.password", "that role's password", """
            That role's password, if it needs one.
            """);

    static final ApiKey<String> ROLLUP_POSTGRES_PASSWORD_FILE = fileOf(ROLLUP_POSTGRES_PASSWORD);

    /** All of them, in the order of the reference file. */
    static final List<ApiKey<?>> ALL = List.copyOf(DECLARED);

    /** Title of the section of the reference file that begins with that key, or null if none does. */
    static @Nullable String sectionAt(int index) {
        return SECTIONS.get(index);
    }

    /** The key of that name, or of the namespace that the name is in. */
    static Optional<ApiKey<?>> named(String name) {
        if (isRollupProperty(name)) {
            return Optional.<ApiKey<?>>of(ROLLUP_PROPERTIES);
        }
        for (ApiKey<?> key : ALL) {
            if (key.name().equals(name) && key.kind() != ApiKey.Kind.NAMESPACE) {
                return Optional.<ApiKey<?>>of(key);
            }
        }
        return Optional.empty();
    }

    /** Whether it is {@code rollup.NAME.PROPERTY}, of a property that there is, and not of the database. */
    static boolean isRollupProperty(String name) {
        int prefix = RollupDefinitions.PREFIX.length();
        int dot = name.startsWith(RollupDefinitions.PREFIX) ? name.indexOf('.', prefix) : -1;
        return dot > prefix
                && RollupDefinitions.PROPERTIES.contains(name.substring(dot + 1))
                && !name.substring(prefix, dot).equals(RollupDefinitions.RESERVED);
    }
}
