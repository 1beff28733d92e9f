package dev.engagement.config;

import dev.engagement.capture.CaptureFormat;
import dev.engagement.capture.CaptureOptions;
import dev.engagement.clickhouse.ClickHouseOptions;
import dev.engagement.dedupe.DedupeOptions;
import dev.engagement.delivery.DeliveryOptions;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EventIdKind;
import dev.engagement.ingest.IngestFormat;
import dev.engagement.redrive.RedriveOptions;
import dev.engagement.rollup.definition.RollupDefinitions;
import dev.engagement.warehouse.WarehouseOptions;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.flink.configuration.MemorySize;
import org.jspecify.annotations.Nullable;

/**
 * Every option there is. {@code engagement-reference.properties} explains each at length; a test keeps the two equal.
 */
public final class Keys {
    private static final List<Key<?>> DECLARED = new ArrayList<>();

    /** Titles of the reference file, by the number of keys before each. */
    private static final Map<Integer, String> SECTIONS = new LinkedHashMap<>();

    private Keys() {}

    private static void section(String title) {
        SECTIONS.put(DECLARED.size(), title);
    }

    /** @param explanation as it stands in the reference file: unit, bounds, what too low and too high do */
    private static <T> Key<T> declared(Key<T> key, String explanation) {
        Key<T> explained = key.explained(explanation);
        DECLARED.add(explained);
        return explained;
    }

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
    /** What knows ClickHouse. */
    private static final Set<Command> CLICKHOUSE = Set.of(Command.STREAM);
    /** What knows the rollups: what computes them, and what compares and mends them. */
    private static final Set<Command> ROLLUP = Set.of(Command.STREAM, Command.BACKFILL, Command.AUDIT);
    /** What compares and mends the rollups. */
    private static final Set<Command> ROLLUP_REPAIRS = Set.of(Command.BACKFILL, Command.AUDIT);
    /** What knows which events are ahead of their time. */
    private static final Set<Command> CLOCKS = Set.of(Command.STREAM, Command.REBUILD, Command.BACKFILL, Command.AUDIT);
    /** What takes letters or events of a time. */
    private static final Set<Command> TIMES = Set.of(Command.BACKFILL, Command.REBUILD, Command.REDRIVE, Command.AUDIT);

    /** What knows schemas. */
    private static final Set<Command> REGISTRY = Set.of(Command.CAPTURE, Command.STREAM, Command.BACKFILL);
    /** What reads by schemas. */
    private static final Set<Command> SCHEMAS = Set.of(Command.STREAM, Command.BACKFILL);
    /** What decodes the events topic. */
    private static final Set<Command> FORMATS = Set.of(Command.STREAM, Command.REDRIVE);
    /** What decides whether an event may be without a content. */
    private static final Set<Command> CONTENTS =
            Set.of(Command.STREAM, Command.BACKFILL, Command.REBUILD, Command.REDRIVE, Command.AUDIT);

    private static final Type<Duration> ANY_DURATION = Type.duration(Duration.ZERO);
    private static final Type<Duration> SHORT_INTERVAL = Type.duration(Duration.ofMillis(10));

    /** The topics take messages of 8 MiB; what is left of it is for the key, the headers and the framing. */
    private static final MemorySize LARGEST_ROW = MemorySize.parse("8128 kb");

    static {
        section("The job");
    }

    public static final Key<String> CONFIG = declared(
            new Key<>(
                    "config",
                    Type.PATH,
                    Key.Kind.FILE,
                    null,
                    false,
                    "file with options, KEY=VALUE a line, UTF-8",
                    BOTH,
                    ""),
            """
            Path of the file with options, on the machine that submits. ENGAGEMENT_CONFIG does the same.
            """);
    public static final Key<String> JOB_NAME = declared(
            Key.of(
                    "job.name",
                    Type.TEXT,
                    "engagement-{command}",
                    BOTH,
                    "name of the job in Flink, its metrics and its UI"),
            """
            Name of the job in Flink's UI, its REST interface and its metrics. Text. Two jobs of one name run, but
            nobody can tell them apart.
            """);
    public static final Key<Integer> PARALLELISM = declared(
            Key.optional(
                    "parallelism",
                    Type.integer(1, 128),
                    BOTH,
                    "parallel instances of each stage; Flink's own if not given"),
            """
            Parallel instances of each stage. Number, 1 to 128; empty: Flink's own parallelism.default, or -p of
            'flink run'.
            Too low: the job lags behind at peak. Too high: idle instances, more connections and smaller batches;
            beyond the 16 partitions of the events topic a source instance has nothing to read.
            """);
    public static final Key<Duration> CHECKPOINT_INTERVAL = declared(
            Key.of("checkpoint.interval", SHORT_INTERVAL, "30 s", BOTH, "time between the starts of two checkpoints"),
            """
            Time between the starts of two checkpoints. Duration, at least 10 ms. If it is not given here and
            Flink's execution.checkpointing.interval is, Flink's stands. Checkpoints make the warehouse's rows
            visible; the live view does not wait for them.
            Too low: the job spends its time on checkpoints. Too high: more to do again after a failure, and
            warehouse rows late.
            """);
    public static final Key<Duration> CHECKPOINT_TIMEOUT = declared(
            Key.of("checkpoint.timeout", SHORT_INTERVAL, "10 min", BOTH, "when a checkpoint that hangs is given up"),
            """
            When a checkpoint that has not completed is given up. Duration, at least 10 ms. If it is not given here
            and Flink's execution.checkpointing.timeout is, Flink's stands. Three in a row may fail before the job
            restarts.
            Too low: under load no checkpoint completes. Too high: one that hangs blocks the next ones for that
            long.
            """);

    static {
        section("Kafka");
    }

    public static final Key<String> KAFKA_BOOTSTRAP_SERVERS = declared(
            Key.of("kafka.bootstrap-servers", Type.SERVERS, "localhost:9092", BOTH, "where Kafka is, comma separated"),
            """
            Where Kafka is. host:port, comma separated; two or three brokers are enough, the client finds the
            others.
            """);
    public static final Key<String> KAFKA_PROPERTIES = declared(
            new Key<>(
                    "kafka.properties.",
                    Type.TEXT_OR_EMPTY,
                    Key.Kind.NAMESPACE,
                    null,
                    false,
                    "any property of a Kafka client, for example kafka.properties.security.protocol",
                    BOTH,
                    ""),
            """
            Any property of a Kafka client, its name behind this prefix, for example
            kafka.properties.security.protocol=SASL_SSL. In the environment:
            ENGAGEMENT_KAFKA_PROPERTIES_SECURITY_PROTOCOL, '_' for every '.'. The values travel in the job graph, so
            a secret may stand only as a reference that the client resolves where it runs:
              kafka.properties.config.providers=file
              kafka.properties.config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider
              kafka.properties.ssl.key.password=${file:/run/secrets/kafka.properties:key-password}
            """);
    public static final Key<String> KAFKA_GROUP_ID = declared(
            Key.of("kafka.group-id", Type.TEXT, "engagement-stream", ENDS, "group that offsets are reported under"),
            """
            Consumer group that the stream's offsets are reported under. Text. For monitoring, and for a backfill
            that asks how far the stream is: where the job goes on is in its checkpoints. Two jobs of one group
            overwrite each other's numbers.
            """);
    public static final Key<String> KAFKA_TOPIC_PREFIX = declared(
            Key.of("kafka.topic-prefix", Type.TOPIC, "dbserver1", BOTH, "first part of the two captured topics' names"),
            """
            First part of the names of the two captured topics; Debezium's topic.prefix. Text that Kafka allows in a
            topic name.
            """);
    public static final Key<String> KAFKA_EVENTS_TOPIC = declared(
            Key.of(
                    "kafka.topics.events",
                    Type.TOPIC,
                    "{kafka.topic-prefix}.{postgres.schema}.{postgres.events-table}",
                    BOTH,
                    "topic of engagement events"),
            """
            Topic of engagement events. Topic name. Created by capture, if it is not there, with 16 partitions, 14
            days, 8 MiB messages.
            """);
    public static final Key<String> KAFKA_CONTENT_TOPIC = declared(
            Key.of(
                    "kafka.topics.content",
                    Type.TOPIC,
                    "{kafka.topic-prefix}.{postgres.schema}.{postgres.content-table}",
                    BOTH,
                    "topic of contents, compacted"),
            """
            Topic of contents, compacted. Topic name.
            """);
    public static final Key<String> KAFKA_DEAD_LETTERS_TOPIC = declared(
            Key.of(
                    "kafka.topics.dead-letters",
                    Type.TOPIC,
                    "engagement.dead-letters",
                    BOTH,
                    "topic of what could not be processed"),
            """
            Topic of what could not be processed. Topic name. Its letters do not expire.
            """);
    public static final Key<String> KAFKA_DEAD_LETTERS_REDRIVEN_TOPIC = declared(
            Key.of(
                    "kafka.topics.dead-letters-redriven",
                    Type.TOPIC,
                    "engagement.dead-letters-redriven",
                    BOTH,
                    "topic of which dead letters were put back, compacted"),
            """
            Topic of which dead letters were put back, compacted. Topic name.
            """);
    public static final Key<String> KAFKA_DELIVERY_RETRY_TOPIC = declared(
            Key.of(
                    "kafka.topics.delivery-retry",
                    Type.TOPIC,
                    "engagement.delivery-retry",
                    BOTH,
                    "topic of deliveries diverted from the live path"),
            """
            Topic of deliveries that were diverted from the live path. Topic name.
            """);
    public static final Key<String> KAFKA_DELIVERY_RECEIPTS_TOPIC = declared(
            Key.of(
                    "kafka.topics.delivery-receipts",
                    Type.TOPIC,
                    "engagement.delivery-receipts",
                    BOTH,
                    "topic of what was delivered, compacted; made if delivery.receipts is true"),
            """
            Topic of what was delivered, when and with which status, compacted. Topic name. Made and written only if
            delivery.receipts is true.
            """);
    public static final Key<Integer> KAFKA_REPLICATION_FACTOR = declared(
            Key.of(
                    "kafka.replication-factor",
                    Type.replicationFactor(),
                    "-1",
                    BOTH,
                    "copies of a topic that has to be created; -1 is the broker's default"),
            """
            Copies of each topic that has to be created. Number, or -1 for the broker's own
            default.replication.factor; topics that are there already are left alone.
            Too low: a broker that is lost takes the only copy with it. Too high: more than there are brokers, and
            no topic can be created.
            """);

    static {
        section("PostgreSQL");
    }

