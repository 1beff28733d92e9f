package dev.engagement.config;

import dev.engagement.capture.CaptureOptions;
import dev.engagement.delivery.DeliveryOptions;
import dev.engagement.event.EngagementRule;
import dev.engagement.redrive.RedriveOptions;
import dev.engagement.warehouse.WarehouseOptions;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.flink.configuration.MemorySize;

/**
 * Every option there is. {@code engagement-reference.properties} explains each at length; a test keeps the two equal.
 */
public final class Keys {
    private Keys() {}

    private static final Set<Command> BOTH = Command.ALL;
    private static final Set<Command> CAPTURE = Set.of(Command.CAPTURE);
    /** What keeps to the publication. */
    private static final Set<Command> PUBLISHED =
            Set.of(Command.CAPTURE, Command.BACKFILL, Command.REBUILD, Command.REDRIVE, Command.AUDIT);

    private static final Set<Command> STREAM = Set.of(Command.STREAM);
    private static final Set<Command> BACKFILL = Set.of(Command.BACKFILL);
    private static final Set<Command> REDRIVE = Set.of(Command.REDRIVE);
    private static final Set<Command> AUDIT = Set.of(Command.AUDIT);
    private static final Set<Command> STREAM_AND_AUDIT = Set.of(Command.STREAM, Command.AUDIT);
    private static final Set<Command> STREAM_AND_REDRIVE = Set.of(Command.STREAM, Command.REDRIVE);
    private static final Set<Command> REPAIRS = Set.of(Command.BACKFILL, Command.REDRIVE, Command.AUDIT);
    /** What has stages between the ends. */
    private static final Set<Command> STAGES = Set.of(Command.STREAM, Command.REBUILD);
    /** What reads PostgreSQL. */
    private static final Set<Command> TABLES =
            Set.of(Command.CAPTURE, Command.BACKFILL, Command.REBUILD, Command.REDRIVE, Command.AUDIT);
    /** What makes records of rows. */
    private static final Set<Command> ROWS = Set.of(Command.CAPTURE, Command.BACKFILL, Command.REBUILD);
    /** What knows how large a record may be. */
    private static final Set<Command> RECORDS =
            Set.of(Command.STREAM, Command.BACKFILL, Command.REBUILD, Command.REDRIVE);
    /** What knows all destinations. */
    private static final Set<Command> ENDS = Set.of(Command.STREAM, Command.BACKFILL, Command.REBUILD, Command.AUDIT);
    /** What knows Redis. */
    private static final Set<Command> LIVEVIEW = Set.of(Command.STREAM, Command.REBUILD, Command.AUDIT);
    /** What knows the warehouse. */
    private static final Set<Command> WAREHOUSE =
            Set.of(Command.STREAM, Command.BACKFILL, Command.REBUILD, Command.REDRIVE, Command.AUDIT);
    /** What takes letters or events of a time. */
    private static final Set<Command> TIMES = Set.of(Command.BACKFILL, Command.REBUILD, Command.REDRIVE, Command.AUDIT);

    private static final Type<Duration> ANY_DURATION = Type.duration(Duration.ZERO);
    private static final Type<Duration> SHORT_INTERVAL = Type.duration(Duration.ofMillis(10));

    /** The topics take messages of 8 MiB; what is left of it is for the key, the headers and the framing. */
    private static final MemorySize LARGEST_ROW = MemorySize.parse("8128 kb");

    public static final Key<String> CONFIG = new Key<>(
            "config", Type.PATH, Key.Kind.FILE, null, false, "file with options, KEY=VALUE a line, UTF-8", BOTH);

    public static final Key<String> JOB_NAME = Key.of(
            "job.name", Type.TEXT, "engagement-{command}", BOTH, "name of the job in Flink, its metrics and its UI");
    public static final Key<Integer> PARALLELISM = Key.optional(
            "parallelism", Type.integer(1, 128), BOTH, "parallel instances of each stage; Flink's own if not given");
    public static final Key<Duration> CHECKPOINT_INTERVAL =
            Key.of("checkpoint.interval", SHORT_INTERVAL, "30 s", BOTH, "time between the starts of two checkpoints");
    public static final Key<Duration> CHECKPOINT_TIMEOUT =
            Key.of("checkpoint.timeout", SHORT_INTERVAL, "10 min", BOTH, "when a checkpoint that hangs is given up");

