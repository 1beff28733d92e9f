package dev.engagement.config;

import dev.engagement.audit.AuditOptions;
import dev.engagement.backfill.BackfillOptions;
import dev.engagement.backfill.RollupBackfillOptions;
import dev.engagement.capture.AvroOptions;
import dev.engagement.capture.CaptureFormat;
import dev.engagement.capture.CaptureOptions;
import dev.engagement.capture.OutboxOptions;
import dev.engagement.clickhouse.ClickHouseOptions;
import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.RegistryConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.deadletter.DeadLetterOptions;
import dev.engagement.dedupe.DedupeOptions;
import dev.engagement.delivery.DeliveryOptions;
import dev.engagement.enrichment.EnrichmentOptions;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import dev.engagement.ingest.EventRules;
import dev.engagement.ingest.EventTimeOptions;
import dev.engagement.ingest.IngestFormat;
import dev.engagement.ingest.IngestOptions;
import dev.engagement.ingest.RegistryOptions;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.ranking.RankingOptions;
import dev.engagement.redrive.RedriveOptions;
import dev.engagement.rollup.RollupOptions;
import dev.engagement.rollup.definition.RefusedRollupsException;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import dev.engagement.source.RangeOptions;
import dev.engagement.source.SourceOptions;
import dev.engagement.warehouse.WarehouseOptions;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The options of one start, complete and checked: command line before environment before file before default. Immutable;
 * holds no secret, only where each is to be found.
 */
public final class Settings {

    /** A value and where it came from; null if the option is optional and was not given. */
    record Value(@Nullable Object value, String origin, boolean usable) {
        /** Of an option with a problem. */
        static final Value UNUSABLE = new Value(null, Given.DEFAULT, false);

        static Value of(@Nullable Object value, String origin) {
            return new Value(value, origin, true);
        }
    }