    public static final Key<String> POSTGRES_URL = declared(
            Key.of(
                    "postgres.url",
                    Type.postgresUrl("postgres"),
                    "jdbc:postgresql://localhost:5432/postgres",
                    TABLES,
                    "where PostgreSQL is, without user and password"),
            """
            Where PostgreSQL is, without user and password. JDBC URL. capture, backfill, rebuild and audit, of which
            the last three read a standby as well, of which backfill takes no contents; redrive reads rows of
            OVERSIZE letters there.
            """);
    public static final Key<String> POSTGRES_USERNAME = declared(
            Key.required(
                    "postgres.username",
                    Type.TEXT,
                    TABLES,
                    "role with SELECT on both tables, and REPLICATION for capture"),
            """
            A role with SELECT on both tables; for capture also with REPLICATION, and INSERT and UPDATE on the
            heartbeat table. Text. There is no default. audit needs SELECT on the table of events only, redrive
            without a role reads no rows, and capture of an outbox needs it on the outbox instead of both tables.
            """);
    public static final Key<String> POSTGRES_PASSWORD =
            declared(Key.secret("postgres.password", true, TABLES, "that role's password"), """
            That role's password. capture needs it here or in a file (next key). Every TaskManager must have the
            variable too: the job graph holds only its name.
            """);
    public static final Key<String> POSTGRES_PASSWORD_FILE = declared(Key.fileOf(POSTGRES_PASSWORD), """
            File with that password, read where the connection is made, on every TaskManager. Path; one trailing
            line end is left off. Instead of the variable above, not beside it.
            """);
    public static final Key<String> POSTGRES_SCHEMA =
            declared(Key.of("postgres.schema", Type.POSTGRES_NAME, "public", BOTH, "schema of the tables"), """
            Schema of the tables. Name: letters, digits and underscores. It is part of the topics' default names, so
            the stream needs the same.
            """);
    public static final Key<String> POSTGRES_EVENTS_TABLE = declared(
            Key.of("postgres.events-table", Type.POSTGRES_NAME, "engagement_events", BOTH, "table of events"), """
            Table of events, without the schema. Name.
            """);
    public static final Key<String> POSTGRES_CONTENT_TABLE =
            declared(Key.of("postgres.content-table", Type.POSTGRES_NAME, "content", BOTH, "table of contents"), """
            Table of contents, without the schema. Name.
            """);
    public static final Key<String> POSTGRES_HEARTBEAT_TABLE = declared(
            Key.of(
                    "postgres.heartbeat-table",
                    Type.POSTGRES_NAME,
                    "engagement_heartbeat",
                    CAPTURE,
                    "table that capture writes to, so that an idle database does not hold the slot back"),
            """
            Table of one row that capture writes to, so that an idle database does not hold the slot back. Name.
            capture only.
            """);
    public static final Key<String> POSTGRES_SLOT_NAME = declared(
            Key.of("postgres.slot-name", Type.SLOT_NAME, "engagement_slot", CAPTURE, "logical replication slot"), """
            Logical replication slot, one for each capture. Name: lower-case letters, digits and underscores.
            Another name is another slot: what happened before it was created is not in it. capture only.
            """);
    public static final Key<String> POSTGRES_PUBLICATION = declared(
            Key.of(
                    "postgres.publication",
                    Type.POSTGRES_NAME,
                    "engagement_publication",
                    PUBLISHED,
                    "publication with both tables and the heartbeat table"),
            """
            Publication with both tables, or the outbox, and the heartbeat table. Name. capture; audit, backfill, rebuild and
            redrive ask it for its filter and its columns if capture.accept-filtered is set.
            """);

    static {
        section("Capture");
    }

    public static final Key<CaptureOptions.Source> CAPTURE_SOURCE = declared(
            Key.of(
                    "capture.source",
                    Type.oneOf(CaptureOptions.Source.class),
                    "tables",
                    CAPTURE,
                    "the two tables, or an outbox whose payloads are their rows"),
            """
            What is captured. tables: the table of events and the table of contents. outbox: one table in the columns
            of Debezium's Event Router, whose payloads are their rows; the topics are the same. A state of one is
            refused by the other.
            """);
    public static final Key<CaptureOptions.Start> CAPTURE_START = declared(
            Key.of(
                    "capture.start",
                    Type.oneOf(CaptureOptions.Start.class),
                    "initial",
                    CAPTURE,
                    "first start with the rows that are there, or with changes only"),
            """
            Where the first start begins. initial: with the rows that are there, then changes. latest: with changes
            only, from the slot if there is one, else from the present. A restart goes on at its checkpoint,
            whatever stands here.
            """);
    public static final Key<Duration> CAPTURE_HEARTBEAT_INTERVAL = declared(
            Key.of(
                    "capture.heartbeat-interval",
                    Type.duration(Duration.ofMillis(100)),
                    "10 s",
                    CAPTURE,
                    "how often the heartbeat row is written"),
            """
            How often the heartbeat row is written. Duration, at least 100 ms.
            Too low: useless writes and WAL. Too high: while the tables are idle and others are busy, PostgreSQL
            keeps that much more WAL.
            """);
    public static final Key<MemorySize> CAPTURE_MAX_ROW_BYTES = declared(
            Key.of(
                    "capture.max-row-bytes",
                    Type.size(MemorySize.parse("1 kb"), LARGEST_ROW),
                    "8128 kb",
                    ROWS,
                    "largest row written to Kafka; a larger one becomes an OVERSIZE letter"),
            """
            Largest row that is written to Kafka, as a Debezium value. Size, 1 kb to 8128 kb: the topics take
            messages of 8 mb, and the key, the headers and the framing need some of it. A larger row becomes an
            OVERSIZE letter that refers to it.
            Too low: rows that the stream could read become letters. Too high: refused here, because Kafka would
            refuse the message and capture would stand still.
            """);
    public static final Key<Boolean> CAPTURE_ACCEPT_FILTERED = declared(
            Key.of(
                    "capture.accept-filtered",
                    Type.BOOLEAN,
                    "false",
                    PUBLISHED,
                    "whether the publication may leave out rows or columns"),
            """
            Whether the publication may leave out rows (a row filter) or columns in use (a column list) of either
            table, and whether a table may have no such column. true or false. With false capture refuses to start,
            as what is left out never comes, and nothing else says so. With true audit expects nowhere what the
            publication of the events leaves out, and backfill, rebuild and redrive read nothing that it leaves out
            of either table; a column that a table does not have is empty for all of them. With false audit compares
            the whole table, and says so. Of an outbox it says whether payloads may lack fields in use. capture,
            backfill, rebuild, redrive and audit.
            """);
    public static final Key<String> CAPTURE_OUTBOX_TABLE =
            declared(Key.of("capture.outbox.table", Type.POSTGRES_NAME, "outbox_events", CAPTURE, "the outbox"), """
            The outbox, in the schema of the tables. Name. This and what follows is read with capture.source=outbox.
            """);
    public static final Key<String> CAPTURE_OUTBOX_ID_COLUMN = declared(
            Key.of("capture.outbox.id-column", Type.POSTGRES_NAME, "id", CAPTURE, "column of the outbox row's own id"),
            """
            Column of the outbox row's own id, by which dead letters name it. Name. The Event Router's
            table.field.event.id.
            """);
    public static final Key<String> CAPTURE_OUTBOX_AGGREGATE_TYPE_COLUMN = declared(
            Key.of(
                    "capture.outbox.aggregate-type-column",
                    Type.POSTGRES_NAME,
                    "aggregatetype",
                    CAPTURE,
                    "column that tells events from contents"),
            """
            Column that says whether the payload is an event or a content. Name. The Event Router's route.by.field.
            """);
    public static final Key<String> CAPTURE_OUTBOX_AGGREGATE_ID_COLUMN = declared(
            Key.of(
                    "capture.outbox.aggregate-id-column",
                    Type.POSTGRES_NAME,
                    "aggregateid",
                    CAPTURE,
                    "column of the id of what is deleted with an empty payload"),
            """
            Column of the id of the event or content; it is read only where the payload has none. Name. The Event
            Router's table.field.event.key.
            """);
    public static final Key<String> CAPTURE_OUTBOX_TYPE_COLUMN = declared(
            Key.of("capture.outbox.type-column", Type.POSTGRES_NAME, "type", CAPTURE, "column of what happened"), """
            Column of what happened. Name. The Event Router's table.field.event.type.
            """);
    public static final Key<String> CAPTURE_OUTBOX_PAYLOAD_COLUMN = declared(
            Key.of(
                    "capture.outbox.payload-column",
                    Type.POSTGRES_NAME,
                    "payload",
                    CAPTURE,
                    "column of the row as JSON"),
            """
            Column of the row as JSON: jsonb, json or text. Name. The Event Router's table.field.event.payload.
            """);
    public static final Key<String> CAPTURE_OUTBOX_CREATED_AT_COLUMN = declared(
            Key.of(
                    "capture.outbox.created-at-column",
                    Type.POSTGRES_NAME,
                    "created_at",
                    CAPTURE,
                    "column of the time at which the outbox row was written"),
            """
            Column of the time at which the outbox row was written, by clock_timestamp(). Name. Rows that are there at
            the first start are read in its order, and removed in its order. A table may be without it if
            capture.start is latest and capture.outbox.purge is false.
            """);
    public static final Key<String> CAPTURE_OUTBOX_EVENT_AGGREGATE = declared(
            Key.of(
                    "capture.outbox.event-aggregate",
                    Type.TEXT,
                    "engagement_event",
                    CAPTURE,
                    "aggregate type of events"),
            """
            Aggregate type of events. Text, compared exactly.
            """);
    public static final Key<String> CAPTURE_OUTBOX_CONTENT_AGGREGATE = declared(
            Key.of("capture.outbox.content-aggregate", Type.TEXT, "content", CAPTURE, "aggregate type of contents"),
            """
            Aggregate type of contents. Text, compared exactly.
            """);
    public static final Key<List<String>> CAPTURE_OUTBOX_IGNORED_AGGREGATES = declared(
            Key.of(
                    "capture.outbox.ignored-aggregates",
                    Type.WORDS,
                    "",
                    CAPTURE,
                    "aggregate types of others who use the same outbox"),
            """
            Aggregate types of others who use the same outbox, whose rows are passed over. List, comma separated. A
            row of any other aggregate type becomes an UNDECODABLE letter.
            """);
    public static final Key<List<String>> CAPTURE_OUTBOX_DELETE_TYPES = declared(
            Key.of(
                    "capture.outbox.delete-types",
                    Type.WORDS,
                    "delete,deleted",
                    CAPTURE,
                    "last words of types that say that a row was deleted"),
            """
            Last words of types that say that a row was deleted, such as that of content.deleted, CONTENT_DELETED or
            ContentDeleted. List of words in lower case, comma separated; upper and lower case are the same. An empty
            payload deletes a content whatever its type says.
            """);
    public static final Key<String> CAPTURE_OUTBOX_MESSAGE_PREFIX = declared(
            Key.of(
                    "capture.outbox.message-prefix",
                    Type.TEXT,
                    "engagement",
                    CAPTURE,
                    "prefix of messages that stand for rows of the outbox"),
            """
            Prefix of messages (pg_logical_emit_message, from PostgreSQL 14 on) that stand for rows of the outbox: each
            a JSON object with the fields of its columns. Text, compared exactly.
            """);
    public static final Key<Boolean> CAPTURE_OUTBOX_PURGE = declared(
            Key.of(
                    "capture.outbox.purge",
                    Type.BOOLEAN,
                    "false",
                    CAPTURE,
                    "whether outbox rows are removed once a completed checkpoint covers them"),
            """
            Whether rows of the outbox are removed once a completed checkpoint covers them: oldest first, 1,000 at a
            time, at each heartbeat up to 100,000. true or false. It needs DELETE on the outbox. With false whoever
            owns the outbox removes its rows, which may be as soon as they are written.
            """);