    public static final Key<String> KAFKA_BOOTSTRAP_SERVERS =
            Key.of("kafka.bootstrap-servers", Type.SERVERS, "localhost:9092", BOTH, "where Kafka is, comma separated");
    public static final Key<String> KAFKA_TOPIC_PREFIX =
            Key.of("kafka.topic-prefix", Type.TOPIC, "dbserver1", BOTH, "first part of the two captured topics' names");
    public static final Key<String> KAFKA_PROPERTIES = new Key<>(
            "kafka.properties.",
            Type.TEXT_OR_EMPTY,
            Key.Kind.NAMESPACE,
            null,
            false,
            "any property of a Kafka client, for example kafka.properties.security.protocol",
            BOTH);
    public static final Key<String> KAFKA_GROUP_ID =
            Key.of("kafka.group-id", Type.TEXT, "engagement-stream", ENDS, "group that offsets are reported under");
    public static final Key<Integer> KAFKA_REPLICATION_FACTOR = Key.of(
            "kafka.replication-factor",
            Type.replicationFactor(),
            "-1",
            BOTH,
            "copies of a topic that has to be created; -1 is the broker's default");
    public static final Key<String> KAFKA_EVENTS_TOPIC = Key.of(
            "kafka.topics.events",
            Type.TOPIC,
            "{kafka.topic-prefix}.{postgres.schema}.{postgres.events-table}",
            BOTH,
            "topic of engagement events");
    public static final Key<String> KAFKA_CONTENT_TOPIC = Key.of(
            "kafka.topics.content",
            Type.TOPIC,
            "{kafka.topic-prefix}.{postgres.schema}.{postgres.content-table}",
            BOTH,
            "topic of contents, compacted");
    public static final Key<String> KAFKA_DEAD_LETTERS_TOPIC = Key.of(
            "kafka.topics.dead-letters",
            Type.TOPIC,
            "engagement.dead-letters",
            BOTH,
            "topic of what could not be processed");
    public static final Key<String> KAFKA_DEAD_LETTERS_REDRIVEN_TOPIC = Key.of(
            "kafka.topics.dead-letters-redriven",
            Type.TOPIC,
            "engagement.dead-letters-redriven",
            BOTH,
            "topic of which dead letters were put back, compacted");
    public static final Key<String> KAFKA_DELIVERY_RETRY_TOPIC = Key.of(
            "kafka.topics.delivery-retry",
            Type.TOPIC,
            "engagement.delivery-retry",
            BOTH,
            "topic of deliveries diverted from the live path");
    public static final Key<String> KAFKA_DELIVERY_RECEIPTS_TOPIC = Key.of(
            "kafka.topics.delivery-receipts",
            Type.TOPIC,
            "engagement.delivery-receipts",
            BOTH,
            "topic of what was delivered, compacted; made if delivery.receipts is true");

    public static final Key<String> POSTGRES_URL = Key.of(
            "postgres.url",
            Type.POSTGRES_URL,
            "jdbc:postgresql://localhost:5432/postgres",
            TABLES,
            "where PostgreSQL is, without user and password");
    public static final Key<String> POSTGRES_USERNAME = Key.required(
            "postgres.username", Type.TEXT, TABLES, "role with SELECT on both tables, and REPLICATION for capture");
    public static final Key<String> POSTGRES_PASSWORD =
            Key.secret("postgres.password", true, TABLES, "that role's password");
    public static final Key<String> POSTGRES_PASSWORD_FILE = Key.fileOf(POSTGRES_PASSWORD);
    public static final Key<String> POSTGRES_SCHEMA =
            Key.of("postgres.schema", Type.POSTGRES_NAME, "public", BOTH, "schema of the tables");
    public static final Key<String> POSTGRES_EVENTS_TABLE =
            Key.of("postgres.events-table", Type.POSTGRES_NAME, "engagement_events", BOTH, "table of events");
    public static final Key<String> POSTGRES_CONTENT_TABLE =
            Key.of("postgres.content-table", Type.POSTGRES_NAME, "content", BOTH, "table of contents");
    public static final Key<String> POSTGRES_HEARTBEAT_TABLE = Key.of(
            "postgres.heartbeat-table",
            Type.POSTGRES_NAME,
            "engagement_heartbeat",
            CAPTURE,
            "table that capture writes to, so that an idle database does not hold the slot back");
    public static final Key<String> POSTGRES_SLOT_NAME =
            Key.of("postgres.slot-name", Type.SLOT_NAME, "engagement_slot", CAPTURE, "logical replication slot");
    public static final Key<String> POSTGRES_PUBLICATION = Key.of(
            "postgres.publication",
            Type.POSTGRES_NAME,
            "engagement_publication",
            PUBLISHED,
            "publication with both tables and the heartbeat table");

