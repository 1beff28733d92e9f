package dev.engagement.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.engagement.audit.AuditOptions;
import dev.engagement.backfill.RollupBackfillOptions;
import dev.engagement.capture.CaptureOptions;
import dev.engagement.capture.OutboxOptions;
import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.deadletter.DeadLetterOptions;
import dev.engagement.dedupe.DedupeOptions;
import dev.engagement.delivery.DeliveryOptions;
import dev.engagement.enrichment.EnrichmentOptions;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EventIdKind;
import dev.engagement.ingest.EventRules;
import dev.engagement.ingest.EventTimeOptions;
import dev.engagement.ingest.IngestFormat;
import dev.engagement.ingest.IngestOptions;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.rollup.RollupOptions;
import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import dev.engagement.warehouse.WarehouseOptions;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.flink.configuration.MemorySize;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {

    private static final Map<String, String> NOTHING = Map.of();
    private static final Map<String, String> CAPTURE_ENV =
            Map.of("ENGAGEMENT_POSTGRES_USERNAME", "capturer", "ENGAGEMENT_POSTGRES_PASSWORD", "hunter2");

    @TempDir
    private Path folder;

    /** As containers are called in Compose and Swarm. */
    @Test
    void hosts_with_an_underscore_are_taken_everywhere() throws Exception {
        Settings settings = parse(
                Command.STREAM,
                args(
                        "--kafka.bootstrap-servers",
                        "kafka_1:9092,kafka_2:9092",
                        "--redis.url",
                        "redis://live_view",
                        "--warehouse.endpoint",
                        "http://big_query:9050",
                        "--warehouse.grpc-endpoint",
                        "http://big_query:9060/",
                        "--delivery.url",
                        "http://webhook_receiver:8000/events",
                        "--delivery.allow-plain-http=true"),
                Map.of("ENGAGEMENT_WAREHOUSE_PROJECT", "acme"));

        assertThat(settings.kafka().bootstrapServers()).isEqualTo("kafka_1:9092,kafka_2:9092");
        assertThat(settings.liveViewOptions().server()).isEqualTo("live_view:6379/0");
        assertThat(settings.warehouseOptions().endpoints().rest()).isEqualTo(URI.create("http://big_query:9050"));
        assertThat(settings.warehouseOptions().endpoints().grpc()).isEqualTo(URI.create("http://big_query:9060"));
        assertThat(settings.deliveryOptions().receiver()).isEqualTo("http://webhook_receiver:8000/events");
    }

    @Test
    void streamNeedsNothingButItsNameAndAProject() {
        Settings settings = stream();

        assertThat(settings.jobName()).isEqualTo("engagement-stream");
        assertThat(settings.parallelism()).isEmpty();
        assertThat(settings.checkpointing())
                .isEqualTo(new CheckpointOptions(Duration.ofSeconds(30), false, Duration.ofMinutes(10), false));
        assertThat(settings.kafka()).isEqualTo(new KafkaConnection("localhost:9092", Map.of()));
        assertThat(settings.topics())
                .isEqualTo(new Topics(
                        "dbserver1.public.engagement_events",
                        "dbserver1.public.content",
                        "engagement.dead-letters",
                        "engagement.dead-letters-redriven",
                        "engagement.delivery-retry",
                        "engagement.delivery-receipts"));
        assertThat(settings.replicationFactor()).isEqualTo((short) -1);
        assertThat(settings.ingestOptions())
                .isEqualTo(new IngestOptions(
                        settings.kafka(),
                        "dbserver1.public.engagement_events",
                        "dbserver1.public.content",
                        "engagement-stream",
                        MemorySize.ofMebiBytes(1),
                        false,
                        EventTimeOptions.DEFAULT,
                        EventRules.DEFAULT,
                        null,
                        IngestFormat.AUTO));
        assertThat(settings.enrichmentOptions()).isEqualTo(EnrichmentOptions.DEFAULT);
        assertThat(settings.dedupeOptions()).isEqualTo(DedupeOptions.DEFAULT);
        assertThat(settings.destinations())
                .containsExactly(Destination.LIVEVIEW, Destination.WAREHOUSE, Destination.DELIVERY);
        assertThat(settings.liveViewOptions())
                .isEqualTo(new LiveViewOptions(URI.create("redis://localhost:6379"), SecretRef.none(), ""));
        assertThat(settings.warehouseOptions())
                .isEqualTo(new WarehouseOptions(
                        "acme",
                        "analytics",
                        "engagement_events",
                        WarehouseOptions.Endpoints.GOOGLE,
                        null,
                        new WarehouseOptions.Layout(WarehouseOptions.Partition.DAY, null, false),
                        MemorySize.ofMebiBytes(64),
                        MemorySize.ofMebiBytes(1),
                        Duration.ofSeconds(1),
                        Duration.ofHours(1),
                        false,
                        false,
                        WarehouseOptions.JsonNumbers.EXACT));
        assertThat(settings.deliveryOptions())
                .isEqualTo(DeliveryOptions.to(URI.create("http://localhost:8000/events")));
        assertThat(settings.deadLetterOptions("1.2.3"))
                .isEqualTo(new DeadLetterOptions("engagement.dead-letters", "1.2.3"));
    }

    @Test
    void rollups_need_a_role_and_are_left_out_of_the_default_without_one() {
        Settings without = stream();

        assertThat(without.destinations())
                .containsExactly(Destination.LIVEVIEW, Destination.WAREHOUSE, Destination.DELIVERY);
        assertThat(without.rollupsLeftOut())
                .hasValue(
                        "Rollups are left out: rollup.postgres.username is missing, the role for the database that they"
                                + " are kept in. Give it, as --rollup.postgres.username, the environment variable"
                                + " ENGAGEMENT_ROLLUP_POSTGRES_USERNAME or a line in the file of --config; or give destinations"
                                + " without rollups, and this is not said again");

        assertThat(stream("--destinations=liveview,warehouse").rollupsLeftOut()).isEmpty();
        assertThat(problems(Command.STREAM, NOTHING, "--destinations=liveview,rollups"))
                .containsExactly("rollup.postgres.username is missing; give --rollup.postgres.username, the environment"
                        + " variable ENGAGEMENT_ROLLUP_POSTGRES_USERNAME or a line in the file of --config, or leave rollups"
                        + " out of destinations.");

        Settings with = stream("--rollup.postgres.username=roller");
        assertThat(with.destinations())
                .containsExactly(
                        Destination.LIVEVIEW, Destination.WAREHOUSE, Destination.DELIVERY, Destination.ROLLUPS);
        assertThat(with.rollupsLeftOut()).isEmpty();
        assertThat(with.rollupOptions().target().username()).isEqualTo("roller");
    }

    @Test
    void the_default_of_rollups_is_all_that_are_shipped() {
        RollupOptions options = stream("--rollup.postgres.username=roller").rollupOptions();

        assertThat(options.definitions()).isEqualTo(RollupDefinitions.shipped());
        assertThat(options.refresh()).isEqualTo(Duration.ofSeconds(5));
        assertThat(options.allowedLateness()).isEqualTo(Duration.ofHours(1));
        assertThat(options.early()).isFalse();
        assertThat(options.target().jdbcUrl()).isEqualTo("jdbc:postgresql://localhost:5432/analytics");
        assertThat(options.target().password()).hasToString("no secret");
        assertThat(options.maxPending()).isEqualTo(MemorySize.ofMebiBytes(64));
        assertThat(options.maxClockSkew()).isEqualTo(Duration.ofMinutes(1));
        assertThat(options.maxOutOfOrderness()).isEqualTo(Duration.ofSeconds(2));
    }

    @Test
    void every_option_of_rollups_reaches_its_record() {
        Settings settings = parse(
                Command.STREAM,
                args(
                        "--destinations=rollups",
                        "--rollups=hourly, mine",
                        "--rollup.mine.by",
                        "device",
                        "--rollup.mine.window=1 min",
                        "--rollup.mine.measures=views=count_if(event_type = play|resume)",
                        "--rollup.hourly.table=hours",
                        "--rollup.refresh=500 ms",
                        "--rollup.allowed-lateness=2 h",
                        "--rollup.early=true",
                        "--rollup.postgres.url=jdbc:postgresql://db:5433/numbers",
                        "--rollup.postgres.username=roller",
                        "--rollup.max-pending=8 mb",
                        "--ranking.max-clock-skew=3 s",
                        "--ranking.max-out-of-orderness=4 s"),
                Map.of("ENGAGEMENT_ROLLUP_POSTGRES_PASSWORD", "hunter2"));
        RollupOptions options = settings.rollupOptions();

        assertThat(options.definitions())
                .isEqualTo(RollupDefinitions.parse(
                        List.of("hourly", "mine"),
                        Map.of(
                                "mine.by", "device",
                                "mine.window", "1 min",
                                "mine.measures", "views=count_if(event_type = play|resume)",
                                "hourly.table", "hours")))
                .isEqualTo(settings.rollupDefinitions());
        assertThat(options.refresh()).isEqualTo(Duration.ofMillis(500));
        assertThat(options.allowedLateness())
                .isEqualTo(Duration.ofHours(2))
                .isEqualTo(settings.rollupAllowedLateness());
        assertThat(options.early()).isTrue();
        assertThat(options.target())
                .hasToString(
                        "jdbc:postgresql://db:5433/numbers as roller (secret in $ENGAGEMENT_ROLLUP_POSTGRES_PASSWORD)")
                .hasToString(settings.rollupTarget().toString());
        assertThat(options.maxPending()).isEqualTo(MemorySize.ofMebiBytes(8));
        assertThat(options.maxClockSkew()).isEqualTo(Duration.ofSeconds(3));
        assertThat(options.maxOutOfOrderness()).isEqualTo(Duration.ofSeconds(4));
        assertThat(settings.toString())
                .contains("rollup.mine.window=1 min", "rollup.hourly.table=hours")
                .doesNotContain("hunter2");
    }

    @Test
    void rollups_are_defined_on_the_command_line_in_the_environment_and_in_the_file() throws IOException {
        String file = file(
                "destinations=rollups",
                "rollup.postgres.username=roller",
                "rollups=my_rollup_1",
                "rollup.my_rollup_1.by=device",
                "rollup.my_rollup_1.window=1 min",
                "rollup.my_rollup_1.slide=10 s",
                "rollup.my_rollup_1.measures=of_file=count");

        RollupDefinition definition = parse(
                        Command.STREAM,
                        args("--config", file, "--rollup.my_rollup_1.slide", "30 s"),
                        Map.of(
                                "ENGAGEMENT_ROLLUP_MY_ROLLUP_1_WINDOW", "2 min",
                                "ENGAGEMENT_ROLLUP_MY_ROLLUP_1_SLIDE", "1 min",
                                "ENGAGEMENT_ROLLUP_MY_ROLLUP_1_TABLE", "",
                                "ENGAGEMENT_ROLLUP_MY_ROLLUP_1_LIVE", "false"))
                .rollupDefinitions()
                .get(0);

        assertThat(definition.by()).extracting(KeyPart::column).containsExactly("device");
        assertThat(definition.windowSizeText()).isEqualTo("2m");
        assertThat(definition.slideMillis()).isEqualTo(30_000);
        assertThat(definition.measures()).extracting(Measure::column).containsExactly("of_file");
        assertThat(definition.table()).isEqualTo("my_rollup_1");
        assertThat(definition.live()).isFalse();
    }

    @Test
    void what_is_wrong_with_rollups_is_told_one_by_one() {
        assertThat(problems(
                        Command.STREAM,
                        Map.of("ENGAGEMENT_ROLLUP_MINE_WINDOW", "30"),
                        "--destinations=rollups",
                        "--rollups=mine,hourly",
                        "--rollup.mine.measures=average",
                        "--rollup.mine.widnow=1 min",
                        "--rollup.yours.live=false"))
                .satisfiesExactlyInAnyOrder(
                        problem -> assertThat(problem).startsWith("rollup.postgres.username is missing;"),
                        problem -> assertThat(problem)
                                .startsWith("rollup.mine.window is '30'; it has no unit;")
                                .endsWith("PT30S."),
                        problem -> assertThat(problem).startsWith("rollup.mine.measures is 'average'; 'average' is no"),
                        problem ->
                                assertThat(problem).startsWith("rollup.mine.widnow is '1 min'; a rollup has no such"),
                        problem -> assertThat(problem).startsWith("rollup.yours.live is 'false', and rollups is"));
        assertThat(problems(
                        Command.STREAM,
                        NOTHING,
                        "--rollup.postgres.username=roller",
                        "--rollup.allowed-lateness=3 h",
                        "--rollup.hourly.retention=2 h"))
                .singleElement()
                .asString()
                .startsWith(
                        "rollup.hourly.retention is PT2H, and with a window of 1h and rollup.allowed-lateness PT3H");
    }

    @ParameterizedTest
    @CsvSource({
        "--rollup.refesh=5 s, Unknown option --rollup.refesh; did you mean --rollup.refresh?",
        "--rollup=hourly, Unknown option --rollup; did you mean --rollups?",
        "--rollup.postgres.user=x, Unknown option --rollup.postgres.user",
        "--rollup.postgres.by=x, Unknown option --rollup.postgres.by",
        "--rollup.refresh=1 ms, rollup.refresh is '1 ms' (--rollup.refresh); it must be at least 100 ms.",
        "--rollup.refresh=1 h, rollup.refresh is PT1H; it must be 100 ms to 10 min",
        "--rollup.allowed-lateness=8 d, rollup.allowed-lateness is PT192H; it must be 0 s to 7 d",
        "--rollup.max-pending=1 kb, rollup.max-pending is '1 kb' (--rollup.max-pending); it must be between",
        "--rollup.early=yes, rollup.early is 'yes' (--rollup.early); it must be true or false.",
        "--rollup.postgres.url=db:5432, rollup.postgres.url is unusable",
        "--rollups=, rollups is empty; name at least one",
        "--rollups=Mine, rollups names 'Mine'; a rollup's name is lower-case letters",
    })
    void options_of_rollups_are_checked_if_they_are_a_destination(String option, String problem) {
        assertThat(problems(Command.STREAM, NOTHING, "--rollup.postgres.username=roller", option))
                .singleElement()
                .asString()
                .startsWith(problem);
        assertThat(problems(Command.STREAM, Map.of("ENGAGEMENT_ROLLUP_MINE_WIDNOW", "x")))
                .singleElement()
                .asString()
                .startsWith("Unknown environment variable ENGAGEMENT_ROLLUP_MINE_WIDNOW");
    }

    @Test
    void definitions_of_rollups_that_are_left_out_are_not_looked_at() throws IOException {
        String file = file("rollups=mine", "rollup.mine.window=soon");

        assertThat(stream("--destinations=liveview", "--config", file).destinations())
                .containsExactly(Destination.LIVEVIEW);
        assertThat(stream("--config", file).rollupsLeftOut()).isPresent();
        assertThat(parse(Command.CAPTURE, args("--config", file), CAPTURE_ENV).command())
                .isEqualTo(Command.CAPTURE);
        assertThat(problems(Command.CAPTURE, CAPTURE_ENV, "--rollup.mine.window=1 min"))
                .containsExactly("--rollup.mine.window is no option of 'capture' but of 'stream', 'backfill', 'audit';"
                        + " leave it out.");
    }

    private static final String[] RANGE = {"--from=2026-01-08T09:00:00Z", "--to=2026-01-08T10:00:00Z"};

    private static String[] withRange(String... more) {
        return Stream.concat(Stream.of(more), Stream.of(RANGE)).toArray(String[]::new);
    }

    @Test
    void rollups_are_asked_for_by_their_word_alone_or_with_names() throws IOException {
        String file = file(
                "destinations=liveview",
                "rollups=hourly,mine",
                "rollup.mine.window=1 min",
                "rollup.mine.measures=count",
                "rollup.allowed-lateness=2 h",
                "rollup.postgres.username=roller",
                "ranking.max-clock-skew=30 s");

        Settings without = parse(Command.AUDIT, withRange("--config", file), CAPTURE_ENV);
        assertThat(without.areRollupsAsked()).isFalse();
        assertThat(without.auditOptions().rollups()).isNull();
        assertThat(parse(Command.BACKFILL, withRange("--config", file), CAPTURE_ENV)
                        .areRollupsAsked())
                .isFalse();

        assertThat(audited("--rollups", "--config", file)).containsExactly("hourly", "mine");
        assertThat(audited("--rollups=", "--config", file)).containsExactly("hourly", "mine");
        assertThat(audited("--rollups", "mine", "--config", file)).containsExactly("mine");
        // One more, which is shipped; in the order in which they are defined.
        assertThat(audited("--rollups=completion,mine", "--config", file)).containsExactly("mine", "completion");
        assertThat(audited("--rollups=shipped", "--config", file))
                .hasSize(RollupDefinitions.shippedNames().size())
                .doesNotContain("mine");
        assertThat(audited("--rollups", "--rollup.postgres.username=roller", "--destinations=liveview"))
                .isEqualTo(RollupDefinitions.shippedNames());

        RollupBackfillOptions options = parse(
                        Command.BACKFILL, withRange("--rollups=hourly", "--dry-run", "--config", file), CAPTURE_ENV)
                .rollupBackfillOptions();
        assertThat(options.definitions()).extracting(RollupDefinition::name).containsExactly("hourly");
        assertThat(options.target().username()).isEqualTo("roller");
        assertThat(options.source().postgres().username()).isEqualTo("capturer");
        assertThat(options.range()).hasToString("[2026-01-08T09:00:00.000000Z, 2026-01-08T10:00:00.000000Z)");
        assertThat(options.allowedLateness()).isEqualTo(Duration.ofHours(2));
        assertThat(options.maxClockSkew()).isEqualTo(Duration.ofSeconds(30));
        assertThat(options.dryRun()).isTrue();
    }

    /** Names of the rollups that an audit compares. */
    private static List<String> audited(String... args) {
        AuditOptions.Rollups rollups = parse(Command.AUDIT, withRange(args), CAPTURE_ENV)
                .auditOptions()
                .rollups();
        assertThat(rollups).isNotNull();
        return rollups.definitions().stream().map(RollupDefinition::name).toList();
    }

    @Test
    void who_asks_for_rollups_is_told_what_is_wrong_with_them() {
        assertThat(problems(Command.AUDIT, CAPTURE_ENV, withRange("--rollups", "--destinations=liveview")))
                .containsExactly("rollup.postgres.username is missing; give --rollup.postgres.username, the environment"
                        + " variable ENGAGEMENT_ROLLUP_POSTGRES_USERNAME or a line in the file of --config, or leave"
                        + " --rollups out.");
        assertThat(problems(
                        Command.BACKFILL,
                        CAPTURE_ENV,
                        withRange("--rollups=hourli", "--rollup.postgres.username=roller")))
                .singleElement()
                .asString()
                .startsWith("rollups names 'hourli', which is not defined;");
        assertThat(problems(
                        Command.BACKFILL,
                        CAPTURE_ENV,
                        withRange("--rollups", "--all", "--rollup.postgres.username=roller")))
                .containsExactly("all is given, and so is rollups; cells are computed from all events of their windows."
                        + " Leave --all out.");
        assertThat(problems(Command.BACKFILL, CAPTURE_ENV, withRange("--rollups=a,,b")))
                .singleElement()
                .asString()
                .startsWith("rollups is 'a,,b' (--rollups); it has an empty place");
        assertThat(problems(Command.STREAM, NOTHING, "--rollups"))
                .singleElement()
                .asString()
                .startsWith("--rollups has no value;");
        assertThat(Settings.parse(
                                Command.BACKFILL,
                                withRange("--rollups", "--rollup.postgres.username=roller"),
                                CAPTURE_ENV)
                        .areRollupsAsked())
                .as("no warehouse is needed")
                .isTrue();
    }

    @Test
    void textsAreRememberedForAWeekUnlessSomethingElseIsSaidAndNeverForEver() {
        assertThat(stream("--ingest.event-id", "text").dedupeOptions())
                .isEqualTo(new DedupeOptions(Duration.ofDays(7), EventIdKind.TEXT, 0));
        assertThat(stream("--ingest.event-id", "text", "--dedupe.horizon", "2 d")
                        .dedupeOptions())
                .isEqualTo(new DedupeOptions(Duration.ofDays(2), EventIdKind.TEXT, 0));
        assertThat(stream().dedupeOptions()).isEqualTo(DedupeOptions.DEFAULT);
        assertThatThrownBy(() -> stream("--ingest.event-id", "text", "--dedupe.horizon", "none"))
                .hasMessageContaining("dedupe.horizon is 'none' and ingest.event-id is 'text'")
                .hasMessageContaining("give a duration such as 7 d");
    }

    @Test
    void redriveNeedsAReasonAndTheRestIsItsLetters() {
        assertThat(problems(Command.REDRIVE, NOTHING))
                .singleElement()
                .asString()
                .contains("reason is missing", "--reason=");
        assertThatThrownBy(() -> Settings.parse(Command.REDRIVE, args("--reason=REJECTED"), NOTHING))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("warehouse.project is missing");
        assertThat(problems(Command.REDRIVE, NOTHING, "--reason=WRONG", "--from=yesterday", "--limit=0"))
                .hasSize(3)
                .anySatisfy(problem -> assertThat(problem).contains("'WRONG' is no reason; there are UNDECODABLE,"))
                .anySatisfy(problem -> assertThat(problem).contains("a time with its zone"));
        assertThat(problems(Command.REDRIVE, NOTHING, "--reason=INVALID", "--event-id=x"))
                .singleElement()
                .asString()
                .contains("event-id is 'x'; with ingest.event-id=long it must be a whole number");
        assertThat(problems(Command.REDRIVE, NOTHING, "--reason=INVALID", "--event-id=a b", "--ingest.event-id=text"))
                .singleElement()
                .asString()
                .contains("event-id is 'a b'; with ingest.event-id=text it must be a text of 1 to 128 characters");
        assertThat(problems(
                        Command.REDRIVE,
                        NOTHING,
                        "--reason=INVALID",
                        "--from=2026-01-08T09:00:00Z",
                        "--to=2026-01-08T09:00:00Z"))
                .singleElement()
                .asString()
                .contains("from must be before to");
        assertThat(problems(Command.REDRIVE, Map.of("ENGAGEMENT_REASON", "INVALID"), "--reason=INVALID"))
                .singleElement()
                .asString()
                .contains("for one start only");
        assertThat(problems(Command.STREAM, Map.of("ENGAGEMENT_WAREHOUSE_PROJECT", "acme"), "--reason=INVALID"))
                .singleElement()
                .asString()
                .contains("--reason is no option of 'stream' but of 'redrive'");

        Settings settings =
                parse(Command.REDRIVE, args("--reason", "INVALID,OVERSIZE", "--limit", "5", "--dry-run"), CAPTURE_ENV);
        assertThat(settings.redriveOptions().selection().limit()).isEqualTo(5);
        assertThat(settings.redriveOptions().dryRun()).isTrue();
        assertThat(settings.redriveOptions().needsWarehouse()).isFalse();
        assertThat(settings.redriveOptions().database().postgres().password())
                .hasToString("secret in $ENGAGEMENT_POSTGRES_PASSWORD");
        assertThat(parse(Command.REDRIVE, args("--reason=INVALID"), NOTHING)
                        .redriveOptions()
                        .database())
                .isNull();
    }

    @Test
    void captureNeedsUserAndPassword() {
        assertThat(problems(Command.CAPTURE, NOTHING))
                .satisfiesExactlyInAnyOrder(
                        problem -> assertThat(problem)
                                .contains(
                                        "postgres.username is missing",
                                        "--postgres.username",
                                        "ENGAGEMENT_POSTGRES_USERNAME"),
                        problem -> assertThat(problem)
                                .contains(
                                        "postgres.password is missing",
                                        "ENGAGEMENT_POSTGRES_PASSWORD",
                                        "postgres.password.secret-file"));

        CaptureOptions options = parse(Command.CAPTURE, args(), CAPTURE_ENV).captureOptions();

        assertThat(options.postgres().jdbcUrl()).isEqualTo("jdbc:postgresql://localhost:5432/postgres");
        assertThat(options.postgres().username()).isEqualTo("capturer");
        assertThat(options.postgres().password()).hasToString("secret in $ENGAGEMENT_POSTGRES_PASSWORD");
        assertThat(options.schema()).isEqualTo("public");
        assertThat(options.eventsTable()).isEqualTo("engagement_events");
        assertThat(options.contentTable()).isEqualTo("content");
        assertThat(options.heartbeatTable()).isEqualTo("engagement_heartbeat");
        assertThat(options.slotName()).isEqualTo("engagement_slot");
        assertThat(options.publication()).isEqualTo("engagement_publication");
        assertThat(options.start()).isEqualTo(CaptureOptions.Start.INITIAL);
        assertThat(options.heartbeatInterval()).isEqualTo(Duration.ofSeconds(10));
        assertThat(options.maxRowBytes()).isEqualTo(MemorySize.parse("8128 kb"));
        assertThat(options.eventsTopic()).isEqualTo("dbserver1.public.engagement_events");
        assertThat(options.contentTopic()).isEqualTo("dbserver1.public.content");
    }

    @Test
    void anOutboxIsCapturedIfThatIsSaid() {
        assertThat(parse(Command.CAPTURE, args(), CAPTURE_ENV).captureOptions().outbox())
                .isNull();
        assertThat(parse(Command.CAPTURE, args("--capture.source=outbox"), CAPTURE_ENV)
                        .captureOptions()
                        .outbox())
                .isEqualTo(new OutboxOptions(
                        "outbox_events",
                        "id",
                        "aggregatetype",
                        "aggregateid",
                        "type",
                        "payload",
                        "created_at",
                        "engagement_event",
                        "content",
                        List.of(),
                        List.of("delete", "deleted"),
                        "engagement",
                        false));
        assertThat(parse(
                                Command.CAPTURE,
                                args(
                                        "--capture.source=outbox",
                                        "--capture.outbox.table=t",
                                        "--capture.outbox.id-column=i",
                                        "--capture.outbox.aggregate-type-column=at",
                                        "--capture.outbox.aggregate-id-column=ai",
                                        "--capture.outbox.type-column=ty",
                                        "--capture.outbox.payload-column=p",
                                        "--capture.outbox.created-at-column=ca",
                                        "--capture.outbox.event-aggregate=E",
                                        "--capture.outbox.content-aggregate=C",
                                        "--capture.outbox.ignored-aggregates=a, b",
                                        "--capture.outbox.delete-types=gone",
                                        "--capture.outbox.message-prefix=m",
                                        "--capture.outbox.purge=true"),
                                CAPTURE_ENV)
                        .captureOptions()
                        .outbox())
                .isEqualTo(new OutboxOptions(
                        "t",
                        "i",
                        "at",
                        "ai",
                        "ty",
                        "p",
                        "ca",
                        "E",
                        "C",
                        List.of("a", "b"),
                        List.of("gone"),
                        "m",
                        true));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--capture.outbox.table=content              | which is the name of the table of events, of contents",
                "--capture.outbox.type-column=id             | capture.outbox names a column twice",
                "--capture.outbox.event-aggregate=content    | nobody could tell events from contents",
                "--capture.outbox.ignored-aggregates=content | which is the aggregate type of events or of contents",
                "--capture.outbox.delete-types=Gone          | capture.outbox.delete-types names 'Gone'",
                "--capture.outbox.table=a-b                  | it must be letters, digits and underscores"
            })
    void anOutboxThatCannotBeReadIsRefused(String option, String problem) {
        assertThat(problems(Command.CAPTURE, CAPTURE_ENV, "--capture.source=outbox", option))
                .singleElement()
                .asString()
                .contains(problem);
    }

    @Test
    void everyOptionReachesItsRecord() {
        Settings settings = stream(
                "--job.name=nightly",
                "--parallelism=3",
                "--checkpoint.interval=PT5S",
                "--checkpoint.timeout=1min",
                "--kafka.bootstrap-servers= a:1 , b:2",
                "--kafka.group-id=g",
                "--kafka.replication-factor=3",
                "--kafka.topics.events=e",
                "--kafka.topics.content=c",
                "--kafka.topics.dead-letters=d",
                "--kafka.topics.dead-letters-redriven=r",
                "--kafka.topics.delivery-retry=t",
                "--kafka.topics.delivery-receipts=p",
                "--kafka.properties.security.protocol=SSL",
                "--ingest.max-record-bytes=64 kb",
                "--enrichment.pct-mode=percent",
                "--enrichment.pct-scale=4",
                "--enrichment.null-rule=EITHER",
                "--enrichment.content-wait=1 h",
                "--ranking.max-out-of-orderness=250ms",
                "--ranking.max-clock-skew=0 s",
                "--ranking.idle-timeout=2 s",
                "--dedupe.horizon=30 d",
                "--destinations=liveview,warehouse,delivery",
                "--redis.url=rediss://cache/2",
                "--redis.password.secret-file=/run/secrets/redis",
                "--redis.key-prefix=eu:",
                "--warehouse.project=other",
                "--warehouse.dataset=d",
                "--warehouse.table=t",
                "--warehouse.endpoint=http://localhost:9050/",
                "--warehouse.grpc-endpoint=http://localhost:9060",
                "--warehouse.credentials-file=/run/secrets/key.json",
                "--warehouse.partition=hour",
                "--warehouse.partition-expiration=90 d",
                "--warehouse.require-partition-filter=true",
                "--warehouse.add-columns=true",
                "--warehouse.json-numbers=round",
                "--warehouse.flush-size=2 mb",
                "--warehouse.flush-interval=250 ms",
                "--warehouse.max-in-flight-bytes=8 mb",
                "--warehouse.commit-timeout=2 h",
                "--delivery.url=https://Receiver.example.com/in?source=us",
                "--delivery.secret.secret-file=/run/secrets/signing",
                "--delivery.previous-secret.secret-file=/run/secrets/previous",
                "--delivery.token.secret-file=/run/secrets/token",
                "--delivery.trust-store=/etc/receiver.p12",
                "--delivery.trust-store-password.secret-file=/run/secrets/trust",
                "--delivery.allowed-hosts=other, *.example.com",
                "--delivery.allow-plain-http=true",
                "--delivery.timeout=3 s",
                "--delivery.max-attempts=5",
                "--delivery.backoff-initial=1 s",
                "--delivery.backoff-max=1 min",
                "--delivery.max-in-flight=16",
                "--delivery.max-in-flight-bytes=4 mb",
                "--delivery.batch-size=20",
                "--delivery.batch-linger=0 s",
                "--delivery.drain-rate=50",
                "--delivery.include-snapshot=true",
                "--delivery.receipts=true",
                "--delivery.success-status=200 - 202, 409",
                "--delivery.success-field=status",
                "--delivery.success-values=ok, accepted",
                "--delivery.max-response-bytes=8 kb",
                "--accept-warehouse-duplicates",
                "--accept-gap");

        assertThat(settings.jobName()).isEqualTo("nightly");
        assertThat(settings.parallelism()).hasValue(3);
        assertThat(settings.checkpointing())
                .isEqualTo(new CheckpointOptions(Duration.ofSeconds(5), true, Duration.ofMinutes(1), true));
        assertThat(settings.kafka()).isEqualTo(new KafkaConnection("a:1,b:2", Map.of("security.protocol", "SSL")));
        assertThat(settings.topics()).isEqualTo(new Topics("e", "c", "d", "r", "t", "p"));
        assertThat(settings.replicationFactor()).isEqualTo((short) 3);
        assertThat(settings.ingestOptions())
                .isEqualTo(new IngestOptions(
                        settings.kafka(),
                        "e",
                        "c",
                        "g",
                        MemorySize.parse("64 kb"),
                        true,
                        new EventTimeOptions(Duration.ofMillis(250), Duration.ZERO, Duration.ofSeconds(2)),
                        EventRules.DEFAULT,
                        null,
                        IngestFormat.AUTO));
        assertThat(settings.enrichmentOptions())
                .isEqualTo(new EnrichmentOptions(
                        new EngagementRule(EngagementRule.PctMode.PERCENT, 4, EngagementRule.NullRule.EITHER),
                        Duration.ofHours(1),
                        true));
        assertThat(settings.dedupeOptions()).isEqualTo(new DedupeOptions(Duration.ofDays(30), EventIdKind.LONG, 0));
        assertThat(settings.liveViewOptions().url()).isEqualTo(URI.create("rediss://cache:6379/2"));
        assertThat(settings.liveViewOptions().password()).hasToString("secret in /run/secrets/redis");
        assertThat(settings.liveViewOptions().keyPrefix()).isEqualTo("eu:");
        assertThat(settings.warehouseOptions())
                .isEqualTo(new WarehouseOptions(
                        "other",
                        "d",
                        "t",
                        new WarehouseOptions.Endpoints(
                                URI.create("http://localhost:9050"), URI.create("http://localhost:9060")),
                        "/run/secrets/key.json",
                        new WarehouseOptions.Layout(WarehouseOptions.Partition.HOUR, Duration.ofDays(90), true),
                        MemorySize.ofMebiBytes(8),
                        MemorySize.ofMebiBytes(2),
                        Duration.ofMillis(250),
                        Duration.ofHours(2),
                        true,
                        true,
                        WarehouseOptions.JsonNumbers.ROUND));
        DeliveryOptions delivery = settings.deliveryOptions();
        assertThat(delivery.url()).isEqualTo(URI.create("https://Receiver.example.com/in?source=us"));
        assertThat(delivery.secrets().signing()).hasToString("secret in /run/secrets/signing");
        assertThat(delivery.secrets().previous()).hasToString("secret in /run/secrets/previous");
        assertThat(delivery.secrets().token()).hasToString("secret in /run/secrets/token");
        assertThat(delivery.security().trustStore()).isEqualTo("/etc/receiver.p12");
        assertThat(delivery.security().trustStorePassword()).hasToString("secret in /run/secrets/trust");
        assertThat(delivery.security().allowedHosts()).containsExactly("other", "*.example.com");
        assertThat(delivery.security().allowPlainHttp()).isTrue();
        assertThat(delivery.attempts())
                .isEqualTo(new DeliveryOptions.Attempts(
                        Duration.ofSeconds(3), 5, Duration.ofSeconds(1), Duration.ofMinutes(1)));
        assertThat(delivery.inFlight()).isEqualTo(new DeliveryOptions.InFlight(16, MemorySize.ofMebiBytes(4)));
        assertThat(delivery.batch()).isEqualTo(new DeliveryOptions.Batch(20, Duration.ZERO));
        assertThat(delivery.drainRate()).isEqualTo(50);
        assertThat(delivery.includeSnapshot()).isTrue();
        assertThat(delivery.receipts()).isTrue();
        assertThat(delivery.success())
                .isEqualTo(new DeliveryOptions.Success(
                        List.of(new DeliveryOptions.StatusRange(200, 202), new DeliveryOptions.StatusRange(409, 409)),
                        "status",
                        Set.of("ok", "accepted")));
        assertThat(delivery.maxResponseBytes()).isEqualTo(MemorySize.parse("8 kb"));
        assertThat(settings.deadLetterOptions("b").topic()).isEqualTo("d");
    }

    @Test
    void commandLineBeatsEnvironmentBeatsFileBeatsDefault() throws IOException {
        String file = file(
                "kafka.group-id=file", "kafka.topic-prefix=file", "redis.key-prefix=file", "postgres.slot-name=file");
        Map<String, String> environment = Map.of(
                "ENGAGEMENT_KAFKA_GROUP_ID", "environment",
                "ENGAGEMENT_KAFKA_TOPIC_PREFIX", "environment",
                "ENGAGEMENT_CONFIG", file);

        Settings settings = parse(Command.STREAM, args("--kafka.group-id", "arguments"), environment);

        assertThat(settings.ingestOptions().groupId()).isEqualTo("arguments");
        assertThat(settings.topics().content()).isEqualTo("environment.public.content");
        assertThat(settings.liveViewOptions().keyPrefix()).isEqualTo("file");
        assertThat(settings.ingestOptions().maxRecordBytes()).isEqualTo(MemorySize.ofMebiBytes(1));
    }

    @Test
    void theFileOfTheCommandLineReplacesThatOfTheEnvironment() throws IOException {
        String file = file("kafka.group-id=mine");

        Settings settings =
                parse(Command.STREAM, args("--config", file), Map.of("ENGAGEMENT_CONFIG", "/does/not/exist"));

        assertThat(settings.ingestOptions().groupId()).isEqualTo("mine");
    }

    @Test
    void topicNamesFollowPrefixSchemaAndTables() {
        Settings settings = stream(
                "--kafka.topic-prefix", "eu", "--postgres.schema", "app", "--postgres.events-table", "happenings");

        assertThat(settings.topics().events()).isEqualTo("eu.app.happenings");
        assertThat(settings.topics().content()).isEqualTo("eu.app.content");
    }

    @Test
    void allProblemsAreToldAtOnce() throws IOException {
        String file = file("kafka.topic-prefx=x", "redis.password=hunter2");

        List<String> problems = problems(
                Command.STREAM,
                Map.of("ENGAGEMENT_KAFKA_GROUPID", "g", "ENGAGEMENT_CHECKPOINT_TIMEOUT", "soon"),
                "--config",
                file,
                "--redis.ulr",
                "redis://x",
                "--enrichment.pct-scale",
                "10",
                "--kafka.group-id",
                "--dedupe.horizon=1 s");

        assertThat(problems)
                .anySatisfy(
                        p -> assertThat(p).contains("'kafka.topic-prefx'", file, "did you mean kafka.topic-prefix?"))
                .anySatisfy(p -> assertThat(p).contains("redis.password", file, "ENGAGEMENT_REDIS_PASSWORD"))
                .anySatisfy(p -> assertThat(p).contains("ENGAGEMENT_KAFKA_GROUPID", "mean ENGAGEMENT_KAFKA_GROUP_ID?"))
                .anySatisfy(
                        p -> assertThat(p).contains("checkpoint.timeout is 'soon'", "ENGAGEMENT_CHECKPOINT_TIMEOUT"))
                .anySatisfy(p -> assertThat(p).contains("--redis.ulr", "did you mean --redis.url?"))
                .anySatisfy(p -> assertThat(p).contains("enrichment.pct-scale is '10'", "between 0 and 9"))
                .anySatisfy(p -> assertThat(p).contains("--kafka.group-id has no value"))
                .anySatisfy(p -> assertThat(p).contains("dedupe.horizon", "at least 1 h"))
                .hasSize(8);
    }

    @Test
    void messageNamesTheCommandAndThatNothingWasStarted() {
        assertThatThrownBy(() -> stream("--nonsense"))
                .isInstanceOf(ConfigurationException.class)
                .hasMessage("The configuration of 'stream' cannot be used; nothing was started:"
                        + "\n  - Unknown option --nonsense; 'stream --help' lists all.")
                .hasNoCause();
    }

    @Test
    void optionGivenTwiceIsRefused() throws IOException {
        assertThat(problems(Command.STREAM, NOTHING, "--kafka.group-id=a", "--kafka.group-id", "a"))
                .containsExactly("--kafka.group-id is given twice; leave one.");
        assertThat(problems(Command.STREAM, NOTHING, "--accept-gap", "--accept-gap"))
                .containsExactly("--accept-gap is given twice; leave one.");
        assertThat(problems(Command.STREAM, NOTHING, "--config", file("job.name=a", "job.name:b")))
                .singleElement()
                .asString()
                .contains("'job.name' stands twice");
    }

    @ParameterizedTest
    @CsvSource({
        "--bootstrap-servers, --kafka.bootstrap-servers",
        "--kafka.bootstrap.servers, --kafka.bootstrap-servers",
        "--chekpoint.interval, --checkpoint.interval",
        "--accept-gaps, --accept-gap",
        "--redis-url, --redis.url"
    })
    void nearestOptionIsNamed(String typed, String meant) {
        assertThat(problems(Command.STREAM, NOTHING, typed, "x"))
                .containsExactly("Unknown option " + typed + "; did you mean " + meant + "?");
    }

    @ParameterizedTest
    @EnumSource(names = {"BACKFILL", "REBUILD", "AUDIT"})
    void aRangeIsNeededAndAskedForOnce(Command command) {
        assertThat(problems(command, CAPTURE_ENV))
                .containsExactly("from is missing; give --from and --to, the range [from, to) of event_ts, such as"
                        + " --from 2026-01-08T09:00:00Z --to 2026-01-08T10:00:00Z.");
        assertThat(problems(command, CAPTURE_ENV, "--from", "2026-01-08T09:00:00Z"))
                .singleElement()
                .asString()
                .startsWith("to is missing; give --from and --to");
    }

    @Test
    void rebuildLeavesDeliveryAndRollupsOutOnlyOfTheDefault() {
        String[] range = {"--from", "2026-01-08T09:00:00Z", "--to", "2026-01-08T10:00:00Z"};

        assertThat(parse(Command.REBUILD, range, CAPTURE_ENV).rebuiltDestinations())
                .containsExactly(Destination.LIVEVIEW, Destination.WAREHOUSE);
        assertThat(problems(
                        Command.REBUILD,
                        CAPTURE_ENV,
                        "--from",
                        "2026-01-08T09:00:00Z",
                        "--to",
                        "2026-01-08T10:00:00Z",
                        "--destinations",
                        "warehouse,delivery"))
                .containsExactly(
                        "destinations is warehouse,delivery; a rebuild delivers nothing, as every event would be"
                                + " posted once more. Leave delivery out.");
        assertThat(problems(
                        Command.REBUILD,
                        CAPTURE_ENV,
                        "--from",
                        "2026-01-08T09:00:00Z",
                        "--to",
                        "2026-01-08T10:00:00Z",
                        "--destinations",
                        "liveview,rollups"))
                .containsExactly(
                        "destinations is liveview,rollups; a rebuild computes no rollups, whose rows the stream"
                                + " goes on to correct. Leave rollups out.");
    }

    @Test
    void optionsOfTheOtherCommandAreRefusedOnTheCommandLineOnly() throws IOException {
        assertThat(problems(Command.CAPTURE, CAPTURE_ENV, "--redis.url", "redis://x"))
                .containsExactly(
                        "--redis.url is no option of 'capture' but of 'stream', 'rebuild', 'audit'; leave it out.");

        Map<String, String> environment = new HashMap<>(CAPTURE_ENV);
        environment.put("ENGAGEMENT_REDIS_PASSWORD", "hunter2");
        String file = file("redis.url=redis://x", "enrichment.pct-scale=3");
        assertThat(parse(Command.CAPTURE, args("--config", file), environment).command())
                .isEqualTo(Command.CAPTURE);
    }

    @Test
    void optionsOfTheOtherCommandCannotBeAskedFor() {
        assertThatThrownBy(() -> stream().captureOptions())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("'stream' takes no postgres.url");
    }

    @Test
    void strayWordsAreRefusedAndNotRepeated() {
        assertThat(problems(Command.STREAM, NOTHING, "--redis.key-prefix", "pass", "word"))
                .containsExactly(
                        "There is a stray word behind --redis.key-prefix and its value; options are --KEY VALUE"
                                + " or --KEY=VALUE, a value with spaces in quotes.");
        assertThat(problems(Command.STREAM, NOTHING, "redis.url=redis://x"))
                .singleElement()
                .asString()
                .contains("does not begin with --");
    }

    @Test
    void negativeNumberIsAValueAndNoOption() {
        assertThat(stream("--kafka.replication-factor", "-1").replicationFactor())
                .isEqualTo((short) -1);
    }

    @Test
    void emptyVariableCountsAsNotSet() {
        Settings settings = parse(Command.STREAM, args(), Map.of("ENGAGEMENT_KAFKA_GROUP_ID", "", "ENGAGEMENT_X", ""));

        assertThat(settings.isGiven(Keys.KAFKA_GROUP_ID)).isFalse();
    }

    @Test
    void variablesOfTheScriptsAreNotOptions() {
        assertThat(parse(
                                Command.STREAM,
                                args(),
                                Map.of(
                                        "ENGAGEMENT_LOCAL_JAVA_OPTS", "-Xmx1g",
                                        "ENGAGEMENT_CLUSTER_DIR", "here",
                                        "ENGAGEMENT_FLINK", "bin/flink",
                                        "ENGAGEMENT_FLINK_REST", "http://there:8081",
                                        "ENGAGEMENT_DEPLOYMENTS", "here"))
                        .command())
                .isEqualTo(Command.STREAM);
    }

    @Test
    void variablesOfKubernetesServicesAreNotOurs() {
        Settings settings = parse(
                Command.STREAM,
                args(),
                Map.of(
                        "ENGAGEMENT_SERVICE_HOST", "10.0.0.1",
                        "ENGAGEMENT_UI_SERVICE_PORT", "8081",
                        "ENGAGEMENT_UI_SERVICE_PORT_HTTP", "8081",
                        "ENGAGEMENT_PORT", "tcp://10.0.0.1:8081",
                        "ENGAGEMENT_PORT_8081_TCP", "tcp://10.0.0.1:8081",
                        "ENGAGEMENT_PORT_8081_TCP_ADDR", "10.0.0.1"));

        assertThat(settings.command()).isEqualTo(Command.STREAM);
        assertThat(problems(Command.STREAM, Map.of("ENGAGEMENT_REDIS_PORT", "6379")))
                .singleElement()
                .asString()
                .contains("ENGAGEMENT_REDIS_PORT");
    }

    @Test
    void gapIsAcceptedOnTheCommandLineOnly() throws IOException {
        assertThat(stream("--accept-gap").ingestOptions().acceptGap()).isTrue();
        assertThat(stream("--accept-gap=false").ingestOptions().acceptGap()).isFalse();
        assertThat(problems(Command.STREAM, Map.of("ENGAGEMENT_ACCEPT_GAP", "true")))
                .singleElement()
                .asString()
                .contains("one start only");
        assertThat(problems(Command.STREAM, NOTHING, "--config", file("accept-gap=true")))
                .singleElement()
                .asString()
                .contains("one start only");
    }

    @Test
    void duplicatesInTheWarehouseAreAcceptedOnTheCommandLineOnly() throws IOException {
        assertThat(problems(Command.STREAM, Map.of("ENGAGEMENT_ACCEPT_WAREHOUSE_DUPLICATES", "true")))
                .singleElement()
                .asString()
                .contains("accept-warehouse-duplicates", "one start only");
        assertThat(problems(Command.STREAM, NOTHING, "--config", file("accept-warehouse-duplicates=true")))
                .singleElement()
                .asString()
                .contains("one start only");
    }

    @ParameterizedTest
    @CsvSource({
        "--delivery.url=receiver:8000, 'delivery.url is unusable'",
        "--delivery.url=ftp://receiver/x, 'delivery.url is unusable'",
        "--delivery.url=https://receiver/x#top, 'delivery.url is unusable'",
        "--delivery.url=http://receiver/x, 'delivery.allow-plain-http=true'",
        "--delivery.url=https://receiver/x?api_key=1, 'looks like a secret'",
        "--delivery.allowed-hosts=receiver, 'delivery.url is at localhost, which is not among'",
        "--delivery.allowed-hosts=https://receiver, 'delivery.allowed-hosts has'",
        "--delivery.previous-secret.secret-file=/x, 'delivery.secret is not'",
        "--delivery.trust-store-password.secret-file=/x, 'delivery.trust-store is not'",
        "--delivery.timeout=2 h, 'delivery.timeout is 7200000 ms'",
        "--delivery.backoff-max=100 ms, 'less than delivery.backoff-initial'",
        "--delivery.max-attempts=0, 'delivery.max-attempts is'",
        "--delivery.batch-linger=2 min, 'delivery.batch-linger is 120000 ms'",
        "--delivery.success-status=2xx, 'such as 200-299,409'",
        "--delivery.success-status=200-299;429, 'such as 200-299,409'",
        "--delivery.success-status=400-499, '408 asks to be sent again'",
        "--delivery.success-status=500, 'from 200 to 499'",
        "--delivery.success-field=status, 'delivery.success-values is empty'",
        "--delivery.success-values=ok, 'delivery.success-field is empty'",
    })
    void optionsOfDeliveryAreCheckedIfItIsADestination(String option, String problem) {
        assertThat(problems(Command.STREAM, NOTHING, option))
                .singleElement()
                .asString()
                .contains(problem);
    }

    @Test
    void warehouseNeedsAProjectAndSaysHowToDoWithout() {
        assertThat(catchThrowableOfType(
                                ConfigurationException.class, () -> Settings.parse(Command.STREAM, args(), NOTHING))
                        .problems())
                .containsExactly("warehouse.project is missing; give --warehouse.project, the environment variable"
                        + " ENGAGEMENT_WAREHOUSE_PROJECT or a line in the file of --config, or leave warehouse out of"
                        + " destinations.");
        assertThat(Settings.parse(Command.STREAM, args("--destinations=liveview"), NOTHING)
                        .destinations())
                .containsExactly(Destination.LIVEVIEW);
    }

    @ParameterizedTest
    @CsvSource({
        "--warehouse.partition=hour, 'warehouse.partition-expiration is not set'",
        "--warehouse.flush-size=65 mb, 'warehouse.flush-size'",
        "--warehouse.max-in-flight-bytes=512 kb, 'less than warehouse.flush-size'",
        "--warehouse.project=Acme, 'warehouse.project is'",
        "--warehouse.endpoint=http://localhost:9050, 'both are https:// (Google) or both http://'",
        "--warehouse.endpoint=localhost:9050, 'warehouse.endpoint is unusable'",
        "--warehouse.grpc-endpoint=localhost:9060, 'warehouse.grpc-endpoint is unusable'",
        "--warehouse.endpoint=https://h/bigquery/v2, 'warehouse.endpoint is unusable'",
    })
    void optionsOfTheWarehouseAreCheckedIfItIsADestination(String option, String problem) {
        assertThat(problems(Command.STREAM, NOTHING, option))
                .singleElement()
                .asString()
                .contains(problem);
    }

    @Test
    void optionsOfADestinationThatIsLeftOutNeedNotGoTogether() {
        assertThat(stream("--destinations=liveview", "--warehouse.partition=hour", "--delivery.url=http://receiver")
                        .destinations())
                .containsExactly(Destination.LIVEVIEW);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "redis", "liveview,liveview", "liveview,"})
    void malformedDestinationsAreRefused(String destinations) {
        assertThat(problems(Command.STREAM, NOTHING, "--destinations=" + destinations))
                .singleElement()
                .asString()
                .contains("destinations is '" + destinations + "'");
    }

    @Test
    void everyTopicAndEveryTableIsItsOwn() {
        assertThat(problems(Command.STREAM, NOTHING, "--kafka.topics.dead-letters=dbserver1.public.content"))
                .containsExactly(
                        "kafka.topics.content and kafka.topics.dead-letters are both 'dbserver1.public.content';"
                                + " each needs a topic of its own.");
        assertThat(problems(Command.CAPTURE, CAPTURE_ENV, "--postgres.heartbeat-table=content"))
                .singleElement()
                .asString()
                .contains("each must be a table of its own");
    }

    @Test
    void badPartOfADefaultIsToldOnce() {
        assertThat(problems(Command.STREAM, NOTHING, "--postgres.schema=a b"))
                .singleElement()
                .asString()
                .contains("postgres.schema is 'a b'");
    }

    @Test
    void unusableFilesAreExplained() throws IOException {
        assertThat(problems(Command.STREAM, NOTHING, "--config=/does/not/exist"))
                .containsExactly("The configuration file /does/not/exist (--config) does not exist.");
        assertThat(problems(Command.STREAM, NOTHING, "--config", folder.toString()))
                .singleElement()
                .asString()
                .contains("cannot be read");
        Path latin = folder.resolve("latin.properties");
        Files.write(latin, "redis.key-prefix=é".getBytes(StandardCharsets.ISO_8859_1));
        assertThat(problems(Command.STREAM, NOTHING, "--config", latin.toString()))
                .singleElement()
                .asString()
                .contains("is not UTF-8");
        assertThat(problems(Command.STREAM, NOTHING, "--config", file("redis.key-prefix=C:\\users")))
                .singleElement()
                .asString()
                .contains("malformed");
        assertThat(problems(Command.STREAM, NOTHING, "--config", file("config=other")))
                .singleElement()
                .asString()
                .contains("Unknown key 'config'");
    }

    @Test
    void fileIsUtf8() throws IOException {
        assertThat(stream("--config", file("redis.key-prefix=zürich:"))
                        .liveViewOptions()
                        .keyPrefix())
                .isEqualTo("zürich:");
    }

    @Test
    void secretGivenInBothWaysIsRefused() {
        assertThat(problems(Command.CAPTURE, CAPTURE_ENV, "--postgres.password.secret-file=/run/secrets/postgres"))
                .singleElement()
                .asString()
                .contains("postgres.password is given twice")
                .doesNotContain("hunter2");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--postgres.password=hunter2",
                "--redis.password=hunter2",
                "--redis.password hunter2",
                "--redis.pasword hunter2",
                "--redis.url redis://:hunter2@cache:6379",
                "--redis.url redis://user:hunter2@cache:6379",
                "--redis.url redis://user:p#hunter2@cache:6379",
                "--redis.url redis://user:p hunter2@cache:6379",
                "--redis.url http://user:hunter2@cache:6379",
                "--redis.url redis://cache:6379?password=hunter2",
                "--warehouse.endpoint https://u:hunter2@bigquery",
                "--warehouse.grpc-endpoint https://u:hunter2@bigquery",
                "--delivery.secret=hunter2",
                "--delivery.token hunter2",
                "--delivery.url https://u:hunter2@receiver/x",
                "--delivery.url https://receiver/x?token=hunter2",
                "--delivery.url https://receiver/x#hunter2",
                "--postgres.url jdbc:postgresql://u:hunter2@db/postgres",
                "--postgres.url jdbc:postgresql://db/postgres?user=u&password=hunter2",
                "--postgres.url jdbc:postgresql://db/postgres?sslpassword=hunter2",
                "--postgres.url postgres://u:hunter2@db/postgres",
                "--rollup.postgres.password=hunter2",
                "--rollup.postgres.url jdbc:postgresql://u:hunter2@db/analytics",
                "--rollup.postgres.url jdbc:postgresql://db/analytics?user=u&password=hunter2",
                "--kafka.bootstrap-servers u:hunter2@kafka:9092",
                "--kafka.properties.ssl.key.password hunter2",
                "--kafka.properties.sasl.jaas.config x_required_password=\"hunter2\";",
                "--kafka.properties.my.client.secret.value hunter2",
                "--kafka.properties.schema.registry https://u:hunter2@registry",
            })
    void valueOfASecretIsInNoMessage(String option) {
        int space = option.indexOf(' ');
        String[] args = space < 0
                ? args(option)
                : args(option.substring(0, space), option.substring(space + 1).replace('_', ' '));
        for (Command command : Command.values()) {
            String message = catchThrowableOfType(ConfigurationException.class, () -> parse(command, args, CAPTURE_ENV))
                    .getMessage();

            assertThat(message).doesNotContain("hunter2").contains(option.substring(2, option.indexOf('.')));
        }
    }

    @Test
    void textOfTheSettingsHoldsNoSecret() {
        Map<String, String> environment = new HashMap<>(CAPTURE_ENV);
        environment.put("ENGAGEMENT_KAFKA_PROPERTIES_SSL_KEY_LOCATION", "/keys/hunter2");

        Settings settings = parse(Command.CAPTURE, args("--postgres.slot-name=slot"), environment);

        assertThat(settings.toString())
                .doesNotContain("hunter2")
                .contains(
                        "postgres.slot-name=slot (--postgres.slot-name)",
                        "postgres.password=secret in $ENGAGEMENT_POSTGRES_PASSWORD",
                        "kafka.properties.ssl.key.location=…",
                        "postgres.schema=public (default)");
        assertThat(settings.captureOptions().toString()).doesNotContain("hunter2");
    }

    @Test
    void parsingTwiceGivesEqualOptions() {
        assertThat(stream("--job.name", "a").ingestOptions())
                .isEqualTo(stream("--job.name", "a").ingestOptions());
    }

    private static Settings stream(String... args) {
        return parse(Command.STREAM, args, NOTHING);
    }

    /** With the one option that the stream cannot do without. */
    private static Settings parse(Command command, String[] args, Map<String, String> environment) {
        Map<String, String> complete = new HashMap<>(environment);
        complete.putIfAbsent("ENGAGEMENT_WAREHOUSE_PROJECT", "acme");
        return Settings.parse(command, args, complete);
    }

    private static List<String> problems(Command command, Map<String, String> environment, String... args) {
        return catchThrowableOfType(ConfigurationException.class, () -> parse(command, args, environment))
                .problems();
    }

    private String file(String... lines) throws IOException {
        return Files.write(Files.createTempFile(folder, "options", ".properties"), List.of(lines))
                .toString();
    }

    private static String[] args(String... args) {
        return args;
    }
}