    public static final Key<Integer> ACCEPT_TIMELINE = declared(
            Key.argument(
                    "accept-timeline",
                    Type.integer(1, Integer.MAX_VALUE),
                    false,
                    CAPTURE,
                    "go on with that timeline although what was captured last is not on it"),
            """
            Number of a timeline, at least 1, as capture's message names it, that capture goes on with although changes
            which it captured last are not on it: they are lost at the source, and their ids may be given out again.
            Refused all the same if the position to continue at is not on it. Meant for one start, which is why it
            cannot stand in a file. capture only.
            Too low: an older timeline is accepted, which helps nothing. Too high: one that is not there yet is.
            """);

    public static final Key<CaptureFormat> CAPTURE_FORMAT = declared(
            Key.of(
                    "capture.format",
                    Type.oneOf(CaptureFormat.class),
                    "json",
                    CAPTURE,
                    "what keys and values are written as: json, or avro by schemas of registry.url"),
            """
            What keys and values are written as. json: without schemas. avro: as Debezium behind an AvroConverter, in the
            wire format of a schema registry, which registry.url names. A row is written in the format of the moment it is
            written: in a topic with both, a content has two keys, so change it only for new topics.
            """);
    public static final Key<Boolean> CAPTURE_REGISTRY_AUTO_REGISTER = declared(
            Key.of(
                    "capture.registry.auto-register",
                    Type.BOOLEAN,
                    "false",
                    CAPTURE,
                    "whether capture registers the schemas that it writes Avro by"),
            """
            Whether capture registers the schemas that it writes Avro by. true or false. With false it looks them up,
            under the subjects TOPIC-key and TOPIC-value, and restarts until they are there; the message holds the schema.
            """);

    static {
        section("Reading the topics");
    }

    public static final Key<MemorySize> INGEST_MAX_RECORD_BYTES = declared(
            Key.of(
                    "ingest.max-record-bytes",
                    Type.size(MemorySize.parse("1 kb"), MemorySize.parse("8 mb")),
                    "1 mb",
                    RECORDS,
                    "largest Kafka value read; a larger one becomes an OVERSIZE letter"),
            """
            Largest Kafka value that the stream reads. Size, 1 kb to 8 mb. A larger one becomes an OVERSIZE letter.
            Too low: honest events become letters. Too high: a few huge values fill the network buffers and hold the
            others up.
            """);
    public static final Key<IngestFormat> INGEST_FORMAT = declared(
            Key.of(
                    "ingest.format",
                    Type.oneOf(IngestFormat.class),
                    "auto",
                    FORMATS,
                    "what the topics hold: auto, json, registry or flat"),
            """
            What keys and values of the two topics are. auto: each says it itself, one that begins with the magic byte 0
            and the id of a schema is of a schema registry, any other is JSON. json: JSON, and nothing else. registry:
            of a schema registry, and nothing else. What is something else becomes an UNDECODABLE letter. flat: each
            value of the events topic is one event as a JSON object, its fields called as the columns are; an envelope
            between them is read as one, as backfill and redrive put such there. The topic of contents is read as with
            auto then. A plain event that is read as auto becomes an UNDECODABLE letter, and goes in by a redrive once
            this is set. stream and redrive.
            """);
    public static final Key<EventIdKind> INGEST_EVENT_ID = declared(
            Key.of(
                    "ingest.event-id",
                    Type.oneOf(EventIdKind.class),
                    "long",
                    BOTH,
                    "what the primary keys of the events are"),
            """
            What the primary keys of the events are. long: whole numbers of 64 bits (BIGSERIAL), the fast path. text:
            UUIDs, ULIDs and the like, 1 to 128 characters of A-Z, a-z, 0-9, _ and -, compared byte by byte; event_id
            is a STRING in the warehouse then. An id of the other kind becomes an INVALID letter, and a job of one
            kind refuses a savepoint of the other.
            All commands of an installation have the same value.
            """);
    public static final Key<Boolean> ACCEPT_GAP = declared(
            Key.flag("accept-gap", STREAM, "continue although Kafka no longer has all that the job was to read next"),
            """
            Continue although Kafka no longer has the offset that the job was to continue at, or has made the topic
            anew; what is missing is skipped. Meant for one start, which is why it cannot stand in a file. stream
            only.
            """);

    static {
        section("Schema registry");
    }

    public static final Key<URI> REGISTRY_URL = declared(
            Key.optional(
                    "registry.url",
                    Type.REGISTRY_URL,
                    REGISTRY,
                    "where the schema registry is: what stands before /schemas/ids/"),
            """
            Where the schema registry is. URL, as far as Confluent's routes begin: https://psrc-0000.us-east-2.aws.confluent.cloud,
            http://host:8081, or http://host:8080/apis/ccompat/v7 of Apicurio. stream and backfill ask it for the schema of an id, and
            never register; capture needs it with capture.format avro. Without it a value of a schema registry becomes
            an UNDECODABLE letter. While it does not answer, the stream waits where it needs a schema that it has not met.
            """);
    public static final Key<String> REGISTRY_USERNAME = declared(
            Key.optional("registry.username", Type.TEXT, REGISTRY, "user of the schema registry; an API key"), """
            User of the schema registry, for basic authentication. Text; empty: none. On Confluent Cloud the API key of
            the Schema Registry, which is not that of the cluster.
            """);
    public static final Key<String> REGISTRY_PASSWORD =
            declared(Key.secret("registry.password", false, REGISTRY, "that user's password; the API secret"), """
            That user's password; on Confluent Cloud the API secret. Every TaskManager must have the variable too: the job
            graph holds only its name.
            """);
    public static final Key<String> REGISTRY_PASSWORD_FILE = declared(Key.fileOf(REGISTRY_PASSWORD), """
            File with that password, read for each request, on every TaskManager. Path; one trailing line end is left off.
            Instead of the variable above, not beside it.
            """);
    public static final Key<Integer> REGISTRY_ID_BYTES = declared(
            Key.of(
                    "registry.id-bytes",
                    Type.ID_BYTES,
                    "4",
                    SCHEMAS,
                    "bytes of the schema's id in keys and values: 4, or 8 as Apicurio's own clients write"),
            """
            Bytes of the schema's id behind the magic byte of keys and values. 4, as Confluent's clients write it,
            or 8, as Apicurio's own do by default. With the wrong one each value becomes a letter that
            names an id which nobody gave out.
            """);

    static {
        section("Enrichment");
    }

    public static final Key<EngagementRule.PctMode> ENRICHMENT_PCT_MODE = declared(
            Key.of(
                    "enrichment.pct-mode",
                    Type.oneOf(EngagementRule.PctMode.class),
                    "ratio",
                    STAGES,
                    "7 s of 300 s as 0.02 or as 2.33"),
            """
            Form of engagement_pct. ratio: 7 s of 300 s is 0.02. percent: 2.33. A change holds for events enriched
            from then on; rows that were written keep their form.
            """);
    public static final Key<Integer> ENRICHMENT_PCT_SCALE = declared(
            Key.of(
                    "enrichment.pct-scale",
                    Type.integer(0, EngagementRule.MAX_PCT_SCALE),
                    "2",
                    STAGES,
                    "digits after the point of engagement_pct"),
            """
            Digits after the point of engagement_pct, rounded half up. Number, 0 to 9.
            Too low: short engagements with long contents all become 0. Too high: digits that mean nothing, in every
            row.
            """);
    public static final Key<EngagementRule.NullRule> ENRICHMENT_NULL_RULE = declared(
            Key.of(
                    "enrichment.null-rule",
                    Type.oneOf(EngagementRule.NullRule.class),
                    "independent",
                    STAGES,
                    "whether engagement_seconds survives a missing length"),
            """
            What a missing length does. independent: engagement_seconds stays, engagement_pct is null. either: both
            are null.
            """);
    public static final Key<Boolean> ENRICHMENT_CONTENT_REQUIRED = declared(
            Key.of(
                    "enrichment.content-required",
                    Type.BOOLEAN,
                    "true",
                    CONTENTS,
                    "whether an event without a content becomes a dead letter"),
            """
            Whether an event must have a content. true or false. With true one without a content_id becomes an INVALID
            letter, and one whose content does not come an UNRESOLVED one. With false both pass, and the columns of a
            content are null. Without a content_id an event is in no leaderboard, count, bucket or content:last, and in
            no rollup by content_id. stream, and what reads the tables beside it, must say the same: backfill, rebuild,
            redrive and audit.
            """);
    public static final Key<Duration> ENRICHMENT_CONTENT_WAIT = declared(
            Key.of(
                    "enrichment.content-wait",
                    ANY_DURATION,
                    "30 s",
                    STAGES,
                    "how long an event waits for an unknown content before it becomes an UNRESOLVED letter"),
            """
            How long an event waits for an unknown content before it becomes an UNRESOLVED letter. Duration, by the
            wall clock; it begins only once the content topic has been read to its end, so a cold start makes no
            letters. With enrichment.content-required=false it is 0 s unless it is given, and an event then passes
            without its content.
            Too low: events that overtake their content become letters. Too high: more events wait in state, and an
            orphan is noticed later.
            """);

    static {
        section("Event time");
    }