    public static final Key<CaptureOptions.Start> CAPTURE_START = Key.of(
            "capture.start",
            Type.oneOf(CaptureOptions.Start.class),
            "initial",
            CAPTURE,
            "first start with the rows that are there, or with changes only");
    public static final Key<Duration> CAPTURE_HEARTBEAT_INTERVAL = Key.of(
            "capture.heartbeat-interval",
            Type.duration(Duration.ofMillis(100)),
            "10 s",
            CAPTURE,
            "how often the heartbeat row is written");
    public static final Key<MemorySize> CAPTURE_MAX_ROW_BYTES = Key.of(
            "capture.max-row-bytes",
            Type.size(MemorySize.parse("1 kb"), LARGEST_ROW),
            "8128 kb",
            ROWS,
            "largest row written to Kafka; a larger one becomes an OVERSIZE letter");
    public static final Key<Boolean> CAPTURE_ACCEPT_FILTERED = Key.of(
            "capture.accept-filtered",
            Type.BOOLEAN,
            "false",
            PUBLISHED,
            "whether the publication may leave out rows or columns");

    public static final Key<MemorySize> INGEST_MAX_RECORD_BYTES = Key.of(
            "ingest.max-record-bytes",
            Type.size(MemorySize.parse("1 kb"), MemorySize.parse("8 mb")),
            "1 mb",
            RECORDS,
            "largest Kafka value read; a larger one becomes an OVERSIZE letter");

    public static final Key<EngagementRule.PctMode> ENRICHMENT_PCT_MODE = Key.of(
            "enrichment.pct-mode",
            Type.oneOf(EngagementRule.PctMode.class),
            "ratio",
            STAGES,
            "7 s of 300 s as 0.02 or as 2.33");
    public static final Key<Integer> ENRICHMENT_PCT_SCALE = Key.of(
            "enrichment.pct-scale",
            Type.integer(0, EngagementRule.MAX_PCT_SCALE),
            "2",
            STAGES,
            "digits after the point of engagement_pct");
    public static final Key<EngagementRule.NullRule> ENRICHMENT_NULL_RULE = Key.of(
            "enrichment.null-rule",
            Type.oneOf(EngagementRule.NullRule.class),
            "independent",
            STAGES,
            "whether engagement_seconds survives a missing length");
    public static final Key<Duration> ENRICHMENT_CONTENT_WAIT = Key.of(
            "enrichment.content-wait",
            ANY_DURATION,
            "30 s",
            STAGES,
            "how long an event waits for an unknown content before it becomes an UNRESOLVED letter");

    public static final Key<Duration> RANKING_WINDOW =
            Key.of("ranking.window", ANY_DURATION, "10 min", STAGES, "event time that a leaderboard covers");
    public static final Key<Duration> RANKING_SLIDE = Key.of(
            "ranking.slide", ANY_DURATION, "1 s", STAGES, "event time from one state of the leaderboards to the next");
    public static final Key<Integer> RANKING_TOP_N =
            Key.of("ranking.top-n", Type.integer(1, 10_000), "100", STAGES, "places on a leaderboard");
    public static final Key<Duration> RANKING_MAX_OUT_OF_ORDERNESS = Key.of(
            "ranking.max-out-of-orderness",
            ANY_DURATION,
            "2 s",
            STAGES,
            "how much older than the newest event another may be and not be late");
    public static final Key<Duration> RANKING_MAX_CLOCK_SKEW = Key.of(
            "ranking.max-clock-skew",
            ANY_DURATION,
            "1 min",
            STAGES,
            "how far ahead of its Kafka timestamp an event may be stamped and still move event time");
    public static final Key<Duration> RANKING_IDLE_TIMEOUT = Key.of(
            "ranking.idle-timeout",
            SHORT_INTERVAL,
            "1 s",
            STAGES,
            "after how long without a record a partition follows the wall clock");

