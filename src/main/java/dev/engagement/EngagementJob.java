package dev.engagement;

import dev.engagement.audit.Audit;
import dev.engagement.audit.AuditOptions;
import dev.engagement.audit.AuditReport;
import dev.engagement.backfill.Backfill;
import dev.engagement.backfill.RebuildReport;
import dev.engagement.backfill.Report;
import dev.engagement.capture.CaptureJob;
import dev.engagement.capture.CapturePreflight;
import dev.engagement.config.Command;
import dev.engagement.config.ConfigurationException;
import dev.engagement.config.Destination;
import dev.engagement.config.Invocation;
import dev.engagement.config.JobDefaults;
import dev.engagement.config.Settings;
import dev.engagement.connection.KafkaTopics;
import dev.engagement.connection.KafkaTopics.Topic;
import dev.engagement.delivery.DeliveryPreflight;
import dev.engagement.delivery.DeliveryStreams;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.liveview.sink.FreshLiveView;
import dev.engagement.liveview.sink.LiveViewPreflight;
import dev.engagement.pipeline.BigQueryWarehouse;
import dev.engagement.pipeline.Counted;
import dev.engagement.pipeline.Destinations;
import dev.engagement.pipeline.EngagementPipeline;
import dev.engagement.pipeline.HttpDelivery;
import dev.engagement.pipeline.KafkaDeadLetters;
import dev.engagement.pipeline.RedisLiveView;
import dev.engagement.pipeline.Rules;
import dev.engagement.pipeline.Sources;
import dev.engagement.redrive.Redrive;
import dev.engagement.redrive.RedriveException;
import dev.engagement.redrive.RedriveOptions;
import dev.engagement.warehouse.FreshWarehouse;
import dev.engagement.warehouse.Warehouse;
import dev.engagement.warehouse.WarehouseRefusedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** Entry point of {@code flink run engagement-job.jar COMMAND [--config FILE] [--KEY VALUE …]}. */
public final class EngagementJob {
    /** In a row, within some minutes. */
    private static final int REBUILD_ATTEMPTS = 10;

    private EngagementJob() {}

    /** Runs one command. */
    public static void main(String[] args) throws Exception {
        if (args.length > 0 && args[0].equals(Command.REDRIVE.word())) {
            end(redrive(args, System.getenv()));
            return;
        }
        if (args.length > 0 && args[0].equals(Command.AUDIT.word())) {
            end(audit(args, System.getenv()));
            return;
        }
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        if (prepare(args, env)) {
            env.execute();
        }
    }

    /**
     * Puts dead letters back: no Flink job, but a client of its own that has ended when this returns.
     *
     * @param args the command and its options
     * @param environment {@link System#getenv()}
     * @return exit code: 0 if all are back, 1 if some could not be put back or it was given up, 2 if it was asked wrongly
     */
    public static int redrive(String[] args, Map<String, String> environment) throws InterruptedException {
        Settings settings;
        try {
            Invocation invocation = Invocation.parse(args, environment);
            if (invocation instanceof Invocation.Help help) {
                System.out.println(help.text());
                return 0;
            }
            settings = ((Invocation.Run) invocation).settings();
        } catch (ConfigurationException e) {
            System.err.println(e.getMessage());
            return 2;
        }
        try {
            KafkaTopics.ensure(
                    settings.kafka(),
                    settings.replicationFactor(),
                    List.of(
                            Topic.ofEvents(settings.topics().events()),
                            Topic.ofContent(settings.topics().content()),
                            Topic.ofDeadLetters(settings.topics().deadLetters()),
                            Topic.ofRedriven(settings.topics().deadLettersRedriven()),
                            Topic.ofDeliveryRetries(settings.topics().deliveryRetry())));
            RedriveOptions options = settings.redriveOptions();
            Redrive redrive = new Redrive(
                    options, options.needsWarehouse() ? settings.warehouseOptions() : null, System.out::println);
            return redrive.run().couldNot() == 0 ? 0 : 1;
        } catch (RedriveException | KafkaTopics.KafkaUnreachableException e) {
            System.err.println(e.getMessage());
            return 1;
        }
    }