    public static final Key<Duration> RANKING_WINDOW = declared(
            Key.of("ranking.window", ANY_DURATION, "10 min", STAGES, "event time that a leaderboard covers"), """
            How much event time a leaderboard covers, up to its slide end. Duration in whole seconds, at least
            ranking.slide and at most 24 h. The names of the keys in Redis speak of ten minutes whatever it is.
            Too low: boards jump about. Too high: each event of the window is held in memory, some 10 bytes each.
            """);
    public static final Key<Duration> RANKING_SLIDE = declared(
            Key.of(
                    "ranking.slide",
                    ANY_DURATION,
                    "1 s",
                    STAGES,
                    "event time from one state of the leaderboards to the next"),
            """
            Event time from one state of the leaderboards to the next. Duration in whole seconds, at least 1 s. The
            cost of an event does not depend on it.
            Too low: cannot be, with 1 s. Too high: boards are older by as much.
            """);
    public static final Key<Integer> RANKING_TOP_N =
            declared(Key.of("ranking.top-n", Type.integer(1, 10_000), "100", STAGES, "places on a leaderboard"), """
            Places on a leaderboard. Number, 1 to 10000.
            Too low: contents are missing from the board. Too high: at each slide Redis replaces as many members of
            two boards, and does nothing else meanwhile; with 10000 that is some 40 ms each.
            """);
    public static final Key<Duration> RANKING_MAX_OUT_OF_ORDERNESS = declared(
            Key.of(
                    "ranking.max-out-of-orderness",
                    ANY_DURATION,
                    "2 s",
                    STAGES,
                    "how much older than the newest event another may be and not be late"),
            """
            How much older than the newest event another may be and still enter its windows in time. Duration.
            Too low: late events enter the leaderboards only from the next slide on. Too high: leaderboards appear
            later by as much.
            """);
    public static final Key<Duration> RANKING_MAX_CLOCK_SKEW = declared(
            Key.of(
                    "ranking.max-clock-skew",
                    ANY_DURATION,
                    "1 min",
                    CLOCKS,
                    "how far ahead of its Kafka timestamp an event may be stamped and still move event time"),
            """
            How far ahead of its own Kafka timestamp an event may be stamped and still move event time. Duration.
            One beyond it enters no leaderboard, bucket or 'last', but is counted.
            Too low: events of clocks that are a little fast are left out. Too high: one clock gone wrong drives out
            honest contents.
            """);
    public static final Key<Duration> RANKING_IDLE_TIMEOUT = declared(
            Key.of(
                    "ranking.idle-timeout",
                    SHORT_INTERVAL,
                    "1 s",
                    STAGES,
                    "after how long without a record a partition follows the wall clock"),
            """
            After how long without a record a partition that was read to its end follows the wall clock. Duration,
            at least 10 ms.
            Too low: a short pause already moves event time, and what follows is late. Too high: after traffic
            stops, leaderboards stand still for as long.
            """);

    static {
        section("Duplicates");
    }

    public static final Key<Optional<Duration>> DEDUPE_HORIZON = declared(
            Key.of(
                    "dedupe.horizon",
                    Type.NONE_OR_DURATION,
                    "none",
                    STAGES,
                    "how long ids are remembered after their first arrival"),
            """
            How long the id of an event is remembered at least, from the Kafka time of its first arrival. none: for
            ever, about a bit an id (120 MB for 10^9). Else a duration, at least 1 h. With ingest.event-id=text an id
            takes some 40 bytes, so there is no none, and 7 d if nothing is given.
            Too low: a duplicate that comes later is counted and delivered again. Too high: only state that is
            larger.
            """);
    public static final Key<Integer> DEDUPE_CONFLICT_WINDOW = declared(
            Key.of(
                    "dedupe.conflict-window",
                    Type.integer(0, DedupeOptions.MAX_CONFLICT_WINDOW),
                    "0",
                    STAGES,
                    "of how many of the latest ids the facts are known, to tell a conflict from a duplicate"),
            """
            Of how many of its latest ids each subtask of the dedupe remembers what they stood for, so that an id that
            comes again with other facts becomes a CONFLICT letter and is not dropped as a duplicate. Number,
            0 to 16777216; 0 for none. For a source that Debezium on Kafka Connect captures, which goes on when the
            source went back in time; this job's own capture stops then.
            Too low: an id that was given out again later than so many others is dropped. Too high: 16 bytes an id in
            the heap of every subtask. It is not part of the state, so a restart begins with none.
            """);

    static {
        section("Destinations");
    }