    public static final Key<Optional<Duration>> DEDUPE_HORIZON = Key.of(
            "dedupe.horizon",
            Type.NONE_OR_DURATION,
            "none",
            STAGES,
            "how long ids are remembered after their first arrival");

    public static final Key<Set<Destination>> DESTINATIONS = Key.of(
            "destinations",
            Type.DESTINATIONS,
            String.join(",", Destination.words()),
            ENDS,
            "where events go, comma separated");

    public static final Key<URI> REDIS_URL = Key.of(
            "redis.url",
            Type.REDIS_URL,
            "redis://localhost:6379",
            LIVEVIEW,
            "where Redis is, without password; rediss:// for TLS");
    public static final Key<String> REDIS_PASSWORD = Key.secret("redis.password", false, LIVEVIEW, "password of Redis");
    public static final Key<String> REDIS_PASSWORD_FILE = Key.fileOf(REDIS_PASSWORD);
    public static final Key<String> REDIS_KEY_PREFIX =
            Key.of("redis.key-prefix", Type.TEXT_OR_EMPTY, "", LIVEVIEW, "put before every key in Redis");

    public static final Key<Boolean> LIVEVIEW_EVENT_CACHE = Key.of(
            "liveview.event-cache",
            Type.BOOLEAN,
            "false",
            STAGES,
            "whether single events are kept in Redis for an hour, best effort");

    public static final Key<String> WAREHOUSE_PROJECT = Key.optional(
            "warehouse.project", Type.TEXT, WAREHOUSE, "project in BigQuery; needed if destinations has warehouse");
    public static final Key<String> WAREHOUSE_DATASET =
            Key.of("warehouse.dataset", Type.TEXT, "analytics", WAREHOUSE, "dataset, created if it is not there");
    public static final Key<String> WAREHOUSE_TABLE =
            Key.of("warehouse.table", Type.TEXT, "engagement_events", WAREHOUSE, "table, created if it is not there");
    public static final Key<URI> WAREHOUSE_ENDPOINT = Key.of(
            "warehouse.endpoint",
            Type.HTTP_URL,
            "https://bigquery.googleapis.com",
            WAREHOUSE,
            "where BigQuery answers REST; http:// for an emulator, without credentials");
    public static final Key<URI> WAREHOUSE_GRPC_ENDPOINT = Key.of(
            "warehouse.grpc-endpoint",
            Type.HTTP_URL,
            "https://bigquerystorage.googleapis.com",
            WAREHOUSE,
            "where BigQuery's Storage Write API answers gRPC; http:// for an emulator");
    public static final Key<String> WAREHOUSE_CREDENTIALS_FILE = Key.optional(
            "warehouse.credentials-file",
            Type.PATH,
            WAREHOUSE,
            "key file of a service account, on the client and every TaskManager; else the machine's own credentials");
    public static final Key<WarehouseOptions.Partition> WAREHOUSE_PARTITION = Key.of(
            "warehouse.partition",
            Type.oneOf(WarehouseOptions.Partition.class),
            "DAY",
            WAREHOUSE,
            "event time that a partition of a new table holds");
    public static final Key<Optional<Duration>> WAREHOUSE_PARTITION_EXPIRATION = Key.of(
            "warehouse.partition-expiration",
            Type.NONE_OR_DURATION,
            "none",
            WAREHOUSE,
            "when a partition of a new table is deleted; HOUR needs at most 400 d");
    public static final Key<Boolean> WAREHOUSE_REQUIRE_PARTITION_FILTER = Key.of(
            "warehouse.require-partition-filter",
            Type.BOOLEAN,
            "false",
            WAREHOUSE,
            "whether a new table refuses queries that do not say which event_ts they read");
    public static final Key<Boolean> WAREHOUSE_ADD_COLUMNS = Key.of(
            "warehouse.add-columns",
            Type.BOOLEAN,
            "false",
            WAREHOUSE,
            "add nullable columns that an existing table lacks");
    public static final Key<WarehouseOptions.JsonNumbers> WAREHOUSE_JSON_NUMBERS = Key.of(
            "warehouse.json-numbers",
            Type.oneOf(WarehouseOptions.JsonNumbers.class),
            "EXACT",
            WAREHOUSE,
            "whether rows are refused or rounded whose raw_payload holds a number that BigQuery's JSON would change");
    public static final Key<MemorySize> WAREHOUSE_FLUSH_SIZE = Key.of(
            "warehouse.flush-size",
            Type.size(MemorySize.parse("1 kb"), MemorySize.parse("9 mb")),
            "1 mb",
            WAREHOUSE,
            "size at which rows are sent");
    public static final Key<Duration> WAREHOUSE_FLUSH_INTERVAL = Key.of(
            "warehouse.flush-interval", SHORT_INTERVAL, "1 s", WAREHOUSE, "after how long rows are sent at the latest");
    public static final Key<MemorySize> WAREHOUSE_MAX_IN_FLIGHT_BYTES = Key.of(
            "warehouse.max-in-flight-bytes",
            Type.size(MemorySize.parse("64 kb"), MemorySize.parse("4 gb")),
            "64 mb",
            WAREHOUSE,
            "rows that each writer holds until BigQuery has acknowledged them");
    public static final Key<Duration> WAREHOUSE_COMMIT_TIMEOUT = Key.of(
            "warehouse.commit-timeout",
            Type.duration(Duration.ofSeconds(1)),
            "1 h",
            WAREHOUSE,
            "how long showing rows is tried before the job fails");