    /**
     * Compares the stores: no Flink job, but a client of its own that has ended when this returns. The report goes to
     * standard output, everything else to the error output.
     *
     * @param args the command and its options
     * @param environment {@link System#getenv()}
     * @return exit code: 0 if every destination holds what the source holds, 1 if one does not, 2 if it was asked wrongly
     *     or a store did not answer
     */
    public static int audit(String[] args, Map<String, String> environment) throws InterruptedException {
        try {
            Invocation invocation = Invocation.parse(args, environment);
            if (invocation instanceof Invocation.Help help) {
                System.out.println(help.text());
                return 0;
            }
            Settings settings = ((Invocation.Run) invocation).settings();
            AuditOptions options = settings.auditOptions();
            if (options.delivery() == null && settings.destinations().contains(Destination.DELIVERY)) {
                System.err.println("Delivery is not compared: it leaves receipts only with delivery.receipts=true");
            }
            if (options.liveView() == null && settings.destinations().contains(Destination.LIVEVIEW)) {
                System.err.println(
                        "The live view's counts are of all time and not compared; --counts compares them, for"
                                + " which the whole table of events is read");
            }
            if (settings.dryRun()) {
                Audit.cost(options, Clock.systemUTC()).forEach(System.out::println);
                return 0;
            }
            AuditReport report = Audit.run(options, Clock.systemUTC(), System.err::println);
            System.out.print(
                    settings.json() ? report.asJson(settings.repair()) + "\n" : report.asText(settings.repair()));
            return report.isEqual() ? 0 : 1;
        } catch (ConfigurationException
                | WarehouseRefusedException
                | IllegalArgumentException
                | IllegalStateException
                | IOException e) {
            System.err.println(e.getMessage());
            return 2;
        }
    }

    /**
     * Ends the JVM with an exit code, if it is the command's own. In a JVM that only lends a thread, such as a JobManager
     * that runs a jar which was uploaded to it, a code other than 0 is an exception.
     */
    private static void end(int code) {
        String first = StackWalker.getInstance()
                .walk(frames -> frames.reduce((inner, outer) -> outer))
                .map(StackWalker.StackFrame::getClassName)
                .orElse("");
        if (first.equals("org.apache.flink.client.cli.CliFrontend") || first.equals(EngagementJob.class.getName())) {
            System.exit(code);
        }
        if (code != 0) {
            throw new IllegalStateException("The command ended with exit code " + code + "; its output says why");
        }
    }

    /**
     * Everything that {@link #main} does but the execution: options read and checked, topics and the warehouse's table
     * made, the job built.
     *
     * @param args the command and its options
     * @param env where the job is built
     * @return whether there is a job to execute: not after {@code --help}, nor after a backfill, which is none and is done
     * @throws dev.engagement.config.ConfigurationException with all that is wrong with the options, before anything is
     *     connected to
     * @throws dev.engagement.warehouse.WarehouseRefusedException if the warehouse's table does not fit
     * @throws UncheckedIOException if BigQuery does not answer or refuses
     */
    public static boolean prepare(String[] args, StreamExecutionEnvironment env) {
        return prepare(args, env, new Printed());
    }

    /** As {@link #prepare(String[], StreamExecutionEnvironment)}, with what a backfill or a rebuild says going there. */
    static boolean prepare(String[] args, StreamExecutionEnvironment env, Report report) {
        return build(args, env, true, report);
    }

    /**
     * The job of {@code capture} or {@code stream} that {@link #prepare} builds, without a look at any server: nothing is
     * connected to, nothing is made.
     *
     * @return whether there is a job: not after {@code --help}
     * @throws dev.engagement.config.ConfigurationException with all that is wrong with the options
     */
    public static boolean draw(String[] args, StreamExecutionEnvironment env) {
        return build(args, env, false, new Printed());
    }