    public static final Key<Set<Destination>> DESTINATIONS = declared(
            Key.of(
                    "destinations",
                    Type.DESTINATIONS,
                    String.join(",", Destination.words(Destination.DEFAULT)),
                    ENDS,
                    "where events go, comma separated"),
            """
            Where events go. List, comma separated, of liveview, warehouse, delivery, rollups and clickhouse. stream;
            backfill asks those and audit compares them, both without clickhouse. rebuild writes to liveview and
            warehouse, and refuses a list with delivery, rollups or clickhouse in it if it is given, here too. As
            long as there is no rollup.postgres.username, the default is without rollups, and stream says so. A
            warehouse that takes nothing, BigQuery or ClickHouse, holds the job back, the live view, delivery and
            rollups with it: who wants them apart runs two jobs, each with a list, a job.name, a kafka.group-id and
            savepoints of its own. What is left out needs no server and none of its options.
            """);
    public static final Key<URI> REDIS_URL = declared(
            Key.of(
                    "redis.url",
                    Type.REDIS_URL,
                    "redis://localhost:6379",
                    LIVEVIEW,
                    "where Redis is, without password; rediss:// for TLS"),
            """
            Where Redis is, without password. redis://host:port, or rediss://host:port for TLS, /N behind it for
            database N; port 6379 if there is none. redis://user@host:port logs in as that user, with
            redis.password. Of a Redis Cluster any node, without a database; with TLS its nodes have to announce the
            names in their certificates.
            """);
    public static final Key<String> REDIS_PASSWORD =
            declared(Key.secret("redis.password", false, LIVEVIEW, "password of Redis"), """
            Password of Redis, if it wants one. Every TaskManager must have the variable too: the job graph holds
            only its name.
            """);
    public static final Key<String> REDIS_PASSWORD_FILE = declared(Key.fileOf(REDIS_PASSWORD), """
            File with that password, read where the connection is made, on every TaskManager. Path; one trailing
            line end is left off. Instead of the variable above, not beside it.
            """);
    public static final Key<String> REDIS_KEY_PREFIX = declared(
            Key.of("redis.key-prefix", Type.TEXT_OR_EMPTY, "", LIVEVIEW, "put before every key in Redis"), """
            Put before every key in Redis, so that two environments can share a server. Text; give it a separator of
            its own at the end, such as 'staging:'. Another prefix is another live view, which begins empty.
            """);
    public static final Key<Boolean> LIVEVIEW_EVENT_CACHE = declared(
            Key.of(
                    "liveview.event-cache",
                    Type.BOOLEAN,
                    "false",
                    STAGES,
                    "whether single events are kept in Redis for an hour, best effort"),
            """
            Whether each enriched event is kept in Redis by itself, engagement_events:event:ID, for an hour after it
            came into Kafka. true or false. Best effort: left out first when Redis is slow or away, and counted
            (eventCacheLeftOut). Costs a write an event and, at 3,333 events/s, some 12 GB of Redis memory.
            """);
    public static final Key<String> WAREHOUSE_PROJECT = declared(
            Key.optional(
                    "warehouse.project",
                    Type.TEXT,
                    WAREHOUSE,
                    "project in BigQuery; needed if destinations has warehouse"),
            """
            BigQuery's project. Text. Needed if destinations has warehouse; there is no default.
            """);
    public static final Key<String> WAREHOUSE_DATASET = declared(
            Key.of("warehouse.dataset", Type.TEXT, "analytics", WAREHOUSE, "dataset, created if it is not there"), """
            Dataset of the table. Letters, digits and underscores. Created, if it is not there, in BigQuery's
            default location; create it yourself for another one.
            """);
    public static final Key<String> WAREHOUSE_TABLE = declared(
            Key.of("warehouse.table", Type.TEXT, "engagement_events", WAREHOUSE, "table, created if it is not there"),
            """
            Table of events. Letters, digits, '-' and '_'. Created if it is not there, clustered by content_type and
            event_type; one that is there is checked before anything is submitted. Another table is another
            warehouse: a job that goes on from a savepoint writes to it what comes from then on.
            """);
    public static final Key<URI> WAREHOUSE_ENDPOINT = declared(
            Key.of(
                    "warehouse.endpoint",
                    Type.HTTP_URL,
                    "https://bigquery.googleapis.com",
                    WAREHOUSE,
                    "where BigQuery answers REST; http:// for an emulator, without credentials"),
            """
            Where BigQuery answers REST. https://host:port, or http://host:port for a local emulator, which gets no
            credentials.
            """);
    public static final Key<URI> WAREHOUSE_GRPC_ENDPOINT = declared(
            Key.of(
                    "warehouse.grpc-endpoint",
                    Type.HTTP_URL,
                    "https://bigquerystorage.googleapis.com",
                    WAREHOUSE,
                    "where BigQuery's Storage Write API answers gRPC; http:// for an emulator"),
            """
            Where BigQuery's Storage Write API answers gRPC. The same forms, and the same of https and http as the
            key above.
            """);
    public static final Key<String> WAREHOUSE_CREDENTIALS_FILE = declared(
            Key.optional(
                    "warehouse.credentials-file",
                    Type.PATH,
                    WAREHOUSE,
                    "key file of a service account, on the client and every TaskManager; else the machine's own credentials"),
            """
            Key file of a service account, read where the connection is made: on the client and on every
            TaskManager. Path. Empty: what the machine itself has (application default credentials). The account
            needs bigquery.dataEditor on the dataset.
            """);
    public static final Key<WarehouseOptions.Partition> WAREHOUSE_PARTITION = declared(
            Key.of(
                    "warehouse.partition",
                    Type.oneOf(WarehouseOptions.Partition.class),
                    "DAY",
                    WAREHOUSE,
                    "event time that a partition of a new table holds"),
            """
            Event time that a partition holds, of a table that has to be created; one that is there keeps its own.
            day, or hour, which is BigQuery's finest and needs the next key, because a table holds 10,000
            partitions.
            """);
    public static final Key<Optional<Duration>> WAREHOUSE_PARTITION_EXPIRATION = declared(
            Key.of(
                    "warehouse.partition-expiration",
                    Type.NONE_OR_DURATION,
                    "none",
                    WAREHOUSE,
                    "when a partition of a new table is deleted; HOUR needs at most 400 d"),
            """
            When a partition is deleted, counted from its time, of a table that has to be created. none: never. Else
            a duration; with hour it is needed, at most 400 d.
            Too low: rows are deleted that somebody still asks for, and older events that arrive are deleted at
            once. Too high: only storage.
            """);
    public static final Key<Boolean> WAREHOUSE_REQUIRE_PARTITION_FILTER = declared(
            Key.of(
                    "warehouse.require-partition-filter",
                    Type.BOOLEAN,
                    "false",
                    WAREHOUSE,
                    "whether a new table refuses queries that do not say which event_ts they read"),
            """
            Whether a table that has to be created refuses queries that do not say which event_ts they read. true or
            false.
            """);
    public static final Key<Boolean> WAREHOUSE_ADD_COLUMNS = declared(
            Key.of(
                    "warehouse.add-columns",
                    Type.BOOLEAN,
                    "false",
                    WAREHOUSE,
                    "add nullable columns that an existing table lacks"),
            """
            Whether columns that an existing table lacks are added, nullable, at the start. true or false. Without
            it a table that lacks one is refused with its name.
            """);
    public static final Key<WarehouseOptions.JsonNumbers> WAREHOUSE_JSON_NUMBERS = declared(
            Key.of(
                    "warehouse.json-numbers",
                    Type.oneOf(WarehouseOptions.JsonNumbers.class),
                    "EXACT",
                    WAREHOUSE,
                    "whether rows are refused or rounded whose raw_payload holds a number that BigQuery's JSON would change"),
            """
            What becomes of a row whose raw_payload holds a number that BigQuery's JSON would change, such as
            922337203685477580701 or, by the way in which BigQuery compares, one fraction of some hundreds, such as
            0.01207. exact: the row is a dead letter REJECTED. round: the row gets the number that BigQuery would
            make of it, the nearest 64-bit floating point number; one beyond all of those, such as 1e400, is
            REJECTED as well. A redrive with round lets in what exact refused.
            """);
    public static final Key<MemorySize> WAREHOUSE_FLUSH_SIZE = declared(
            Key.of(
                    "warehouse.flush-size",
                    Type.size(MemorySize.parse("1 kb"), MemorySize.parse("9 mb")),
                    "1 mb",
                    WAREHOUSE,
                    "size at which rows are sent"),
            """
            Size at which rows are sent to BigQuery in one request. Size, 1 kb to 9 mb, as BigQuery takes requests
            of 10 MB.
            Too low: a request for a few rows each, and fewer rows a second. Too high: nothing gained from some 2 mb
            on, and more to send again after a failure.
            """);
    public static final Key<Duration> WAREHOUSE_FLUSH_INTERVAL = declared(
            Key.of(
                    "warehouse.flush-interval",
                    SHORT_INTERVAL,
                    "1 s",
                    WAREHOUSE,
                    "after how long rows are sent at the latest"),
            """
            After how long rows are sent that do not fill a request. Duration, at least 10 ms. Rows become visible
            with checkpoints whatever stands here.
            Too low: small requests when there is little traffic. Too high: checkpoints wait for the rows that are
            still to be sent.
            """);
    public static final Key<MemorySize> WAREHOUSE_MAX_IN_FLIGHT_BYTES = declared(
            Key.of(
                    "warehouse.max-in-flight-bytes",
                    Type.size(MemorySize.parse("64 kb"), MemorySize.parse("4 gb")),
                    "64 mb",
                    WAREHOUSE,
                    "rows that each writer holds until BigQuery has acknowledged them"),
            """
            Rows that each writer holds until BigQuery has acknowledged them; beyond it the job waits. Size, 64 kb
            to 4 gb, at least warehouse.flush-size. There are as many writers as the job's parallelism; it is memory
            of the TaskManager's JVM heap.
            Too low: while an answer is on its way nothing is sent, and throughput falls with BigQuery's latency.
            Too high: the TaskManagers run out of memory while BigQuery is slow.
            """);
    public static final Key<Duration> WAREHOUSE_COMMIT_TIMEOUT = declared(
            Key.of(
                    "warehouse.commit-timeout",
                    Type.duration(Duration.ofSeconds(1)),
                    "1 h",
                    WAREHOUSE,
                    "how long showing rows is tried before the job fails"),
            """
            How long BigQuery may refuse to show the rows of a checkpoint, for reasons that pass by themselves,
            until the job fails and restarts. Duration, at least 1 s. Nothing is lost in either case.
            Too low: a longer outage costs restarts, each of which reads again. Too high: an outage shows late, as
            checkpoints that do not complete.
            """);
    public static final Key<URI> DELIVERY_URL = declared(
            Key.of(
                    "delivery.url",
                    Type.WEBHOOK_URL,
                    "http://localhost:8000/events",
                    STREAM,
                    "where events are posted to, without user and password"),
            """
            Where events are posted to. https://host:port/path, without user, password and fragment; http:// only to
            this machine, or with delivery.allow-plain-http. It is in messages and logs, its query left off; a
            parameter that looks like a secret is refused. The receiver has to be ready for the same event twice,
            under the same webhook-id. Redirects are not followed.
            """);
    public static final Key<String> DELIVERY_SECRET = declared(
            Key.secret("delivery.secret", false, STREAM, "signs each request: whsec_ and base64 of at least 24 bytes"),
            """
            Signs each request as Standard Webhooks 1.0 says: whsec_ and base64 of at least 24 bytes, such as
            "whsec_$(openssl rand -base64 32)"; the prefix may be missing. Without it requests are not signed. Every
            TaskManager must have the variable too: the job graph holds only its name.
            """);
    public static final Key<String> DELIVERY_SECRET_FILE = declared(Key.fileOf(DELIVERY_SECRET), """
            File with that secret, on every TaskManager. Path; one trailing line end is left off. Instead of the
            variable above, not beside it. A file that changes is read again within 10 s, without a restart; a
            variable is not.
            """);
    public static final Key<String> DELIVERY_PREVIOUS_SECRET = declared(
            Key.secret(
                    "delivery.previous-secret",
                    false,
                    STREAM,
                    "signs each request as well, while the receiver changes secrets"),
            """
            While secrets change, the old one: requests then carry two signatures, and the receiver may know either
            secret. To change without a gap, put the new secret into delivery.secret and the old one here, tell the
            receiver the new one, then take this one away.
            """);
    public static final Key<String> DELIVERY_PREVIOUS_SECRET_FILE = declared(Key.fileOf(DELIVERY_PREVIOUS_SECRET), """
            File with that secret, as above.
            """);
    public static final Key<String> DELIVERY_TOKEN = declared(
            Key.secret("delivery.token", false, STREAM, "sent with each request as Authorization: Bearer"), """
            Sent with each request as 'Authorization: Bearer', if the receiver wants one. Visible ASCII.
            """);
    public static final Key<String> DELIVERY_TOKEN_FILE = declared(Key.fileOf(DELIVERY_TOKEN), """
            File with that token, as above: read again when it changes.
            """);
    public static final Key<String> DELIVERY_TRUST_STORE = declared(
            Key.optional(
                    "delivery.trust-store",
                    Type.PATH,
                    STREAM,
                    "certificates to trust instead of Java's own, PKCS12, JKS or PEM, on every TaskManager"),
            """
            Certificates to trust instead of Java's own, for a receiver of one's own authority. Path of a PKCS12,
            JKS or PEM file, on every TaskManager, read when a task starts. The receiver's name is checked against
            its certificate in any case.
            """);
    public static final Key<String> DELIVERY_TRUST_STORE_PASSWORD =
            declared(Key.secret("delivery.trust-store-password", false, STREAM, "password of that file"), """
            Password of that file, if it has one.
            """);
    public static final Key<String> DELIVERY_TRUST_STORE_PASSWORD_FILE =
            declared(Key.fileOf(DELIVERY_TRUST_STORE_PASSWORD), """
            File with that password, as above.
            """);
    public static final Key<List<String>> DELIVERY_ALLOWED_HOSTS = declared(
            Key.of(
                    "delivery.allowed-hosts",
                    Type.WORDS,
                    "",
                    STREAM,
                    "hosts that delivery.url may be at, comma separated; any if empty"),
            """
            Hosts that delivery.url may be at. List of names and addresses, comma separated, *.example.com for all
            below one; any host if empty. For installations where who writes the url is not who answers for where
            events go.
            """);
    public static final Key<Boolean> DELIVERY_ALLOW_PLAIN_HTTP = declared(
            Key.of(
                    "delivery.allow-plain-http",
                    Type.BOOLEAN,
                    "false",
                    STREAM,
                    "whether events may go to other machines without encryption"),
            """
            Whether events may go to other machines by http://, where everybody on the way reads events and token.
            true or false.
            """);
    public static final Key<Duration> DELIVERY_TIMEOUT = declared(
            Key.of(
                    "delivery.timeout",
                    SHORT_INTERVAL,
                    "10 s",
                    STREAM,
                    "longest time of one attempt, from connecting to the answer"),
            """
            Longest time of one attempt, from connecting to the last byte of the answer. Duration, 10 ms to 1 h.
            Time in which the task itself got no turn does not count.
            Too low: a receiver that is merely slow gets everything twice. Too high: one that hangs holds its places
            in flight for that long, and more goes aside.
            """);
    public static final Key<Integer> DELIVERY_MAX_ATTEMPTS = declared(
            Key.of(
                    "delivery.max-attempts",
                    Type.integer(1, 1_000),
                    "12",
                    STREAM,
                    "answered attempts until an event becomes an UNDELIVERABLE letter"),
            """
            Attempts that the receiver answered until an event becomes an UNDELIVERABLE letter. Number, 1 to 1000.
            Attempts without an answer do not count: a receiver that is away makes no letters, however long.
            Too low: a short trouble of the receiver makes letters. Too high: an event that it will never take is
            tried for hours.
            """);
    public static final Key<Duration> DELIVERY_BACKOFF_INITIAL = declared(
            Key.of(
                    "delivery.backoff-initial",
                    SHORT_INTERVAL,
                    "500 ms",
                    STREAM,
                    "longest wait before the second attempt"),
            """
            Longest wait before the second attempt, doubled for each one after it. Duration, at least 10 ms. The
            wait is anything between 0 and that, by chance, so that not everything returns at once; a Retry-After of
            the receiver, up to an hour, is waited for in any case.
            Too low: a receiver in trouble gets more of it. Too high: a short trouble delays events for longer than
            it lasted.
            """);
    public static final Key<Duration> DELIVERY_BACKOFF_MAX = declared(
            Key.of("delivery.backoff-max", SHORT_INTERVAL, "5 min", STREAM, "longest wait before any attempt"), """
            Longest wait before any attempt. Duration, at least 10 ms and delivery.backoff-initial, at most 1 d.
            Too low: what the receiver refuses for hours is sent over and over. Too high: it gets events late after
            it has recovered.
            """);
    public static final Key<Integer> DELIVERY_MAX_IN_FLIGHT = declared(
            Key.of(
                    "delivery.max-in-flight",
                    Type.integer(1, 10_000),
                    "256",
                    STREAM,
                    "requests on their way at once, for each subtask; more wait for a place"),
            """
            Requests that are on their way, for each subtask; there are as many connections. Number, 1 to 10000.
            Beyond it events wait for a place, and after 30 s go aside, into kafka.topics.delivery-retry: the job
            never waits for the receiver.
            Too low: with a receiver that takes 50 ms, 256 are some 5,000 requests a second for each subtask; of
            more, events go aside although all is well. Too high: a receiver in trouble gets as many connections at
            once.
            """);
    public static final Key<MemorySize> DELIVERY_MAX_IN_FLIGHT_BYTES = declared(
            Key.of(
                    "delivery.max-in-flight-bytes",
                    Type.size(MemorySize.parse("1 mb"), MemorySize.parse("4 gb")),
                    "8 mb",
                    STREAM,
                    "size of what is on its way or waits, for each subtask and path; more goes aside"),
            """
            Size of the bodies that are on their way or wait, for a place or for their next attempt, with 512 bytes
            for each; for each subtask of the live path, and as much for each of the drain. Size, 1 mb to 4 gb.
            Beyond it events go aside at once. It is memory of the TaskManager's JVM heap, and of checkpoints.
            Too low: a burst goes aside although the receiver is well. Too high: the TaskManagers run out of memory,
            and checkpoints grow, while the receiver is slow.
            """);
    public static final Key<Integer> DELIVERY_BATCH_SIZE = declared(
            Key.of(
                    "delivery.batch-size",
                    Type.integer(1, 1_000),
                    "1",
                    STREAM,
                    "events in one request; more than 1 posts JSON arrays"),
            """
            Events in one request. Number, 1 to 1000. 1: each event is a JSON object, its webhook-id evt_ and the
            event's id. More: a JSON array, its webhook-id of the ids in it, and the receiver tells events by their
            event_id.
            Too low: a request for each event. Too high: a request that fails sends as many again, and large ones
            take longer.
            """);
    public static final Key<Duration> DELIVERY_BATCH_LINGER = declared(
            Key.of("delivery.batch-linger", ANY_DURATION, "50 ms", STREAM, "longest wait for a batch to fill"), """
            Longest wait for a batch to fill. Duration, up to 1 min. Without effect if delivery.batch-size is 1.
            Too low: batches stay small when there is little traffic. Too high: events arrive later by as much.
            """);
    public static final Key<Integer> DELIVERY_DRAIN_RATE = declared(
            Key.of(
                    "delivery.drain-rate",
                    Type.integer(1, 1_000_000),
                    "500",
                    STREAM,
                    "events a second taken back from the retry topic, by the whole job"),
            """
            Events a second that are taken back from kafka.topics.delivery-retry, by the whole job, at most; the
            rate rises to it within 20 s. Number, 1 to 1000000.
            Too low: what went aside in an outage arrives long after it. Too high: a receiver that has just
            recovered is overrun.
            """);
    public static final Key<Duration> DELIVERY_RETRY_RETENTION = declared(
            Key.of(
                    "delivery.retry-retention",
                    ANY_DURATION,
                    "1 d",
                    STREAM,
                    "how long the retry topic keeps what is done with"),
            """
            How long kafka.topics.delivery-retry keeps what is done with, by the time that its record was written:
            delivered, a dead letter, or put at the topic's tail again. Duration, up to 36500 d. It is deleted some
            minutes after that at most, once a checkpoint has completed; the client needs the right to DELETE there.
            Too low: nobody can look at what went aside and why. Too high: the topic is large, and a start without
            state posts all of it again.
            """);
    public static final Key<Boolean> DELIVERY_INCLUDE_SNAPSHOT = declared(
            Key.of(
                    "delivery.include-snapshot",
                    Type.BOOLEAN,
                    "false",
                    STREAM_AND_AUDIT,
                    "whether rows that were there before the first capture are delivered"),
            """
            Whether rows are delivered that were in the table before the first capture. true or false. With true a
            first start posts the whole table.
            """);
    public static final Key<Boolean> DELIVERY_RECEIPTS = declared(
            Key.of(
                    "delivery.receipts",
                    Type.BOOLEAN,
                    "false",
                    STREAM_AND_AUDIT,
                    "whether what was delivered is written to the receipts topic"),
            """
            Whether what was delivered is written to kafka.topics.delivery-receipts: id, time and status. true or
            false.
            """);
    public static final Key<List<DeliveryOptions.StatusRange>> DELIVERY_SUCCESS_STATUS = declared(
            Key.of(
                    "delivery.success-status",
                    Type.STATUSES,
                    "200-299",
                    STREAM,
                    "statuses that mean the receiver has it"),
            """
            Statuses that mean that the receiver has it. List of statuses and ranges, comma separated, such as
            200-299,409. 408, 425, 429 and 5xx are tried again and cannot be among them; any other that is not is
            final: an UNDELIVERABLE letter at once.
            """);
    public static final Key<String> DELIVERY_SUCCESS_FIELD = declared(
            Key.optional(
                    "delivery.success-field",
                    Type.TEXT,
                    STREAM,
                    "field at the top of the answer's JSON that has to say so too"),
            """
            For receivers that answer 200 to everything: a field at the top of the answer's JSON object that has to
            say that all is well. Text; empty: the status is enough. An answer that says otherwise is tried again.
            """);
    public static final Key<List<String>> DELIVERY_SUCCESS_VALUES = declared(
            Key.of(
                    "delivery.success-values",
                    Type.WORDS,
                    "",
                    STREAM,
                    "what that field says when all is well, comma separated"),
            """
            What that field says when all is well. List, comma separated; numbers, true, false and null as JSON
            writes them.
            """);
    public static final Key<MemorySize> DELIVERY_MAX_RESPONSE_BYTES = declared(
            Key.of(
                    "delivery.max-response-bytes",
                    Type.size(MemorySize.parse("1 kb"), MemorySize.parse("16 mb")),
                    "64 kb",
                    STREAM,
                    "how much of an answer's body is read"),
            """
            How much of an answer's body is read; the rest is cut off, with its connection. Size, 1 kb to 16 mb.
            Too low: what stands behind it cannot say that all is well, and connections to a receiver that talks
            much are not used again. Too high: as much memory for each request on its way, if a receiver sends
            without end.
            """);
    public static final Key<Boolean> ACCEPT_WAREHOUSE_DUPLICATES = declared(
            Key.flag(
                    "accept-warehouse-duplicates",
                    STREAM_AND_REDRIVE,
                    "write although rows of this job may be in the warehouse already"),
            """
            Write although rows of this job may be in the warehouse's table already: after a start without state
            onto a table with rows, or from a checkpoint older than what the table shows. Rows may then be there
            twice. Meant for one start, which is why it cannot stand in a file. stream; redrive puts a REJECTED row
            back with it although the job may still append it.
            """);