    /** An option was asked for whose problem is known. Never leaves the room. */
    static final class UnusableException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        UnusableException(Key<?> key) {
            super(key + " cannot be used", null, false, false);
        }
    }

    private final Command command;
    private final Map<Key<?>, Value> values;
    private final Map<String, String> kafkaProperties;
    private final Map<String, String> rollupProperties;

    Settings(
            Command command,
            Map<Key<?>, Value> values,
            Map<String, String> kafkaProperties,
            Map<String, String> rollupProperties) {
        this.command = command;
        this.values = new LinkedHashMap<>(values);
        this.kafkaProperties = Map.copyOf(kafkaProperties);
        this.rollupProperties = Map.copyOf(rollupProperties);
    }

    /**
     * Reads and checks everything; starts and connects nothing.
     *
     * @param command whose options they are
     * @param args what stands behind the command's word
     * @param environment {@link System#getenv()}
     * @throws ConfigurationException with all that is wrong
     */
    public static Settings parse(Command command, String[] args, Map<String, String> environment) {
        return SettingsParser.parse(command, args, environment);
    }

    /** What is to be done. */
    public Command command() {
        return command;
    }

    /** The job's name. */
    public String jobName() {
        return get(Keys.JOB_NAME);
    }

    /** The job's parallelism, if anybody said; else Flink's own. */
    public OptionalInt parallelism() {
        Integer given = find(Keys.PARALLELISM);
        return given == null ? OptionalInt.empty() : OptionalInt.of(given);
    }

    /** What was said about checkpoints. */
    public CheckpointOptions checkpointing() {
        return new CheckpointOptions(
                get(Keys.CHECKPOINT_INTERVAL),
                isGiven(Keys.CHECKPOINT_INTERVAL),
                get(Keys.CHECKPOINT_TIMEOUT),
                isGiven(Keys.CHECKPOINT_TIMEOUT));
    }

    /** How to reach Kafka. */
    public KafkaConnection kafka() {
        return new KafkaConnection(get(Keys.KAFKA_BOOTSTRAP_SERVERS), kafkaProperties);
    }

    /** The topics' names. */
    public Topics topics() {
        return new Topics(
                get(Keys.KAFKA_EVENTS_TOPIC),
                get(Keys.KAFKA_CONTENT_TOPIC),
                get(Keys.KAFKA_DEAD_LETTERS_TOPIC),
                get(Keys.KAFKA_DEAD_LETTERS_REDRIVEN_TOPIC),
                get(Keys.KAFKA_DELIVERY_RETRY_TOPIC),
                get(Keys.KAFKA_DELIVERY_RECEIPTS_TOPIC));
    }

    /** Copies of a topic that has to be created; -1 is the broker's default, as in Kafka's own {@code NewTopic}. */
    public short replicationFactor() {
        return get(Keys.KAFKA_REPLICATION_FACTOR).shortValue();
    }

    /** Of {@code capture}. */
    public CaptureOptions captureOptions() {
        PostgresConnection postgres = postgres();
        Integer accepted = find(Keys.ACCEPT_TIMELINE);
        return new CaptureOptions(
                postgres,
                get(Keys.POSTGRES_SCHEMA),
                get(Keys.POSTGRES_EVENTS_TABLE),
                get(Keys.POSTGRES_CONTENT_TABLE),
                get(Keys.POSTGRES_HEARTBEAT_TABLE),
                get(Keys.POSTGRES_SLOT_NAME),
                get(Keys.POSTGRES_PUBLICATION),
                get(Keys.CAPTURE_START),
                get(Keys.CAPTURE_HEARTBEAT_INTERVAL),
                get(Keys.CAPTURE_MAX_ROW_BYTES),
                get(Keys.KAFKA_EVENTS_TOPIC),
                get(Keys.KAFKA_CONTENT_TOPIC),
                get(Keys.CAPTURE_ACCEPT_FILTERED),
                accepted == null ? 0 : accepted,
                get(Keys.CAPTURE_SOURCE) == CaptureOptions.Source.OUTBOX ? outboxOptions() : null,
                captureRegistry());
    }

    private OutboxOptions outboxOptions() {
        return new OutboxOptions(
                get(Keys.CAPTURE_OUTBOX_TABLE),
                get(Keys.CAPTURE_OUTBOX_ID_COLUMN),
                get(Keys.CAPTURE_OUTBOX_AGGREGATE_TYPE_COLUMN),
                get(Keys.CAPTURE_OUTBOX_AGGREGATE_ID_COLUMN),
                get(Keys.CAPTURE_OUTBOX_TYPE_COLUMN),
                get(Keys.CAPTURE_OUTBOX_PAYLOAD_COLUMN),
                get(Keys.CAPTURE_OUTBOX_CREATED_AT_COLUMN),
                get(Keys.CAPTURE_OUTBOX_EVENT_AGGREGATE),
                get(Keys.CAPTURE_OUTBOX_CONTENT_AGGREGATE),
                get(Keys.CAPTURE_OUTBOX_IGNORED_AGGREGATES),
                get(Keys.CAPTURE_OUTBOX_DELETE_TYPES),
                get(Keys.CAPTURE_OUTBOX_MESSAGE_PREFIX),
                get(Keys.CAPTURE_OUTBOX_PURGE));
    }

    private @Nullable AvroOptions captureRegistry() {
        if (get(Keys.CAPTURE_FORMAT) == CaptureFormat.JSON) {
            return null;
        }
        RegistryConnection registry = registry();
        if (registry == null) {
            throw new IllegalArgumentException(
                    "capture.format is avro and registry.url is missing; give the address of the"
                            + " schema registry, or leave capture.format at json");
        }
        return new AvroOptions(registry, get(Keys.CAPTURE_REGISTRY_AUTO_REGISTER));
    }

    /** Of {@code stream}. */
    public IngestOptions ingestOptions() {
        return new IngestOptions(
                kafka(),
                get(Keys.KAFKA_EVENTS_TOPIC),
                get(Keys.KAFKA_CONTENT_TOPIC),
                get(Keys.KAFKA_GROUP_ID),
                get(Keys.INGEST_MAX_RECORD_BYTES),
                command == Command.STREAM && get(Keys.ACCEPT_GAP),
                new EventTimeOptions(
                        get(Keys.RANKING_MAX_OUT_OF_ORDERNESS),
                        get(Keys.RANKING_MAX_CLOCK_SKEW),
                        get(Keys.RANKING_IDLE_TIMEOUT)),
                eventRules(),
                command == Command.STREAM ? registryOptions() : null,
                command == Command.STREAM ? get(Keys.INGEST_FORMAT) : IngestFormat.AUTO);
    }

    private @Nullable RegistryOptions registryOptions() {
        RegistryConnection registry = registry();
        return registry == null ? null : new RegistryOptions(registry, get(Keys.REGISTRY_ID_BYTES));
    }

    private @Nullable RegistryConnection registry() {
        URI url = find(Keys.REGISTRY_URL);
        String username = find(Keys.REGISTRY_USERNAME);
        return url == null ? null : new RegistryConnection(url, username, secret(Keys.REGISTRY_PASSWORD));
    }

    /** Of {@code stream}. */
    public EnrichmentOptions enrichmentOptions() {
        boolean contentRequired = get(Keys.ENRICHMENT_CONTENT_REQUIRED);
        boolean isWaitGiven = contentRequired || isGiven(Keys.ENRICHMENT_CONTENT_WAIT);
        return new EnrichmentOptions(
                new EngagementRule(
                        get(Keys.ENRICHMENT_PCT_MODE), get(Keys.ENRICHMENT_PCT_SCALE), get(Keys.ENRICHMENT_NULL_RULE)),
                isWaitGiven ? get(Keys.ENRICHMENT_CONTENT_WAIT) : Duration.ZERO,
                contentRequired);
    }

    private EventRules eventRules() {
        return new EventRules(get(Keys.INGEST_EVENT_ID), get(Keys.ENRICHMENT_CONTENT_REQUIRED));
    }

    /** Whether the primary keys of events are texts. */
    public boolean areIdsTexts() {
        return get(Keys.INGEST_EVENT_ID) == EventIdKind.TEXT;
    }

    /** Of {@code stream}. */
    public DedupeOptions dedupeOptions() {
        EventIdKind ids = get(Keys.INGEST_EVENT_ID);
        return new DedupeOptions(
                isGiven(Keys.DEDUPE_HORIZON) || ids == EventIdKind.LONG
                        ? get(Keys.DEDUPE_HORIZON).orElse(null)
                        : DedupeOptions.HORIZON_OF_TEXTS,
                ids,
                get(Keys.DEDUPE_CONFLICT_WINDOW));
    }

    /** Of {@code stream}. */
    public RankingOptions rankingOptions() {
        return new RankingOptions(
                get(Keys.RANKING_WINDOW),
                get(Keys.RANKING_SLIDE),
                get(Keys.RANKING_TOP_N),
                get(Keys.RANKING_MAX_CLOCK_SKEW));
    }

    /** Of {@code stream}: where its events go. Without rollups if {@link #rollupsLeftOut} says why. */
    public Set<Destination> destinations() {
        Set<Destination> wanted = get(Keys.DESTINATIONS);
        if (!areRollupsLeftOut()) {
            return wanted;
        }
        Set<Destination> rest = EnumSet.copyOf(wanted);
        rest.remove(Destination.ROLLUPS);
        return Collections.unmodifiableSet(rest);
    }

    /** Of {@code stream}: why rollups are not among its destinations although the default has them; empty if they are. */
    public Optional<String> rollupsLeftOut() {
        return areRollupsLeftOut()
                ? Optional.of("Rollups are left out: " + Keys.ROLLUP_POSTGRES_USERNAME + " is missing, the role for the"
                        + " database that they are kept in. Give it, as --" + Keys.ROLLUP_POSTGRES_USERNAME
                        + ", the environment variable " + Keys.ROLLUP_POSTGRES_USERNAME.variable()
                        + " or a line in the file of --config; or give " + Keys.DESTINATIONS
                        + " without rollups, and this is not said again")
                : Optional.empty();
    }

    /** What came with an earlier version and was never told of that database goes on as it was. */
    private boolean areRollupsLeftOut() {
        return Keys.ROLLUP_POSTGRES_USERNAME.commands().contains(command)
                && !isGiven(Keys.DESTINATIONS)
                && find(Keys.ROLLUP_POSTGRES_USERNAME) == null;
    }

    /** Of {@code stream}. */
    public LiveViewOptions liveViewOptions() {
        return new LiveViewOptions(get(Keys.REDIS_URL), secret(Keys.REDIS_PASSWORD), get(Keys.REDIS_KEY_PREFIX));
    }

    /**
     * Of what knows the warehouse.
     *
     * @throws IllegalArgumentException if no project is given, or options do not go together; not from settings that were
     *     parsed, if the warehouse is one of their {@link #destinations}
     */
    public WarehouseOptions warehouseOptions() {
        String project = find(Keys.WAREHOUSE_PROJECT);
        if (project == null) {
            throw new IllegalArgumentException(Keys.WAREHOUSE_PROJECT + " is missing; give --" + Keys.WAREHOUSE_PROJECT
                    + ", the environment variable " + Keys.WAREHOUSE_PROJECT.variable()
                    + " or a line in the file of --config, or leave warehouse out of destinations");
        }
        return new WarehouseOptions(
                project,
                get(Keys.WAREHOUSE_DATASET),
                get(Keys.WAREHOUSE_TABLE),
                new WarehouseOptions.Endpoints(get(Keys.WAREHOUSE_ENDPOINT), get(Keys.WAREHOUSE_GRPC_ENDPOINT)),
                find(Keys.WAREHOUSE_CREDENTIALS_FILE),
                new WarehouseOptions.Layout(
                        get(Keys.WAREHOUSE_PARTITION),
                        get(Keys.WAREHOUSE_PARTITION_EXPIRATION).orElse(null),
                        get(Keys.WAREHOUSE_REQUIRE_PARTITION_FILTER)),
                get(Keys.WAREHOUSE_MAX_IN_FLIGHT_BYTES),
                get(Keys.WAREHOUSE_FLUSH_SIZE),
                get(Keys.WAREHOUSE_FLUSH_INTERVAL),
                get(Keys.WAREHOUSE_COMMIT_TIMEOUT),
                Keys.ACCEPT_WAREHOUSE_DUPLICATES.commands().contains(command) && get(Keys.ACCEPT_WAREHOUSE_DUPLICATES),
                get(Keys.WAREHOUSE_ADD_COLUMNS),
                get(Keys.INGEST_EVENT_ID),
                get(Keys.WAREHOUSE_JSON_NUMBERS));
    }

    /**
     * Of {@code stream}.
     *
     * @throws IllegalArgumentException if options do not go together; not from settings that were parsed, if ClickHouse is
     *     one of their {@link #destinations}
     */
    public ClickHouseOptions clickHouseOptions() {
        return new ClickHouseOptions(
                get(Keys.CLICKHOUSE_URL),
                get(Keys.CLICKHOUSE_USERNAME),
                secret(Keys.CLICKHOUSE_PASSWORD),
                get(Keys.CLICKHOUSE_DATABASE),
                get(Keys.CLICKHOUSE_TABLE),
                new ClickHouseOptions.Layout(
                        get(Keys.CLICKHOUSE_PARTITION),
                        get(Keys.CLICKHOUSE_EXPIRATION).orElse(null),
                        get(Keys.CLICKHOUSE_PAYLOAD),
                        get(Keys.CLICKHOUSE_FSYNC)),
                new ClickHouseOptions.Limits(
                        get(Keys.CLICKHOUSE_MAX_IN_FLIGHT_BYTES),
                        get(Keys.CLICKHOUSE_FLUSH_SIZE),
                        get(Keys.CLICKHOUSE_FLUSH_INTERVAL),
                        get(Keys.CLICKHOUSE_COMMIT_TIMEOUT),
                        get(Keys.CLICKHOUSE_STAGING_RETENTION)),
                get(Keys.ACCEPT_CLICKHOUSE_DUPLICATES),
                get(Keys.CLICKHOUSE_ADD_COLUMNS),
                get(Keys.INGEST_EVENT_ID));
    }

    /**
     * Of what knows the rollups: which there are.
     *
     * @throws RefusedRollupsException with all that is wrong with them; not from settings that were parsed for
     *     {@code stream}, if rollups are one of their {@link #destinations}
     */
    public List<RollupDefinition> rollupDefinitions() {
        return RollupDefinitions.parse(get(Keys.ROLLUPS), rollupProperties);
    }

    /** Of {@code audit} and {@code backfill}: whether rollups are what is wanted, of whatever destinations. */
    public boolean areRollupsAsked() {
        return find(Keys.ASKED_ROLLUPS) != null;
    }

    /** Those that are asked for: all that there are, or the ones that are named, which may be defined besides. */
    private List<RollupDefinition> askedRollups() {
        List<String> asked = withoutShipped(get(Keys.ASKED_ROLLUPS));
        if (asked.isEmpty()) {
            return rollupDefinitions();
        }
        List<String> all = new ArrayList<>(get(Keys.ROLLUPS));
        List<String> known = withoutShipped(all);
        asked.stream().filter(name -> !known.contains(name)).forEach(all::add);
        return RollupDefinitions.parse(all, rollupProperties).stream()
                .filter(definition -> asked.contains(definition.name()))
                .toList();
    }

    /** With the names of all that are shipped where one word stands for them. */
    private static List<String> withoutShipped(List<String> names) {
        return names.stream()
                .flatMap(name -> name.equals(RollupDefinitions.SHIPPED)
                        ? RollupDefinitions.shippedNames().stream()
                        : Stream.of(name))
                .toList();
    }

    /**
     * Of what knows the rollups: the database with their tables.
     *
     * @throws IllegalArgumentException if no role is given; not from settings that were parsed for {@code stream}, if rollups
     *     are one of their {@link #destinations}
     */
    public PostgresConnection rollupTarget() {
        return rollupTarget("or leave rollups out of destinations");
    }

    private PostgresConnection rollupTarget(String otherwise) {
        String username = find(Keys.ROLLUP_POSTGRES_USERNAME);
        if (username == null) {
            throw new IllegalArgumentException(Keys.ROLLUP_POSTGRES_USERNAME + " is missing; give --"
                    + Keys.ROLLUP_POSTGRES_USERNAME + ", the environment variable "
                    + Keys.ROLLUP_POSTGRES_USERNAME.variable()
                    + " or a line in the file of --config, " + otherwise);
        }
        return new PostgresConnection(get(Keys.ROLLUP_POSTGRES_URL), username, secret(Keys.ROLLUP_POSTGRES_PASSWORD));
    }

    /** How long after a window's end, in event time, the stream still corrects its row. */
    public Duration rollupAllowedLateness() {
        return get(Keys.ROLLUP_ALLOWED_LATENESS);
    }

    /**
     * Of {@code stream}.
     *
     * @throws IllegalArgumentException as {@link #rollupTarget} and {@link #rollupDefinitions}, or if options do not go
     *     together
     */
    public RollupOptions rollupOptions() {
        PostgresConnection target = rollupTarget();
        return new RollupOptions(
                rollupDefinitions(),
                get(Keys.ROLLUP_REFRESH),
                get(Keys.ROLLUP_ALLOWED_LATENESS),
                get(Keys.ROLLUP_EARLY),
                target,
                get(Keys.ROLLUP_MAX_PENDING),
                get(Keys.RANKING_MAX_CLOCK_SKEW),
                get(Keys.RANKING_MAX_OUT_OF_ORDERNESS));
    }

    private PostgresConnection postgres() {
        return new PostgresConnection(
                get(Keys.POSTGRES_URL), get(Keys.POSTGRES_USERNAME), secret(Keys.POSTGRES_PASSWORD));
    }

    /** Of {@code backfill}, {@code rebuild} and {@code redrive}: where the rows are read. */
    public SourceOptions sourceOptions() {
        return new SourceOptions(
                postgres(),
                get(Keys.POSTGRES_SCHEMA),
                get(Keys.POSTGRES_EVENTS_TABLE),
                get(Keys.POSTGRES_CONTENT_TABLE),
                get(Keys.CAPTURE_ACCEPT_FILTERED) ? get(Keys.POSTGRES_PUBLICATION) : null,
                eventRules());
    }

    /** Of {@code backfill} and {@code rebuild}: which rows are read. */
    public RangeOptions rangeOptions() {
        return RangeOptions.of(find(Keys.FROM), find(Keys.TO));
    }

    /**
     * Of {@code backfill}.
     *
     * @throws IllegalArgumentException if ids are texts, which the stream's dedupe forgets, and rows may be published that
     *     it has forgotten
     */
    public BackfillOptions backfillOptions() {
        if (areIdsTexts()) {
            refuseForgotten();
        }
        return new BackfillOptions(
                sourceOptions(),
                rangeOptions(),
                find(Keys.CONTENT_ID),
                get(Keys.ALL_ROWS),
                get(Keys.DRY_RUN),
                get(Keys.BACKFILL_WAIT),
                get(Keys.BACKFILL_SETTLE),
                kafka(),
                get(Keys.KAFKA_EVENTS_TOPIC),
                get(Keys.KAFKA_CONTENT_TOPIC),
                get(Keys.KAFKA_DEAD_LETTERS_TOPIC),
                get(Keys.KAFKA_GROUP_ID),
                get(Keys.CAPTURE_MAX_ROW_BYTES),
                get(Keys.INGEST_MAX_RECORD_BYTES),
                parallelism().orElse(BackfillOptions.READERS),
                registryOptions());
    }

    /** Beyond its horizon dedupe drops nothing: only the warehouse says what was published then. */
    private void refuseForgotten() {
        String why =
                "; with ingest.event-id=text dedupe knows an id for dedupe.horizon only, and what it has forgotten would"
                        + " be counted and delivered again. ";
        if (!destinations().contains(Destination.WAREHOUSE)) {
            throw new IllegalArgumentException(Keys.DESTINATIONS + " is without warehouse, so nobody can be asked which"
                    + " rows were published" + why + "Give the warehouse that the stream writes to");
        }
        if (get(Keys.ALL_ROWS)) {
            throw new IllegalArgumentException(Keys.ALL_ROWS + " publishes rows that the warehouse has" + why
                    + "Leave --" + Keys.ALL_ROWS + " out");
        }
        Duration kept = get(Keys.WAREHOUSE_PARTITION_EXPIRATION).orElse(null);
        if (kept != null
                && rangeOptions().fromMicros()
                        < ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now().minus(kept))) {
            throw new IllegalArgumentException(Keys.FROM + " is further back than "
                    + Keys.WAREHOUSE_PARTITION_EXPIRATION
                    + ", so the warehouse no longer says which rows were published"
                    + why + "Choose a later --" + Keys.FROM);
        }
    }

    /**
     * Of {@code backfill --rollups}.
     *
     * @throws IllegalArgumentException if rollups are not asked for, if no role is given, or if options do not go together
     * @throws RefusedRollupsException with all that is wrong with the rollups
     */
    public RollupBackfillOptions rollupBackfillOptions() {
        for (Key<?> key : List.of(Keys.CONTENT_ID, Keys.ALL_ROWS)) {
            if (isGiven(key)) {
                throw new IllegalArgumentException(
                        key + " is given, and so is rollups; cells are computed from all events"
                                + " of their windows. Leave --" + key + " out");
            }
        }
        return new RollupBackfillOptions(
                sourceOptions(),
                rangeOptions(),
                askedRollups(),
                rollupTarget("or leave --rollups out"),
                get(Keys.ROLLUP_ALLOWED_LATENESS),
                get(Keys.RANKING_MAX_CLOCK_SKEW),
                get(Keys.DRY_RUN));
    }

    /**
     * Of {@code rebuild}: where its events go.
     *
     * @throws IllegalArgumentException if delivery or rollups is one of them and was asked for: nothing is posted twice, and
     *     rows of rollups are the stream's
     */
    public Set<Destination> rebuiltDestinations() {
        if (areIdsTexts()) {
            throw new IllegalArgumentException(Keys.INGEST_EVENT_ID + " is text; rebuild divides the table by ranges of"
                    + " ids that are numbers, and does not read one whose ids are texts");
        }
        Set<Destination> wanted = EnumSet.copyOf(destinations());
        boolean isGiven = isGiven(Keys.DESTINATIONS);
        if (wanted.remove(Destination.DELIVERY) && isGiven) {
            throw new IllegalArgumentException(refusedByRebuild()
                    + "delivers nothing, as every event would be posted once more. Leave delivery out");
        }
        if (wanted.remove(Destination.ROLLUPS) && isGiven) {
            throw new IllegalArgumentException(refusedByRebuild()
                    + "computes no rollups, whose rows the stream goes on to correct. Leave rollups out");
        }
        if (wanted.remove(Destination.CLICKHOUSE) && isGiven) {
            throw new IllegalArgumentException(
                    refusedByRebuild() + "writes its rows to BigQuery alone. Leave clickhouse out");
        }
        if (wanted.isEmpty()) {
            throw new IllegalArgumentException(
                    "destinations has neither liveview nor warehouse; there is nothing to rebuild");
        }
        return wanted;
    }

    private String refusedByRebuild() {
        return "destinations is "
                + destinations().stream().map(Destination::word).collect(Collectors.joining(",")) + "; a rebuild ";
    }

    /** Of {@code redrive}. */
    public RedriveOptions redriveOptions() {
        return new RedriveOptions(
                kafka(),
                new RedriveOptions.Topics(
                        get(Keys.KAFKA_EVENTS_TOPIC),
                        get(Keys.KAFKA_CONTENT_TOPIC),
                        get(Keys.KAFKA_DEAD_LETTERS_TOPIC),
                        get(Keys.KAFKA_DEAD_LETTERS_REDRIVEN_TOPIC),
                        get(Keys.KAFKA_DELIVERY_RETRY_TOPIC)),
                new RedriveOptions.Selection(
                        get(Keys.REASON).reasons(), find(Keys.FROM), find(Keys.TO), redrivenEvent(), find(Keys.LIMIT)),
                get(Keys.DRY_RUN),
                get(Keys.AGAIN),
                get(Keys.INGEST_MAX_RECORD_BYTES),
                get(Keys.INGEST_FORMAT),
                find(Keys.POSTGRES_USERNAME) == null ? null : sourceOptions(),
                get(Keys.INGEST_EVENT_ID));
    }

    private @Nullable EventId redrivenEvent() {
        String text = find(Keys.EVENT_ID);
        EventIdKind kind = get(Keys.INGEST_EVENT_ID);
        EventId id = EventId.parse(text, kind);
        if (text != null && id == null) {
            throw new IllegalArgumentException(Keys.EVENT_ID + " is '" + text + "'; with ingest.event-id="
                    + (kind == EventIdKind.TEXT
                            ? "text it must be " + EventId.TEXT_RULE
                            : "long it must be a whole number"));
        }
        return id;
    }

    /**
     * Of {@code stream}.
     *
     * @throws IllegalArgumentException if options do not go together; not from settings that were parsed, if delivery is
     *     one of their {@link #destinations}
     */
    public DeliveryOptions deliveryOptions() {
        return new DeliveryOptions(
                get(Keys.DELIVERY_URL),
                new DeliveryOptions.Secrets(
                        secret(Keys.DELIVERY_SECRET),
                        secret(Keys.DELIVERY_PREVIOUS_SECRET),
                        secret(Keys.DELIVERY_TOKEN)),
                new DeliveryOptions.Security(
                        find(Keys.DELIVERY_TRUST_STORE),
                        secret(Keys.DELIVERY_TRUST_STORE_PASSWORD),
                        get(Keys.DELIVERY_ALLOWED_HOSTS),
                        get(Keys.DELIVERY_ALLOW_PLAIN_HTTP)),
                new DeliveryOptions.Attempts(
                        get(Keys.DELIVERY_TIMEOUT),
                        get(Keys.DELIVERY_MAX_ATTEMPTS),
                        get(Keys.DELIVERY_BACKOFF_INITIAL),
                        get(Keys.DELIVERY_BACKOFF_MAX)),
                new DeliveryOptions.InFlight(get(Keys.DELIVERY_MAX_IN_FLIGHT), get(Keys.DELIVERY_MAX_IN_FLIGHT_BYTES)),
                new DeliveryOptions.Batch(get(Keys.DELIVERY_BATCH_SIZE), get(Keys.DELIVERY_BATCH_LINGER)),
                get(Keys.DELIVERY_DRAIN_RATE),
                get(Keys.DELIVERY_RETRY_RETENTION),
                get(Keys.DELIVERY_INCLUDE_SNAPSHOT),
                get(Keys.DELIVERY_RECEIPTS),
                new DeliveryOptions.Success(
                        get(Keys.DELIVERY_SUCCESS_STATUS),
                        find(Keys.DELIVERY_SUCCESS_FIELD),
                        Set.copyOf(get(Keys.DELIVERY_SUCCESS_VALUES))),
                get(Keys.DELIVERY_MAX_RESPONSE_BYTES));
    }

    /** Of {@code audit}. */
    public AuditOptions auditOptions() {
        Set<Destination> destinations = destinations();
        boolean delivery = destinations.contains(Destination.DELIVERY) && get(Keys.DELIVERY_RECEIPTS);
        return new AuditOptions(
                given(Keys.FROM),
                given(Keys.TO),
                get(Keys.AUDIT_SETTLE),
                get(Keys.AUDIT_LISTED_IDS),
                new AuditOptions.Database(
                        postgres(),
                        get(Keys.POSTGRES_SCHEMA),
                        get(Keys.POSTGRES_EVENTS_TABLE),
                        new AuditOptions.Publication(
                                get(Keys.POSTGRES_PUBLICATION), get(Keys.CAPTURE_ACCEPT_FILTERED))),
                kafka(),
                get(Keys.KAFKA_EVENTS_TOPIC),
                get(Keys.KAFKA_DEAD_LETTERS_TOPIC),
                destinations.contains(Destination.WAREHOUSE) ? warehouseOptions() : null,
                destinations.contains(Destination.LIVEVIEW) && get(Keys.COUNTS) ? liveViewOptions() : null,
                delivery
                        ? new AuditOptions.Delivery(
                                get(Keys.KAFKA_DELIVERY_RECEIPTS_TOPIC),
                                get(Keys.KAFKA_DELIVERY_RETRY_TOPIC),
                                get(Keys.KAFKA_GROUP_ID),
                                get(Keys.DELIVERY_INCLUDE_SNAPSHOT))
                        : null,
                areRollupsAsked()
                        ? new AuditOptions.Rollups(
                                askedRollups(),
                                rollupTarget("or leave --rollups out"),
                                sourceOptions(),
                                get(Keys.ROLLUP_ALLOWED_LATENESS),
                                get(Keys.RANKING_MAX_CLOCK_SKEW))
                        : null,
                get(Keys.INGEST_EVENT_ID));
    }

    /** Of {@code backfill}, {@code redrive} and {@code audit}: whether it only says what it would do, and what that costs. */
    public boolean dryRun() {
        return get(Keys.DRY_RUN);
    }

    /** Of {@code audit}: whether its report is to be JSON. */
    public boolean json() {
        return get(Keys.JSON);
    }

    /** Of {@code audit}: whether its report is to say what mends what differs. */
    public boolean repair() {
        return get(Keys.REPAIR);
    }

    private Instant given(Key<Instant> key) {
        Instant time = find(key);
        if (time == null) {
            throw new IllegalArgumentException(
                    key + " is missing; give --from and --to, the range [from, to) of event_ts, such as"
                            + " --from 2026-01-08T09:00:00Z --to 2026-01-08T10:00:00Z");
        }
        return time;
    }

    /** Of {@code stream}: whether single events are cached in Redis. */
    public boolean eventCache() {
        return get(Keys.LIVEVIEW_EVENT_CACHE);
    }

    /**
     * Of {@code capture}, {@code stream} and {@code rebuild}.
     *
     * @param build version of this build, written into each letter
     */
    public DeadLetterOptions deadLetterOptions(String build) {
        return new DeadLetterOptions(get(Keys.KAFKA_DEAD_LETTERS_TOPIC), build);
    }

    /** Whether the user gave that option, as against its default. */
    public boolean isGiven(Key<?> key) {
        return !value(key).origin().equals(Given.DEFAULT);
    }

    /** Three tables, three names. */
    Set<String> distinctTables() {
        String events = get(Keys.POSTGRES_EVENTS_TABLE);
        String content = get(Keys.POSTGRES_CONTENT_TABLE);
        String heartbeat = get(Keys.POSTGRES_HEARTBEAT_TABLE);
        if (events.equals(content) || events.equals(heartbeat) || content.equals(heartbeat)) {
            throw new IllegalArgumentException("postgres.events-table is '" + events + "', postgres.content-table '"
                    + content + "' and postgres.heartbeat-table '" + heartbeat + "'; each must be a table of its own");
        }
        if (get(Keys.CAPTURE_SOURCE) == CaptureOptions.Source.OUTBOX) {
            String outbox = get(Keys.CAPTURE_OUTBOX_TABLE);
            if (Set.of(events, content, heartbeat).contains(outbox)) {
                throw new IllegalArgumentException("capture.outbox.table is '" + outbox
                        + "', which is the name of the table of events, of contents or of the heartbeat; the outbox must"
                        + " be a table of its own");
            }
        }
        return Set.of(events, content, heartbeat);
    }

    private <T> T get(Key<T> key) {
        T value = find(key);
        if (value == null) {
            throw new IllegalStateException(key + " has no value; ask find() for it");
        }
        return value;
    }

    // A key's type parsed the value.
    @SuppressWarnings("unchecked")
    private <T> @Nullable T find(Key<T> key) {
        return (T) value(key).value();
    }

    private SecretRef secret(Key<String> key) {
        Object reference = value(key).value();
        return reference == null ? SecretRef.none() : (SecretRef) reference;
    }

    private Value value(Key<?> key) {
        Value value = values.get(key);
        if (value == null) {
            throw new IllegalStateException(
                    "'" + command.word() + "' takes no " + key + "; it is an option of " + key.takers());
        }
        if (!value.usable()) {
            throw new UnusableException(key);
        }
        return value;
    }

    /** Every option, its value and where it came from; of secrets only where they are, of Kafka properties the names. */
    @Override
    public String toString() {
        StringJoiner text = new StringJoiner(", ", "Settings[" + command.word() + ": ", "]");
        values.forEach((key, value) -> {
            if (value.value() != null) {
                text.add(key + "=" + value.value() + " (" + value.origin() + ")");
            }
        });
        kafkaProperties.keySet().stream()
                .sorted()
                .forEach(property -> text.add(Keys.KAFKA_PROPERTIES.name() + property + "=…"));
        new TreeMap<>(rollupProperties)
                .forEach((property, value) -> text.add(Keys.ROLLUP_PROPERTIES.name() + property + "=" + value));
        return text.toString();
    }
}