    private static boolean build(String[] args, StreamExecutionEnvironment env, boolean withServers, Report report) {
        Invocation invocation = Invocation.parse(args, System.getenv());
        if (invocation instanceof Invocation.Help help) {
            System.out.println(help.text());
            return false;
        }
        Settings settings = ((Invocation.Run) invocation).settings();
        env.configure(JobDefaults.missingFrom(env.getConfiguration(), settings));
        env.configure(new Configuration().set(PipelineOptions.NAME, settings.jobName()));
        if (withServers) {
            readyServers(settings);
        }
        switch (settings.command()) {
            case CAPTURE -> capture(settings, env);
            case STREAM -> stream(settings, env);
            case REBUILD -> rebuild(settings, env, report);
            case BACKFILL -> backfill(settings, report);
            case REDRIVE -> throw new IllegalArgumentException("redrive is no job; see redrive()");
            case AUDIT -> throw new IllegalArgumentException("audit is no job; see audit()");
        }
        return settings.command() != Command.BACKFILL;
    }

    /** Topics and the warehouse's table made; what would refuse the job asked. */
    private static void readyServers(Settings settings) {
        KafkaTopics.ensure(settings.kafka(), settings.replicationFactor(), topics(settings));
        switch (settings.command()) {
            case CAPTURE -> CapturePreflight.check(settings.captureOptions());
            case STREAM -> {
                if (settings.destinations().contains(Destination.LIVEVIEW)) {
                    LiveViewPreflight.check(settings.liveViewOptions()).ifPresent(System.err::println);
                }
                if (settings.destinations().contains(Destination.WAREHOUSE)) {
                    prepareWarehouse(settings);
                }
                if (settings.destinations().contains(Destination.DELIVERY)) {
                    DeliveryPreflight.check(settings.deliveryOptions()).ifPresent(System.err::println);
                }
            }
            case REBUILD -> {
                Set<Destination> destinations = settings.rebuiltDestinations();
                if (destinations.contains(Destination.LIVEVIEW)) {
                    FreshLiveView.require(settings.liveViewOptions());
                }
                if (destinations.contains(Destination.WAREHOUSE)) {
                    FreshWarehouse.require(settings.warehouseOptions());
                    prepareWarehouse(settings);
                }
            }
            case BACKFILL, REDRIVE, AUDIT -> {
                // They ask by themselves.
            }
        }
    }

    private static List<Topic> topics(Settings settings) {
        List<Topic> topics = new ArrayList<>(List.of(
                Topic.ofEvents(settings.topics().events()),
                Topic.ofContent(settings.topics().content()),
                Topic.ofDeadLetters(settings.topics().deadLetters())));
        if (settings.command() == Command.STREAM && settings.destinations().contains(Destination.DELIVERY)) {
            topics.add(Topic.ofDeliveryRetries(settings.topics().deliveryRetry()));
            if (settings.deliveryOptions().receipts()) {
                topics.add(Topic.ofDeliveryReceipts(settings.topics().deliveryReceipts()));
            }
        }
        return topics;
    }

    private static void capture(Settings settings, StreamExecutionEnvironment env) {
        deadLetters(settings).keep(CaptureJob.wire(env, settings.captureOptions(), settings.kafka()));
    }

    private static void stream(Settings settings, StreamExecutionEnvironment env) {
        Set<Destination> destinations = settings.destinations();
        EngagementPipeline.wire(
                Sources.ofTopics(env, settings.ingestOptions()),
                rules(settings),
                new Destinations(
                        destinations.contains(Destination.LIVEVIEW) ? liveView(settings) : null,
                        destinations.contains(Destination.WAREHOUSE) ? warehouse(settings) : null,
                        destinations.contains(Destination.DELIVERY) ? delivery(settings) : null,
                        deadLetters(settings)));
    }