    static {
        section("ClickHouse");
    }

    public static final Key<List<URI>> CLICKHOUSE_URL = declared(
            Key.of(
                    "clickhouse.url",
                    Type.HTTP_URLS,
                    "http://localhost:8123",
                    CLICKHOUSE,
                    "where ClickHouse answers HTTP, comma separated; https:// for TLS"),
            """
            Where ClickHouse answers HTTP, without user and password. http://host:port, or https://host:port for
            TLS; several, comma separated, if one server is reached by several: when one does not answer, the next
            is asked. All are of one server: rows of a staging table are moved by the server that has them.
            """);
    public static final Key<String> CLICKHOUSE_USERNAME =
            declared(Key.of("clickhouse.username", Type.TEXT, "default", CLICKHOUSE, "user that writes"), """
            User that writes. Text. It needs CREATE, ALTER, INSERT, SELECT and DROP on the database.
            """);
    public static final Key<String> CLICKHOUSE_PASSWORD =
            declared(Key.secret("clickhouse.password", false, CLICKHOUSE, "password of that user"), """
            Password of that user, if there is one. Every TaskManager must have the variable too: the job graph
            holds only its name.
            """);
    public static final Key<String> CLICKHOUSE_PASSWORD_FILE = declared(Key.fileOf(CLICKHOUSE_PASSWORD), """
            File with that password, read where the connection is made: on the client and on every TaskManager.
            Path; one trailing line end is left off. Instead of the variable above, not beside it.
            """);
    public static final Key<String> CLICKHOUSE_DATABASE = declared(
            Key.of("clickhouse.database", Type.TEXT, "engagement", CLICKHOUSE, "database, created if it is not there"),
            """
            Database of the table, and of the staging tables beside it. Letters, digits and underscores, at most
            100. Created if it is not there.
            """);
    public static final Key<String> CLICKHOUSE_TABLE = declared(
            Key.of("clickhouse.table", Type.TEXT, "events_enriched", CLICKHOUSE, "table, created if it is not there"),
            """
            Table of events. Letters, digits and underscores, at most 100. Created if it is not there, ordered by
            content, hour and id; one that is there is checked before anything is submitted. Another table is
            another warehouse: a job that goes on from a savepoint writes to it what comes from then on.
            """);
    public static final Key<ClickHouseOptions.Partition> CLICKHOUSE_PARTITION = declared(
            Key.of(
                    "clickhouse.partition",
                    Type.oneOf(ClickHouseOptions.Partition.class),
                    "MONTH",
                    CLICKHOUSE,
                    "event time that a partition of a new table holds"),
            """
            Event time that a partition holds, of a table that has to be created; one that is there keeps its own.
            month or day. Each checkpoint makes a part in each partition that it has rows of: day suits tables of
            which days are dropped, and needs a source whose events come in about their order.
            """);
    public static final Key<Optional<Duration>> CLICKHOUSE_EXPIRATION = declared(
            Key.of(
                    "clickhouse.expiration",
                    Type.NONE_OR_DURATION,
                    "none",
                    CLICKHOUSE,
                    "when a row of a new table is deleted"),
            """
            When a row is deleted, counted from its event_ts in whole hours, of a table that has to be created.
            none: never. Else a duration, at least 1 h.
            Too low: rows are deleted that somebody still asks for, and older events that arrive are deleted at the
            next merge. Too high: only storage.
            """);
    public static final Key<ClickHouseOptions.Payload> CLICKHOUSE_PAYLOAD = declared(
            Key.of(
                    "clickhouse.payload",
                    Type.oneOf(ClickHouseOptions.Payload.class),
                    "STRING",
                    CLICKHOUSE,
                    "what raw_payload is: its text, or ClickHouse's JSON"),
            """
            What the column raw_payload is. string: its text, byte for byte. json: ClickHouse's JSON, whose paths
            are columns of their own; it takes objects only, and what is none is a dead letter REJECTED.
            """);
    public static final Key<Boolean> CLICKHOUSE_FSYNC = declared(
            Key.of(
                    "clickhouse.fsync",
                    Type.BOOLEAN,
                    "true",
                    CLICKHOUSE,
                    "whether a new table has on disk what it acknowledges"),
            """
            Whether a table that has to be created brings to disk what it acknowledges. true or false. With false a
            machine that loses its power can lose rows that a checkpoint has behind it; a server that is killed
            loses none in either case.
            """);
    public static final Key<Boolean> CLICKHOUSE_ADD_COLUMNS = declared(
            Key.of(
                    "clickhouse.add-columns",
                    Type.BOOLEAN,
                    "false",
                    CLICKHOUSE,
                    "add nullable columns that an existing table lacks"),
            """
            Whether columns that an existing table lacks are added, nullable, at the start. true or false. Without
            it a table that lacks one is refused with its name.
            """);
    public static final Key<MemorySize> CLICKHOUSE_FLUSH_SIZE = declared(
            Key.of(
                    "clickhouse.flush-size",
                    Type.size(MemorySize.parse("1 kb"), MemorySize.parse("64 mb")),
                    "8 mb",
                    CLICKHOUSE,
                    "size at which rows are inserted"),
            """
            Size at which rows are inserted in one request. Size, 1 kb to 64 mb.
            Too low: many small inserts, each of which is a part that is merged before its checkpoint completes. Too
            high: more to send again after a failure, and more memory on both sides.
            """);
    public static final Key<Duration> CLICKHOUSE_FLUSH_INTERVAL = declared(
            Key.of(
                    "clickhouse.flush-interval",
                    SHORT_INTERVAL,
                    "5 s",
                    CLICKHOUSE,
                    "after how long rows are inserted at the latest"),
            """
            After how long rows are inserted that do not fill a request. Duration, at least 10 ms. Rows become
            visible with checkpoints whatever stands here.
            Too low: small inserts when there is little traffic. Too high: checkpoints wait for the rows that are
            still to be sent.
            """);
    public static final Key<MemorySize> CLICKHOUSE_MAX_IN_FLIGHT_BYTES = declared(
            Key.of(
                    "clickhouse.max-in-flight-bytes",
                    Type.size(MemorySize.parse("64 kb"), MemorySize.parse("4 gb")),
                    "64 mb",
                    CLICKHOUSE,
                    "rows that each writer holds until ClickHouse has acknowledged them"),
            """
            Rows that each writer holds until ClickHouse has acknowledged them; beyond it the job waits. Size, 64 kb
            to 4 gb, at least clickhouse.flush-size. There are as many writers as the job's parallelism; it is
            memory of the TaskManager's JVM heap.
            Too low: while an answer is on its way nothing is sent. Too high: the TaskManagers run out of memory
            while ClickHouse is slow.
            """);
    public static final Key<Duration> CLICKHOUSE_COMMIT_TIMEOUT = declared(
            Key.of(
                    "clickhouse.commit-timeout",
                    Type.duration(Duration.ofSeconds(1)),
                    "1 h",
                    CLICKHOUSE,
                    "how long showing rows is tried before the job fails"),
            """
            How long ClickHouse may refuse to show the rows of a checkpoint, for reasons that pass by themselves,
            until the job fails and restarts. Duration, at least 1 s. Nothing is lost in either case.
            Too low: a longer outage costs restarts, each of which reads again. Too high: an outage shows late, as
            checkpoints that do not complete.
            """);
    public static final Key<Duration> CLICKHOUSE_STAGING_RETENTION = declared(
            Key.of(
                    "clickhouse.staging-retention",
                    Type.duration(Duration.ofDays(1)),
                    "7 d",
                    CLICKHOUSE,
                    "when staging tables of failed attempts are dropped"),
            """
            When a staging table is dropped that an attempt left behind which failed before its checkpoint was
            complete. Duration, at least 1 d and longer than clickhouse.commit-timeout. A job that starts drops none
            before it has shown what its own checkpoint wants, so a job may be away for any time.
            Too low: nothing gained but storage. Too high: rows of failed attempts take storage.
            """);
    public static final Key<Boolean> ACCEPT_CLICKHOUSE_DUPLICATES = declared(
            Key.flag(
                    "accept-clickhouse-duplicates",
                    CLICKHOUSE,
                    "write although rows of this job may be in ClickHouse's table already"),
            """
            Write although rows of this job may be in ClickHouse's table already: after a start without state onto a
            table with rows, or from a checkpoint older than what the table shows. Rows may then be there twice.
            Meant for one start, which is why it cannot stand in a file. stream only.
            """);