    public static final Key<URI> DELIVERY_URL = Key.of(
            "delivery.url",
            Type.WEBHOOK_URL,
            "http://localhost:8000/events",
            STREAM,
            "where events are posted to, without user and password");
    public static final Key<String> DELIVERY_SECRET =
            Key.secret("delivery.secret", false, STREAM, "signs each request: whsec_ and base64 of at least 24 bytes");
    public static final Key<String> DELIVERY_SECRET_FILE = Key.fileOf(DELIVERY_SECRET);
    public static final Key<String> DELIVERY_PREVIOUS_SECRET = Key.secret(
            "delivery.previous-secret",
            false,
            STREAM,
            "signs each request as well, while the receiver changes secrets");
    public static final Key<String> DELIVERY_PREVIOUS_SECRET_FILE = Key.fileOf(DELIVERY_PREVIOUS_SECRET);
    public static final Key<String> DELIVERY_TOKEN =
            Key.secret("delivery.token", false, STREAM, "sent with each request as Authorization: Bearer");
    public static final Key<String> DELIVERY_TOKEN_FILE = Key.fileOf(DELIVERY_TOKEN);
    public static final Key<String> DELIVERY_TRUST_STORE = Key.optional(
            "delivery.trust-store",
            Type.PATH,
            STREAM,
            "certificates to trust instead of Java's own, PKCS12, JKS or PEM, on every TaskManager");
    public static final Key<String> DELIVERY_TRUST_STORE_PASSWORD =
            Key.secret("delivery.trust-store-password", false, STREAM, "password of that file");
    public static final Key<String> DELIVERY_TRUST_STORE_PASSWORD_FILE = Key.fileOf(DELIVERY_TRUST_STORE_PASSWORD);
    public static final Key<List<String>> DELIVERY_ALLOWED_HOSTS = Key.of(
            "delivery.allowed-hosts",
            Type.WORDS,
            "",
            STREAM,
            "hosts that delivery.url may be at, comma separated; any if empty");
    public static final Key<Boolean> DELIVERY_ALLOW_PLAIN_HTTP = Key.of(
            "delivery.allow-plain-http",
            Type.BOOLEAN,
            "false",
            STREAM,
            "whether events may go to other machines without encryption");
    public static final Key<Duration> DELIVERY_TIMEOUT = Key.of(
            "delivery.timeout",
            SHORT_INTERVAL,
            "10 s",
            STREAM,
            "longest time of one attempt, from connecting to the answer");
    public static final Key<Integer> DELIVERY_MAX_ATTEMPTS = Key.of(
            "delivery.max-attempts",
            Type.integer(1, 1_000),
            "12",
            STREAM,
            "answered attempts until an event becomes an UNDELIVERABLE letter");
    public static final Key<Duration> DELIVERY_BACKOFF_INITIAL = Key.of(
            "delivery.backoff-initial", SHORT_INTERVAL, "500 ms", STREAM, "longest wait before the second attempt");
    public static final Key<Duration> DELIVERY_BACKOFF_MAX =
            Key.of("delivery.backoff-max", SHORT_INTERVAL, "5 min", STREAM, "longest wait before any attempt");
    public static final Key<Integer> DELIVERY_MAX_IN_FLIGHT = Key.of(
            "delivery.max-in-flight",
            Type.integer(1, 10_000),
            "256",
            STREAM,
            "requests on their way at once, for each subtask; more wait for a place");
    public static final Key<MemorySize> DELIVERY_MAX_IN_FLIGHT_BYTES = Key.of(
            "delivery.max-in-flight-bytes",
            Type.size(MemorySize.parse("1 mb"), MemorySize.parse("4 gb")),
            "8 mb",
            STREAM,
            "size of what is on its way or waits, for each subtask and path; more goes aside");
    public static final Key<Integer> DELIVERY_BATCH_SIZE = Key.of(
            "delivery.batch-size",
            Type.integer(1, 1_000),
            "1",
            STREAM,
            "events in one request; more than 1 posts JSON arrays");
    public static final Key<Duration> DELIVERY_BATCH_LINGER =
            Key.of("delivery.batch-linger", ANY_DURATION, "50 ms", STREAM, "longest wait for a batch to fill");
    public static final Key<Integer> DELIVERY_DRAIN_RATE = Key.of(
            "delivery.drain-rate",
            Type.integer(1, 1_000_000),
            "500",
            STREAM,
            "events a second taken back from the retry topic, by the whole job");
    public static final Key<Duration> DELIVERY_RETRY_RETENTION = Key.of(
            "delivery.retry-retention",
            ANY_DURATION,
            "1 d",
            STREAM,
            "how long the retry topic keeps what is done with");
    public static final Key<Boolean> DELIVERY_INCLUDE_SNAPSHOT = Key.of(
            "delivery.include-snapshot",
            Type.BOOLEAN,
            "false",
            STREAM_AND_AUDIT,
            "whether rows that were there before the first capture are delivered");
    public static final Key<Boolean> DELIVERY_RECEIPTS = Key.of(
            "delivery.receipts",
            Type.BOOLEAN,
            "false",
            STREAM_AND_AUDIT,
            "whether what was delivered is written to the receipts topic");
    public static final Key<List<DeliveryOptions.StatusRange>> DELIVERY_SUCCESS_STATUS = Key.of(
            "delivery.success-status", Type.STATUSES, "200-299", STREAM, "statuses that mean the receiver has it");
    public static final Key<String> DELIVERY_SUCCESS_FIELD = Key.optional(
            "delivery.success-field",
            Type.TEXT,
            STREAM,
            "field at the top of the answer's JSON that has to say so too");
    public static final Key<List<String>> DELIVERY_SUCCESS_VALUES = Key.of(
            "delivery.success-values",
            Type.WORDS,
            "",
            STREAM,
            "what that field says when all is well, comma separated");
    public static final Key<MemorySize> DELIVERY_MAX_RESPONSE_BYTES = Key.of(
            "delivery.max-response-bytes",
            Type.size(MemorySize.parse("1 kb"), MemorySize.parse("16 mb")),
            "64 kb",
            STREAM,
            "how much of an answer's body is read");