    /** Into destinations that no job has written to. Nothing is delivered: it was, or will be by the live job. */
    private static void rebuild(Settings settings, StreamExecutionEnvironment env, Report report) {
        Set<Destination> destinations = settings.rebuiltDestinations();
        boolean intoWarehouse = destinations.contains(Destination.WAREHOUSE);
        long rows = Backfill.rows(settings.sourceOptions(), settings.rangeOptions());
        if (env.getConfiguration()
                .getOptional(RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_ATTEMPTS)
                .isEmpty()) {
            // Somebody waits for its end: what does not pass by itself is to be told, and not tried for ever.
            env.configure(new Configuration()
                    .set(RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_ATTEMPTS, REBUILD_ATTEMPTS));
        }
        EngagementPipeline.wire(
                Sources.ofTables(env, settings.sourceOptions(), settings.rangeOptions(), settings.ingestOptions()),
                rules(settings),
                Counted.destinations(
                        destinations.contains(Destination.LIVEVIEW) ? liveView(settings) : null,
                        intoWarehouse ? warehouse(settings) : null,
                        deadLetters(settings)));
        env.registerJobListener(new RebuildReport(report, rows, intoWarehouse ? settings.warehouseOptions() : null));
    }

    private static void backfill(Settings settings, Report report) {
        try {
            report.line(Backfill.of(
                            settings.backfillOptions(),
                            settings.destinations().contains(Destination.WAREHOUSE)
                                    ? settings.warehouseOptions()
                                    : null)
                    .run(report)
                    .line());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("The backfill was interrupted; to run it again is harmless", e);
        }
    }

    /** To standard output; what is replaced is seen on a terminal only. */
    private static final class Printed implements Report {
        @SuppressWarnings("SystemConsoleNull") // Java 17 has no other way to ask.
        private final boolean terminal = System.console() != null;

        private int shown;

        @Override
        public void line(String text) {
            System.out.println(over(text));
            shown = 0;
        }

        @Override
        public void progress(String text) {
            if (terminal) {
                System.out.print(over(text));
                System.out.flush();
                shown = text.length();
            }
        }

        private String over(String text) {
            return (shown > 0 ? "\r" : "") + text + " ".repeat(Math.max(0, shown - text.length()));
        }
    }

    private static Rules rules(Settings settings) {
        return new Rules(
                settings.topics().events(),
                settings.ingestOptions().eventTime(),
                settings.enrichmentOptions(),
                settings.dedupeOptions(),
                settings.rankingOptions());
    }

    private static RedisLiveView liveView(Settings settings) {
        return new RedisLiveView(
                settings.liveViewOptions(),
                new LiveViewRules(settings.rankingOptions().maxClockSkew(), settings.eventCache()));
    }

    private static BigQueryWarehouse warehouse(Settings settings) {
        return new BigQueryWarehouse(
                settings.warehouseOptions(), settings.topics().events());
    }

    private static void prepareWarehouse(Settings settings) {
        try {
            Warehouse.prepare(settings.warehouseOptions());
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while the warehouse's table was made", e);
        }
    }

    private static HttpDelivery delivery(Settings settings) {
        return new HttpDelivery(
                settings.deliveryOptions(),
                settings.kafka(),
                new DeliveryStreams.Topics(
                        settings.topics().events(),
                        settings.topics().deliveryRetry(),
                        settings.topics().deliveryReceipts()),
                settings.ingestOptions().groupId(),
                settings.ingestOptions().acceptGap());
    }

    private static KafkaDeadLetters deadLetters(Settings settings) {
        return new KafkaDeadLetters(settings.kafka(), settings.deadLetterOptions(build()));
    }

    /** The version in the jar's manifest; classes that never were in a jar have none. */
    private static String build() {
        return Objects.requireNonNullElse(EngagementJob.class.getPackage().getImplementationVersion(), "development");
    }
}