    static {
        section("Rollups");
    }

    public static final Key<List<String>> ROLLUPS = declared(
            Key.of(
                    "rollups",
                    Type.WORDS,
                    RollupDefinitions.SHIPPED,
                    ROLLUP,
                    "which aggregates by window there are, a list; audit, backfill: which are wanted, alone: all"),
            """
            Which rollups there are: aggregates of events by a key and a window of event time, kept in PostgreSQL.
            List of names, comma separated; 'shipped' stands for all that come with the job: metrics_30s,
            content_views, category_activity, category_revenue, audience, completion and hourly. One more is
            shipped,mine, with rollup.mine.* to define it. On the command line of audit and backfill --rollups says
            something else, that rollups are what is wanted: all that there are, or with a list those alone. audit
            --rollups compares their tables, beside everything else, with SQL over the source; backfill --rollups
            computes their cells of all windows that begin in [from, to) anew from PostgreSQL, and does nothing else.
            """);

    /**
     * The same word on the command line of what compares and mends them: none is given if nobody asks for rollups, and the
     * list is empty if all are meant. Not among {@link #ALL}: there is one {@code rollups} for those who read of it.
     */
    static final Key<List<String>> ASKED_ROLLUPS =
            Key.argument("rollups", Type.WORDS, false, ROLLUP_REPAIRS, "which rollups are compared or computed anew");

    /** Whether a key says something without a value, on the command line of that command. */
    static boolean standsAlone(Key<?> key, Command command) {
        return key.name().equals(ASKED_ROLLUPS.name())
                && ASKED_ROLLUPS.commands().contains(command);
    }

    public static final Key<String> ROLLUP_PROPERTIES = declared(
            new Key<>(
                    RollupDefinitions.PREFIX,
                    Type.TEXT_OR_EMPTY,
                    Key.Kind.NAMESPACE,
                    null,
                    false,
                    "what a rollup is: rollup.NAME.by, where, window, slide, measures, table, retention or live",
                    ROLLUP,
                    ""),
            """
            What a rollup is, rollup.NAME.PROPERTY, of each that rollups names; of a shipped one what is given
            replaces that property alone. NAME is lower-case letters, digits and '_', at most 40, and not postgres.
            The properties:
              by         the key: up to three of event_type, content_id, content_type, device and raw_payload.FIELD, comma
                         separated; COLUMN=device names its column. window_size beside them puts the window's length into
                         the key, so that rollups that differ in window alone can share a table. Empty or none: one total
              where      which events: event types and fields that have to be there, as in purchase,raw_payload.price;
                         empty or none: all
              window     event time that a row covers: whole seconds, 1 s to 1 d
              slide      event time from a window to the next: the window is a multiple of it, by 100 at most; none: window
              measures   NAME=FUNCTION, comma separated: count, sum_seconds, sum(raw_payload.FIELD), min(raw_payload.FIELD),
                         max(raw_payload.FIELD), unique(user_id), count_if(CONDITION), unique_if(CONDITION), where CONDITION
                         is engagement_pct >= 50, in percent, or event_type = play|finish
              table      in PostgreSQL, without a schema; none: NAME
              retention  how long rows are kept, at least the window and 1 h; none: 30 d
              live       whether Redis shows it, if destinations has liveview: true or false; none: true
            Three lines beside rollups=shipped,views_by_device make one:
              rollup.views_by_device.by=device
              rollup.views_by_device.window=1 min
              rollup.views_by_device.measures=views=count_if(event_type = play),viewers=unique(user_id)
            In the environment ENGAGEMENT_ROLLUP_VIEWS_BY_DEVICE_WINDOW: what is behind the last '_' is the property;
            it cannot be empty there. A change of by, where, window, slide or measures is another rollup: give it a
            new name and a new table.
            """);
    public static final Key<Duration> ROLLUP_REFRESH = declared(
            Key.of(
                    "rollup.refresh",
                    Type.duration(Duration.ofMillis(100)),
                    "5 s",
                    STREAM,
                    "how often the value of a window that is still open is shown anew"),
            """
            How often the value of a window that is still open is shown anew in Redis, and with rollup.early in
            PostgreSQL, if events have changed it. Duration, 100 ms to 10 min.
            Too low: every key with events is written as often. Too high: live values are older by as much.
            """);
    public static final Key<Duration> ROLLUP_ALLOWED_LATENESS = declared(
            Key.of(
                    "rollup.allowed-lateness",
                    ANY_DURATION,
                    "1 h",
                    ROLLUP,
                    "how long after its end, in event time, a late event still corrects a window"),
            """
            How long after a window's end, in event time, a late event still corrects its row. Duration, up to 7 d,
            and with the window at most the rollup's retention. What comes later is counted by rollup.
            Too low: what is late is missing from the rows. Too high: each key of each window stays in state for as
            long.
            """);
    public static final Key<Boolean> ROLLUP_EARLY = declared(
            Key.of(
                    "rollup.early",
                    Type.BOOLEAN,
                    "false",
                    STREAM,
                    "whether PostgreSQL gets values of windows that are still open, too"),
            """
            Whether PostgreSQL gets the values of windows that are still open, too, each rollup.refresh. true or
            false. With false a row appears when its window has ended, and changes only with late events.
            """);
    public static final Key<String> ROLLUP_POSTGRES_URL = declared(
            Key.of(
                    "rollup.postgres.url",
                    Type.postgresUrl("rollup.postgres"),
                    "jdbc:postgresql://localhost:5432/analytics",
                    ROLLUP,
                    "database with the rollups' tables, without user and password"),
            """
            The database with the rollups' tables, without user and password. JDBC URL. It has to be there; the
            tables are created in it.
            """);
    public static final Key<String> ROLLUP_POSTGRES_USERNAME = declared(
            Key.optional(
                    "rollup.postgres.username",
                    Type.TEXT,
                    ROLLUP,
                    "role that owns the rollups' tables; needed if destinations has rollups"),
            """
            A role that may create tables there, or owns those that are there. Text. There is no default: without it
            the default of destinations is without rollups, and a list with rollups in it is refused.
            """);
    public static final Key<String> ROLLUP_POSTGRES_PASSWORD =
            declared(Key.secret("rollup.postgres.password", false, ROLLUP, "that role's password"), """
            That role's password, if it needs one. Every TaskManager must have the variable too: the job graph holds
            only its name.
            """);
    public static final Key<String> ROLLUP_POSTGRES_PASSWORD_FILE = declared(Key.fileOf(ROLLUP_POSTGRES_PASSWORD), """
            File with that password, read where the connection is made, on every TaskManager. Path; one trailing
            line end is left off. Instead of the variable above, not beside it.
            """);
    public static final Key<MemorySize> ROLLUP_MAX_PENDING = declared(
            Key.of(
                    "rollup.max-pending",
                    Type.size(MemorySize.parse("1 mb"), MemorySize.parse("4 gb")),
                    "64 mb",
                    STREAM,
                    "rows that each writer holds while PostgreSQL is away"),
            """
            Rows that each writer holds while PostgreSQL does not take them, the newest of each key and window. Size,
            1 mb to 4 gb. There are as many writers as the job's parallelism; it is memory of the TaskManager's JVM
            heap.
            Too low: in a longer outage rows wait in state instead, and are written more slowly after it. Too high:
            the TaskManagers run out of memory while PostgreSQL is away.
            """);