    public static final Key<Boolean> ACCEPT_GAP =
            Key.flag("accept-gap", STREAM, "continue although Kafka no longer has all that the job was to read next");
    public static final Key<Boolean> ACCEPT_WAREHOUSE_DUPLICATES = Key.flag(
            "accept-warehouse-duplicates",
            STREAM_AND_REDRIVE,
            "write although rows of this job may be in the warehouse already");

    public static final Key<Instant> FROM = Key.argument(
            "from", Type.TIME, false, TIMES, "first event_ts of the range; redrive: first failure of a letter");
    public static final Key<Instant> TO = Key.argument(
            "to", Type.TIME, false, TIMES, "end of the range, not part of it; redrive: end of the letters' failures");
    public static final Key<Boolean> DRY_RUN = Key.flag(
            "dry-run", REPAIRS, "say what it costs and what would be published or put back, and write nothing");

    public static final Key<String> CONTENT_ID =
            Key.argument("content-id", Type.TEXT, false, BACKFILL, "publish the events of one content only");
    public static final Key<Boolean> ALL_ROWS =
            Key.flag("all", BACKFILL, "publish every row of the range, whether the warehouse has it or not");
    public static final Key<Duration> BACKFILL_WAIT = Key.of(
            "backfill.wait",
            ANY_DURATION,
            "10 min",
            BACKFILL,
            "how long to wait until the stream has taken in what was published");
    public static final Key<Duration> BACKFILL_SETTLE = Key.of(
            "backfill.settle",
            ANY_DURATION,
            "90 s",
            BACKFILL,
            "how long what the stream has taken in may be on its way to the warehouse");