    static {
        section("Mending and proving");
    }

    public static final Key<Instant> FROM = declared(
            Key.argument(
                    "from", Type.TIME, false, TIMES, "first event_ts of the range; redrive: first failure of a letter"),
            """
            backfill, rebuild and audit: where the range [from, to) of event_ts begins; needed, and before --to.
            redrive: only letters that failed at this time or later. Time with its zone, such as
            2026-01-08T09:00:00Z.
            """);
    public static final Key<Instant> TO = declared(
            Key.argument(
                    "to",
                    Type.TIME,
                    false,
                    TIMES,
                    "end of the range, not part of it; redrive: end of the letters' failures"),
            """
            backfill, rebuild and audit: where the range [from, to) of event_ts ends, the first time that is not in
            it; needed, and for backfill and rebuild not in the future. redrive: only letters that failed before
            this time. Time with its zone.
            """);
    public static final Key<Boolean> DRY_RUN = declared(
            Key.flag(
                    "dry-run", REPAIRS, "say what it costs and what would be published or put back, and write nothing"),
            """
            Say what it would cost, and what would be published (backfill; with --rollups which cells would change) or
            put back (redrive), and write nothing; audit compares nothing. backfill, redrive and audit.
            """);

    static {
        section("Backfill");
    }

    public static final Key<String> CONTENT_ID = declared(
            Key.argument("content-id", Type.TEXT, false, BACKFILL, "publish the events of one content only"), """
            Only the events of this content; contents are compared all the same. Text, as in the column content_id.
            backfill only.
            """);
    public static final Key<Boolean> ALL_ROWS = declared(
            Key.flag("all", BACKFILL, "publish every row of the range, whether the warehouse has it or not"), """
            Publish every row of the range, whether the warehouse has it or not, and let dedupe decide: for a live
            view that lacks what the warehouse has. backfill only.
            """);
    public static final Key<Duration> BACKFILL_WAIT = declared(
            Key.of(
                    "backfill.wait",
                    ANY_DURATION,
                    "10 min",
                    BACKFILL,
                    "how long to wait until the stream has taken in what was published"),
            """
            How long a backfill waits until the stream has taken in what was published. Duration. When it is over,
            the backfill ends with an error that says what is missing; to run it again is harmless.
            Too low: it gives up before the next checkpoint. Too high: a stream that does not run is noticed late.
            """);
    public static final Key<Duration> BACKFILL_SETTLE = declared(
            Key.of(
                    "backfill.settle",
                    ANY_DURATION,
                    "90 s",
                    BACKFILL,
                    "how long what the stream has taken in may be on its way to the warehouse"),
            """
            How long what the stream has taken in may still be on its way to the warehouse: it may wait for its
            content (enrichment.content-wait), and for the next checkpoint. Duration. A row that is neither there
            nor a dead letter by then was known to the stream, whose dedupe drops it, and is not waited for any
            longer: the backfill names it and ends with an error. Backfill only.
            Too low: rows that wait for their content or a checkpoint are called lost. Too high: what cannot come is
            waited for.
            """);

    static {
        section("Putting dead letters back");
    }

    public static final Key<RedriveOptions.Reasons> REASON = declared(
            Key.argument(
                    "reason",
                    Type.REASONS,
                    true,
                    REDRIVE,
                    "which dead letters are put back, by their reason; comma separated"),
            """
            Which dead letters redrive puts back, by their reason: UNDECODABLE, INVALID, OVERSIZE, UNRESOLVED,
            UNDELIVERABLE, REJECTED, CONFLICT, comma separated. Needed. REJECTED needs warehouse.project; OVERSIZE
            reads rows if postgres.username is there; of CONFLICT none is put back, and each says why. All keys of this part are for one start, which is why they cannot stand
            in a file. redrive only.
            """);
    public static final Key<String> EVENT_ID =
            declared(Key.argument("event-id", Type.TEXT, false, REDRIVE, "only letters of this event"), """
            Only letters of this event; letters that name no event are left out. Whole number, or the text that
            ingest.event-id=text has. redrive only.
            """);
    public static final Key<Integer> LIMIT = declared(
            Key.argument(
                    "limit", Type.integer(1, Integer.MAX_VALUE), false, REDRIVE, "put back so many letters at most"),
            """
            Put back so many letters at most, in the order of the topic. Number, at least 1; empty: all. redrive
            only.
            Too low: more starts until all are back. Too high: as many events at once as there are letters.
            """);
    public static final Key<Boolean> AGAIN =
            declared(Key.flag("again", REDRIVE, "also those that were put back before"), """
            Also letters that were put back before. redrive only.
            """);

    static {
        section("Comparing the stores");
    }

    public static final Key<Duration> AUDIT_SETTLE = declared(
            Key.of(
                    "audit.settle",
                    ANY_DURATION,
                    "60 s",
                    AUDIT,
                    "how long an event may be on its way to a destination without being missing there"),
            """
            How long an event may be on its way to a destination without being missing there: what differs is looked
            at again after it, and what is younger is left out. Duration. audit only.
            Too low: what is on its way is called missing; the warehouse's rows come with checkpoints, so it is more
            than checkpoint.interval. Too high: a run in which something differs takes that long.
            """);
    public static final Key<Integer> AUDIT_LISTED_IDS = declared(
            Key.of(
                    "audit.listed-ids",
                    Type.integer(0, 1_000_000),
                    "100",
                    AUDIT,
                    "how many ids are named of each kind of difference; all are counted"),
            """
            How many ids are named of each kind of difference, and how many rows a command of --repair mends at
            once. Number, 0 to 1000000. All are counted, whatever it says. audit only.
            Too low: several runs until all are named. Too high: a long report.
            """);
    public static final Key<Boolean> COUNTS = declared(
            Key.flag("counts", AUDIT, "compare the live view's counts of all time, for which the whole table is read"),
            """
            Compare the live view's counts. They are of all time: PostgreSQL reads its whole table of events for
            them, and if one differs the warehouse three columns of its own. audit only.
            """);
    public static final Key<Boolean> JSON = declared(Key.flag("json", AUDIT, "the report as one line of JSON"), """
            The report as one line of JSON. audit only.
            """);
    public static final Key<Boolean> REPAIR = declared(
            Key.flag("repair", AUDIT, "print the commands that mend each difference; nothing is changed"), """
            Print the commands that mend each difference. Nothing is changed by that. audit only.
            """);

    /** All of them, in the order in which they are explained. */
    public static final List<Key<?>> ALL = List.copyOf(DECLARED);

    private static final Map<String, Key<?>> BY_NAME =
            ALL.stream().collect(Collectors.toMap(Key::name, key -> key, (a, b) -> a, LinkedHashMap::new));

    /** Names in {@code kafka.properties.*} whose values are secrets. */
    private static final Pattern SECRET_KAFKA_PROPERTY =
            Pattern.compile(".*(password|secret|token|credential|user\\.info|keystore\\.key|jaas\\.config).*");

    /** Names that only look so. */
    private static final Pattern OPEN_KAFKA_PROPERTY = Pattern.compile(
            ".*\\.(url|class|location|type|ms|seconds|algorithm)|config\\.providers(\\.[^.]+\\.class)?");

    /** Title of the section of the reference file that begins with that key, or null if none does. */
    static @Nullable String sectionAt(int index) {
        return SECTIONS.get(index);
    }

    /** The key of that name, or of the namespace that the name is in. */
    static Optional<Key<?>> named(String name) {
        if (isKafkaProperty(name)) {
            return Optional.<Key<?>>of(KAFKA_PROPERTIES);
        }
        if (isRollupProperty(name)) {
            return Optional.<Key<?>>of(ROLLUP_PROPERTIES);
        }
        return Optional.<Key<?>>ofNullable(BY_NAME.get(name)).filter(key -> key.kind() != Key.Kind.NAMESPACE);
    }

    static boolean isKafkaProperty(String name) {
        return name.startsWith(KAFKA_PROPERTIES.name())
                && name.length() > KAFKA_PROPERTIES.name().length();
    }

    /** Whether it is {@code rollup.NAME.PROPERTY}, of whatever name and property but those of the database. */
    static boolean isRollupProperty(String name) {
        int prefix = ROLLUP_PROPERTIES.name().length();
        int dot = name.startsWith(ROLLUP_PROPERTIES.name()) ? name.indexOf('.', prefix) : -1;
        return dot > prefix
                && dot + 1 < name.length()
                && !name.substring(prefix, dot).equals(RollupDefinitions.RESERVED);
    }

    /** Whether the value of that Kafka client property is a secret, which may stand only as a reference. */
    static boolean isSecretKafkaProperty(String property) {
        return SECRET_KAFKA_PROPERTY.matcher(property).matches()
                && !OPEN_KAFKA_PROPERTY.matcher(property).matches();
    }
}