    public static final Key<RedriveOptions.Reasons> REASON = Key.argument(
            "reason", Type.REASONS, true, REDRIVE, "which dead letters are put back, by their reason; comma separated");
    public static final Key<Long> EVENT_ID =
            Key.argument("event-id", Type.ID, false, REDRIVE, "only letters of this event");
    public static final Key<Integer> LIMIT = Key.argument(
            "limit", Type.integer(1, Integer.MAX_VALUE), false, REDRIVE, "put back so many letters at most");
    public static final Key<Boolean> AGAIN = Key.flag("again", REDRIVE, "also those that were put back before");

    public static final Key<Duration> AUDIT_SETTLE = Key.of(
            "audit.settle",
            ANY_DURATION,
            "60 s",
            AUDIT,
            "how long an event may be on its way to a destination without being missing there");
    public static final Key<Integer> AUDIT_LISTED_IDS = Key.of(
            "audit.listed-ids",
            Type.integer(0, 1_000_000),
            "100",
            AUDIT,
            "how many ids are named of each kind of difference; all are counted");
    public static final Key<Boolean> COUNTS =
            Key.flag("counts", AUDIT, "compare the live view's counts of all time, for which the whole table is read");
    public static final Key<Boolean> JSON = Key.flag("json", AUDIT, "the report as one line of JSON");
    public static final Key<Boolean> REPAIR =
            Key.flag("repair", AUDIT, "print the commands that mend each difference; nothing is changed");

    /** All of them, in the order in which they are explained. */
    public static final List<Key<?>> ALL = List.of(
            CONFIG,
            JOB_NAME,
            PARALLELISM,
            CHECKPOINT_INTERVAL,
            CHECKPOINT_TIMEOUT,
            KAFKA_BOOTSTRAP_SERVERS,
            KAFKA_PROPERTIES,
            KAFKA_GROUP_ID,
            KAFKA_TOPIC_PREFIX,
            KAFKA_EVENTS_TOPIC,
            KAFKA_CONTENT_TOPIC,
            KAFKA_DEAD_LETTERS_TOPIC,
            KAFKA_DEAD_LETTERS_REDRIVEN_TOPIC,
            KAFKA_DELIVERY_RETRY_TOPIC,
            KAFKA_DELIVERY_RECEIPTS_TOPIC,
            KAFKA_REPLICATION_FACTOR,
            POSTGRES_URL,
            POSTGRES_USERNAME,
            POSTGRES_PASSWORD,
            POSTGRES_PASSWORD_FILE,
            POSTGRES_SCHEMA,
            POSTGRES_EVENTS_TABLE,
            POSTGRES_CONTENT_TABLE,
            POSTGRES_HEARTBEAT_TABLE,
            POSTGRES_SLOT_NAME,
            POSTGRES_PUBLICATION,
            CAPTURE_START,
            CAPTURE_HEARTBEAT_INTERVAL,
            CAPTURE_MAX_ROW_BYTES,
            CAPTURE_ACCEPT_FILTERED,
            INGEST_MAX_RECORD_BYTES,
            ENRICHMENT_PCT_MODE,
            ENRICHMENT_PCT_SCALE,
            ENRICHMENT_NULL_RULE,
            ENRICHMENT_CONTENT_WAIT,
            RANKING_WINDOW,
            RANKING_SLIDE,
            RANKING_TOP_N,
            RANKING_MAX_OUT_OF_ORDERNESS,
            RANKING_MAX_CLOCK_SKEW,
            RANKING_IDLE_TIMEOUT,
            DEDUPE_HORIZON,
            DESTINATIONS,
            REDIS_URL,
            REDIS_PASSWORD,
            REDIS_PASSWORD_FILE,
            REDIS_KEY_PREFIX,
            LIVEVIEW_EVENT_CACHE,
            WAREHOUSE_PROJECT,
            WAREHOUSE_DATASET,
            WAREHOUSE_TABLE,
            WAREHOUSE_ENDPOINT,
            WAREHOUSE_GRPC_ENDPOINT,
            WAREHOUSE_CREDENTIALS_FILE,
            WAREHOUSE_PARTITION,
            WAREHOUSE_PARTITION_EXPIRATION,
            WAREHOUSE_REQUIRE_PARTITION_FILTER,
            WAREHOUSE_ADD_COLUMNS,
            WAREHOUSE_JSON_NUMBERS,
            WAREHOUSE_FLUSH_SIZE,
            WAREHOUSE_FLUSH_INTERVAL,
            WAREHOUSE_MAX_IN_FLIGHT_BYTES,
            WAREHOUSE_COMMIT_TIMEOUT,
            DELIVERY_URL,
            DELIVERY_SECRET,
            DELIVERY_SECRET_FILE,
            DELIVERY_PREVIOUS_SECRET,
            DELIVERY_PREVIOUS_SECRET_FILE,
            DELIVERY_TOKEN,
            DELIVERY_TOKEN_FILE,
            DELIVERY_TRUST_STORE,
            DELIVERY_TRUST_STORE_PASSWORD,
            DELIVERY_TRUST_STORE_PASSWORD_FILE,
            DELIVERY_ALLOWED_HOSTS,
            DELIVERY_ALLOW_PLAIN_HTTP,
            DELIVERY_TIMEOUT,
            DELIVERY_MAX_ATTEMPTS,
            DELIVERY_BACKOFF_INITIAL,
            DELIVERY_BACKOFF_MAX,
            DELIVERY_MAX_IN_FLIGHT,
            DELIVERY_MAX_IN_FLIGHT_BYTES,
            DELIVERY_BATCH_SIZE,
            DELIVERY_BATCH_LINGER,
            DELIVERY_DRAIN_RATE,
            DELIVERY_RETRY_RETENTION,
            DELIVERY_INCLUDE_SNAPSHOT,
            DELIVERY_RECEIPTS,
            DELIVERY_SUCCESS_STATUS,
            DELIVERY_SUCCESS_FIELD,
            DELIVERY_SUCCESS_VALUES,
            DELIVERY_MAX_RESPONSE_BYTES,
            ACCEPT_GAP,
            ACCEPT_WAREHOUSE_DUPLICATES,
            FROM,
            TO,
            DRY_RUN,
            CONTENT_ID,
            ALL_ROWS,
            BACKFILL_WAIT,
            BACKFILL_SETTLE,
            REASON,
            EVENT_ID,
            LIMIT,
            AGAIN,
            AUDIT_SETTLE,
            AUDIT_LISTED_IDS,
            COUNTS,
            JSON,
            REPAIR);

    private static final Map<String, Key<?>> BY_NAME =
            ALL.stream().collect(Collectors.toMap(Key::name, key -> key, (a, b) -> a, LinkedHashMap::new));

    /** Names in {@code kafka.properties.*} whose values are secrets. */
    private static final Pattern SECRET_KAFKA_PROPERTY =
            Pattern.compile(".*(password|secret|token|credential|user\\.info|keystore\\.key|jaas\\.config).*");

    /** Names that only look so. */
    private static final Pattern OPEN_KAFKA_PROPERTY = Pattern.compile(
            ".*\\.(url|class|location|type|ms|seconds|algorithm)|config\\.providers(\\.[^.]+\\.class)?");

    /** The key of that name, or of the namespace that the name is in. */
    static Optional<Key<?>> named(String name) {
        if (isKafkaProperty(name)) {
            return Optional.<Key<?>>of(KAFKA_PROPERTIES);
        }
        return Optional.<Key<?>>ofNullable(BY_NAME.get(name)).filter(key -> key.kind() != Key.Kind.NAMESPACE);
    }

    static boolean isKafkaProperty(String name) {
        return name.startsWith(KAFKA_PROPERTIES.name())
                && name.length() > KAFKA_PROPERTIES.name().length();
    }

    /** Whether the value of that Kafka client property is a secret, which may stand only as a reference. */
    static boolean isSecretKafkaProperty(String property) {
        return SECRET_KAFKA_PROPERTY.matcher(property).matches()
                && !OPEN_KAFKA_PROPERTY.matcher(property).matches();
    }
}
