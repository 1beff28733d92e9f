package dev.engagement;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.assignableTo;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.ArchConfiguration;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.AccessTarget.CodeUnitAccessTarget;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaCodeUnitAccess;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.resolvers.SelectedClassResolverFromClasspath;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import com.tngtech.archunit.library.GeneralCodingRules;
import dev.engagement.connection.Pause;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Which room may import which, for production and test code, and what no room does.
 *
 * <p>A room is a package under {@code dev.engagement} with what is below it, except where a part of it has a line of its
 * own ({@code event.types}, {@code liveview.sink}, {@code rollup.definition}, {@code rollup.sink}).
 */
class ArchitectureTest {

    static final String BASE = "dev.engagement";

    /** The package of {@code EngagementJob} itself. */
    private static final String JOB = "the job";

    private static final String LOCAL = "local";

    /** In test code only: benchmarks, which put whole stretches of the pipeline together as the job does, on real servers. */
    private static final String BENCH = "bench";

    /** In test code only: the fault harness, which owns the real servers and a cluster, and breaks them. */
    private static final String FAULTS = "faults";

    /** In test code only: what is printed after the tests, and how a test says why it is skipped. */
    private static final String REPORT = "report";

    /** In test code only, under any room: what tests of other rooms may use, such as sample events. */
    private static final String TEST_SUPPORT = ".testing";

    private static final String DESTINATIONS_AND_STAGES = "enrichment dedupe ranking rollup warehouse delivery";

    private static final Map<String, Set<String>> MAY_IMPORT = new HashMap<>();

    static {
        // Two rooms that all stand on. Both are free of Flink, so that a reader of the stores needs none.
        room("connection", "");
        room("event", "");
        // What the options of the job and of the API have in common.
        room("options", "");
        // What every room needs of Flink to read a topic: apart from connection, for that reason.
        room("connection.topics", "connection");
        // What reads and writes by registered schemas.
        room("connection.registry", "connection");
        // Flink's serializers of what is in event: apart from it, for that reason.
        room("event.types", "event");
        // What rollups are: read by the options and by readers of their tables, neither of which has Flink.
        room("rollup.definition", "");
        room("deadletter", "connection event event.types");

        String common = "connection connection.topics event event.types deadletter";
        room("capture", common + " connection.registry");
        room("ingest", common + " connection.registry");
        for (String room : DESTINATIONS_AND_STAGES.split(" ")) {
            room(room, common);
        }
        MAY_IMPORT.get("rollup").add("rollup.definition");
        // How events become rows of a store that keeps a row for each.
        room("rowstore", common);
        MAY_IMPORT.get("warehouse").add("rowstore");
        room("clickhouse", common + " rowstore");
        // Values in state that a store outside is to show: what the live view and the rollups' tables share.
        room("writeback", common);
        room("rollup.sink", common + " rollup rollup.definition writeback");
        // Keys and codec are read by the API too, which has no Flink; the sink is not.
        room("liveview", "connection event deadletter writeback");
        room("liveview.sink", common + " liveview writeback");

        // Rows of PostgreSQL, and what the topics' decoders would say of them.
        room("source", common + " ingest");
        // Of the stores' rooms they use keys and table names.
        for (String room : "backfill redrive audit".split(" ")) {
            room(room, common + " ingest source liveview rowstore warehouse");
        }
        // What the rows of a range are to be, computed anew from the source.
        MAY_IMPORT.get("backfill").addAll(Set.of("rollup", "rollup.definition"));
        MAY_IMPORT.get("audit").addAll(Set.of("rollup", "rollup.definition"));
        // It writes what the destinations read: the retry topic's records, the table's rows.
        MAY_IMPORT.get("redrive").add("delivery");
        room("api", "connection event liveview options rollup.definition");
        room(
                "pipeline",
                common + " ingest source liveview liveview.sink rollup.sink backfill clickhouse "
                        + DESTINATIONS_AND_STAGES);
        // And the option records of the rooms; see importsAreInTheTable.
        room("config", "connection options rollup.definition");

        Set<String> all = new TreeSet<>(MAY_IMPORT.keySet());
        all.remove("api");
        MAY_IMPORT.put(JOB, all);
        // It builds the job that is to be run, and asks no stage about itself.
        room("deploy", "config connection");
        MAY_IMPORT.get("deploy").add(JOB);
        MAY_IMPORT.put(BENCH, all);
        Set<String> anything = new TreeSet<>(MAY_IMPORT.keySet());
        MAY_IMPORT.put(LOCAL, anything);
        room(FAULTS, LOCAL);
        MAY_IMPORT.get(FAULTS).add(JOB);
        room(REPORT, "");
    }

    /** Rooms of which every class may run in a task. */
    private static final Set<String> ROOMS_OF_TASKS = Set.of(
            "event",
            "event.types",
            "deadletter",
            "capture",
            "ingest",
            "enrichment",
            "dedupe",
            "ranking",
            "rollup",
            "rollup.definition",
            "rollup.sink",
            "writeback",
            "delivery",
            "liveview",
            "liveview.sink",
            "pipeline");

    private static final Set<String> SLEEPS = Set.of(
            "Thread.sleep", "TimeUnit.sleep", "LockSupport.park", "LockSupport.parkNanos", "LockSupport.parkUntil");

    /** Methods of the JDK that wait if they take a time. */
    private static final Set<String> WAITS = Set.of(
            "wait",
            "timedWait",
            "join",
            "timedJoin",
            "await",
            "awaitNanos",
            "awaitUntil",
            "awaitAdvanceInterruptibly",
            "awaitQuiescence",
            "awaitTermination",
            "waitFor",
            "get",
            "invokeAll",
            "invokeAny",
            "exchange",
            "tryAcquire",
            "tryLock",
            "tryTransfer",
            "poll",
            "pollFirst",
            "pollLast",
            "offer",
            "offerFirst",
            "offerLast");

    private static final Set<String> TIMES =
            Set.of("long", "java.time.Duration", "java.util.Date", "java.util.concurrent.TimeUnit");

    /** Where production code waits for something with a limit, by class and method of the JDK, and why it may. */
    private static final Map<String, String> NAMED_WAITS = Map.of(
            "ExternalProgram waitFor", "a command; Flink's own program, or the look into a jar, may hang",
            "Backfill get", "a command; ends with its readers, and tells meanwhile how far they are",
            "Backfill awaitTermination", "a command; the readers' connections are theirs until they are gone",
            "RebuildReport get", "a command; ends with the job, and tells meanwhile how far it is",
            "AsyncHttpSender get", "when a task opens; the receiver's name is looked up on a thread of its own",
            "ReadyCheck get", "a probe waits for less than a second; the stores are asked on a thread of their own",
            "BoundedHttp get", "a request of the API; a body that drips would hold its thread for ever",
            "GoogleWriteApi awaitTermination", "when a task closes; a thread that outlives it keeps its classes",
            "StagingTables awaitTermination", "when a task closes; a thread that outlives it keeps its classes",
            "WriteBackOperator awaitTermination", "when a task closes; a thread that outlives it keeps its classes");

    private static JavaClasses code;

    @BeforeAll
    static void readTheCode() {
        ArchConfiguration.withThreadLocalScope(configuration -> {
            // Nothing is asked about the insides of libraries, and reading them all takes longer than the rules.
            configuration.setClassResolver(SelectedClassResolverFromClasspath.class);
            configuration.setClassResolverArguments("java", BASE);
            code = new ClassFileImporter()
                    // What annotation processors write beside the benchmarks.
                    .withImportOption(location -> !location.contains("jmh_generated"))
                    .importPackages(BASE);
        });
    }

    @Test
    void everyClassIsInARoom() {
        classes()
                .should(new ArchCondition<>("be in a room of the table") {
                    @Override
                    public void check(JavaClass type, ConditionEvents events) {
                        if (!MAY_IMPORT.containsKey(roomOf(type))) {
                            events.add(SimpleConditionEvent.violated(
                                    type, type.getName() + " is in no room; add a line for '" + roomOf(type) + "'"));
                        } else if (Set.of(BENCH, FAULTS, REPORT).contains(roomOf(type)) && !isTest(type)) {
                            events.add(SimpleConditionEvent.violated(type, type.getName() + " belongs into test code"));
                        }
                    }
                })
                .check(code);
    }

    @Test
    void roomsImportWhatTheTableAllows() {
        classes()
                .should(importsAreInTheTable())
                .as(
                        "Rooms import only what the table in ArchitectureTest allows. Named additions to the drawing's table:"
                                + " 'connection' (addresses and references to secrets) may be imported by every room but 'event';"
                                + " 'event.types' (Flink's serializers) stands apart from 'event'; 'config' may import the rooms'"
                                + " *Options and *Format, EngagementRule, EventRules and what an event's id is; classes *IT, and what only they use, may import 'local'"
                                + " and the job, because they run the"
                                + " real servers; tests may import packages 'testing', which hold what tests share")
                .check(code);
    }

    @Test
    void nothingImportsLocal() {
        noClasses()
                .that(outside(LOCAL).and(outside(BENCH)).and(outside(FAULTS)).and(not(isIntegrationTest())))
                .should()
                .dependOnClassesThat(inRoom(LOCAL))
                .because("the local stack is not in the job jar")
                .check(code);
    }

    @Test
    void theLocalServersAreLocal() {
        noClasses()
                .that(isProduction().and(outside(LOCAL)))
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "kafka..",
                        "org.apache.kafka.server..",
                        "redis.embedded..",
                        "io.zonky..",
                        "org.duckdb..",
                        "org.tukaani.."))
                .because("the job jar does not contain them")
                .check(code);
    }

    @Test
    void connectionIsJavaAndTheClientsThatOpenWhatEveryRoomUses() {
        classes()
                .that(isProduction().and(inRoom("connection")))
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(
                        "java..",
                        "org.jspecify..",
                        "org.slf4j..",
                        "org.apache.kafka.clients.admin..",
                        "org.apache.kafka.clients.consumer..",
                        "org.apache.kafka.common..",
                        "org.postgresql..",
                        BASE + ".connection.."))
                .because(
                        "every room may import it; it makes topics by Kafka's admin client, reads them by a consumer, and"
                                + " opens PostgreSQL by its driver, which no other may register")
                .check(code);
    }

    @Test
    void eventIsPlainJavaAndJackson() {
        classes()
                .that(isProduction().and(inRoom("event")))
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(
                        "java..", "org.jspecify..", "com.fasterxml.jackson.core..", BASE + ".event.."))
                .because("all rooms speak in its types, with Flink and without")
                .check(code);
    }

    @Test
    void eventTypesAreFlinkSerializers() {
        classes()
                .that(isProduction().and(inRoom("event.types")))
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage(
                                "java..",
                                "org.jspecify..",
                                "org.apache.flink.api..",
                                "org.apache.flink.core..",
                                "org.apache.flink.util..",
                                BASE + ".event..")
                        // How Flink spreads keys over subtasks: shards of the id are spread with it in view.
                        .or(assignableTo("org.apache.flink.runtime.state.KeyGroupRangeAssignment")))
                .allowEmptyShould(true)
                .check(code);
    }

    @Test
    void rollupDefinitionsArePlainJava() {
        classes()
                .that(isProduction().and(inRoom("rollup.definition")))
                .should()
                .onlyDependOnClassesThat(resideInAnyPackage("java..", "org.jspecify..", BASE + ".rollup.definition.."))
                .because("options and readers of the tables know what rollups are, and have no Flink")
                .check(code);
    }

    @Test
    void keysKnowOfWriteBackOnlyItsValues() {
        noClasses()
                .that(isProduction().and(inRoom("liveview")))
                .should()
                .dependOnClassesThat(inRoom("writeback").and(areNot("WriteBackValue", "free of Flink itself")))
                .because("readers of the live view run without Flink")
                .check(code);
    }

    @Test
    void keysAndApiAreFreeOfFlink() {
        noClasses()
                .that(isProduction()
                        .and(inRoom("liveview")
                                .or(inRoom("api"))
                                .or(describe("are values that are written back", type -> type.getSimpleName()
                                        .equals("WriteBackValue")))))
                .should()
                .dependOnClassesThat(resideInAPackage("org.apache.flink.."))
                .because("readers of the live view run without Flink")
                .check(code);
    }

    @Test
    void onlyTheApiHasAServerOfHttp() {
        noClasses()
                .that(isProduction().and(outside("api")))
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "io.javalin..", "org.eclipse.jetty..", "jakarta.servlet..", "com.zaxxer..", "graphql.."))
                .because("the job jar does not contain them")
                .check(code);
    }

    @Test
    void whatStandsBeforeTheAnswersDoesNotKnowTheStores() {
        noClasses()
                .that(isProduction().and(resideInAPackage(BASE + ".api.web..")))
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "redis.clients..",
                        "java.sql..",
                        "org.postgresql..",
                        "com.zaxxer..",
                        BASE + ".api",
                        BASE + ".api.track..",
                        BASE + ".liveview..",
                        BASE + ".rollup.."))
                .because("who may ask is decided whoever answers")
                .check(code);
    }

    @Test
    void theApiIsPutTogetherInOnePlace() {
        noClasses()
                .that(isProduction().and(inRoom("api")).and(not(resideInAPackage(BASE + ".api"))))
                .should()
                .dependOnClassesThat(resideInAPackage(BASE + ".api"))
                .because("its parts do not know their options, nor who is beside them")
                .check(code);
    }

    @Test
    void configKnowsOfFlinkOnlyItsConfiguration() {
        noClasses()
                .that(isProduction().and(inRoom("config")))
                .should()
                .dependOnClassesThat(resideInAPackage("org.apache.flink..")
                        .and(not(resideInAnyPackage("org.apache.flink.configuration..", "org.apache.flink.util..")))
                        // The enum that is the value of one option.
                        .and(not(assignableTo("org.apache.flink.core.execution.CheckpointingMode"))))
                .because("options are checked before there is a job")
                .check(code);
    }

    @Test
    void nothingSleeps() {
        noClasses()
                .that(areNot("RealPause", "the one place that sleeps"))
                // They measure, and send at a rate that does not depend on what they measure.
                .and(outside(BENCH))
                .and(areNot("TcpProxy", "a network that is slow"))
                .should(callWhat("sleeps", ArchitectureTest::sleeps))
                .because("production code is given a Pause, and a test that sleeps is slow or wrong")
                .check(code);
    }

    @Test
    void productionWaitsForATimeOnlyWhereThatIsNamed() {
        classes()
                .that(isProduction().and(outside(LOCAL)))
                .should(waitForATimeOnlyAsNamed())
                .because("what has to wait is given a Pause; to wait for something with a limit is a decision")
                .check(code);
    }

    @Test
    void whatRunsInATaskDoesNotPause() {
        noClasses()
                .that(isProduction().and(runsInATask()))
                // Flink has no later for it: its own repetition is immediate, and ends after ten.
                .and(areNot("RowCommitter", "the committer"))
                .should()
                .dependOnClassesThat(assignableTo(Pause.class))
                .because(
                        "a task thread that waits holds up checkpoints; a timer does not. The warehouse's committer is the"
                                + " one exception, and its Plan sees to the table before there is a record")
                .check(code);
    }

    @Test
    void nothingKeepsARandom() {
        fields().that()
                .areDeclaredInClassesThat(isProduction().and(outside(LOCAL)))
                .should()
                .notHaveRawType(assignableTo(Random.class))
                .because("what is computed again after a failure has to be the same; pass a seed or a number in")
                .check(code);
    }

    @Test
    void nothingPrintsStackTraces() {
        noClasses()
                .that(outside(LOCAL))
                .should()
                .callMethodWhere(calls("printStackTrace", Throwable.class))
                .because("a catch rethrows with context, emits a dead letter, or releases a resource")
                .check(code);
    }

    @Test
    void nothingPrints() {
        noClasses()
                .that(outside(LOCAL)
                        .and(outside(BENCH))
                        .and(outside(FAULTS))
                        .and(outside(REPORT))
                        .and(isNotTheMain()))
                .should(GeneralCodingRules.ACCESS_STANDARD_STREAMS)
                .because("only the mains speak to a terminal; help is a text that EngagementJob prints")
                .check(code);
    }

    @Test
    void nothingLogsThroughTheJdk() {
        noClasses()
                .should()
                .dependOnClassesThat(resideInAPackage("java.util.logging.."))
                .because("Flink logs through SLF4J")
                .check(code);
    }

    @Test
    void recordsAreReadAsAStreamOfTokens() {
        noClasses()
                .that(isProduction()
                        .and(outside(LOCAL))
                        .and(outside("deploy"))
                        .and(outside("api"))
                        .and(areNot("RestJson", "BigQuery's answers"))
                        .and(areNot("SchemaRegistry", "a registry's answers"))
                        .and(areNot("RegisteredValues", "schemas, each once")))
                .should()
                .dependOnClassesThat(resideInAPackage("..jackson.databind.."))
                .because("trees and reflection cost per record; what a client reads once may be a tree")
                .check(code);
    }

    private static ArchCondition<JavaClass> importsAreInTheTable() {
        return new ArchCondition<>("import only what the table allows") {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                for (Dependency dependency : type.getDirectDependenciesFromSelf()) {
                    JavaClass target = dependency.getTargetClass().getBaseComponentType();
                    if (target.getPackageName().startsWith(BASE) && !mayImport(type, target)) {
                        events.add(SimpleConditionEvent.violated(
                                type, roomOf(type) + " -> " + roomOf(target) + ": " + dependency.getDescription()));
                    }
                }
            }
        };
    }

    private static boolean mayImport(JavaClass type, JavaClass target) {
        String from = roomOf(type);
        String to = roomOf(target);
        if (from.equals(to) || MAY_IMPORT.getOrDefault(from, Set.of()).contains(to)) {
            return true;
        }
        if (from.equals("config") && isOptionRecord(target)) {
            return true;
        }
        if (isTest(type) && target.getPackageName().contains(TEST_SUPPORT)) {
            return true;
        }
        if (from.equals(BENCH) && to.equals(LOCAL)) {
            return true;
        }
        return isIntegrationTest().test(type) && (to.equals(LOCAL) || to.equals(JOB));
    }

    private static boolean isOptionRecord(JavaClass type) {
        String name = outermost(type).getSimpleName();
        return name.endsWith("Options")
                || name.endsWith("Format")
                || Set.of("EngagementRule", "EventRules", "EventId", "EventIdKind")
                        .contains(name);
    }

    /** The longest line of the table that the class's package begins with; else the first part of its name. */
    private static String roomOf(JavaClass type) {
        String name = type.getPackageName();
        if (name.equals(BASE)) {
            return JOB;
        }
        String path = name.substring(BASE.length() + 1);
        String room = "";
        for (String candidate : MAY_IMPORT.keySet()) {
            if ((path + ".").startsWith(candidate + ".") && candidate.length() > room.length()) {
                room = candidate;
            }
        }
        return room.isEmpty() ? path : room;
    }

    private static DescribedPredicate<JavaClass> inRoom(String room) {
        return describe(
                "are in '" + room + "'",
                type -> type.getPackageName().startsWith(BASE) && roomOf(type).equals(room));
    }

    private static DescribedPredicate<JavaClass> outside(String room) {
        return not(inRoom(room)).as("are outside of '" + room + "'");
    }

    /** All but the class of that simple name and what is nested in it. */
    private static DescribedPredicate<JavaClass> areNot(String name, String what) {
        return describe(
                "are not " + name + " (" + what + ")",
                type -> !outermost(type).getSimpleName().equals(name));
    }

    /** Classes that Flink calls on a task's threads, what is nested in them, and the rooms that hold nothing else. */
    private static DescribedPredicate<JavaClass> runsInATask() {
        return describe("run in a task", type -> {
            JavaClass each = type;
            while (!isCalledByFlink(each) && each.getEnclosingClass().isPresent()) {
                each = each.getEnclosingClass().get();
            }
            return ROOMS_OF_TASKS.contains(roomOf(type)) || isCalledByFlink(each);
        });
    }

    /** By what it extends or implements; or by its name, as of a writer that an operator of ours calls. */
    private static boolean isCalledByFlink(JavaClass type) {
        return type.getSimpleName().matches(".*(Operator|Writer|Committer|Reader|Function)")
                || Stream.concat(type.getAllRawSuperclasses().stream(), type.getAllRawInterfaces().stream())
                        .anyMatch(resideInAnyPackage(
                                "org.apache.flink.streaming..",
                                "org.apache.flink.connector..",
                                "org.apache.flink.api.connector..",
                                "org.apache.flink.api.common.functions.."));
    }

    private static boolean sleeps(CodeUnitAccessTarget target) {
        return SLEEPS.contains(target.getOwner().getSimpleName() + "." + target.getName());
    }

    private static boolean waitsForATime(CodeUnitAccessTarget target) {
        return target.getOwner().getPackageName().startsWith("java.")
                && WAITS.contains(target.getName())
                && target.getRawParameterTypes().stream().anyMatch(type -> TIMES.contains(type.getName()));
    }

    private static ArchCondition<JavaClass> callWhat(String does, Predicate<CodeUnitAccessTarget> forbidden) {
        return new ArchCondition<>("call what " + does) {
            @Override
            public void check(JavaClass type, ConditionEvents events) {
                accesses(type)
                        .filter(access -> forbidden.test(access.getTarget()))
                        .forEach(access -> events.add(SimpleConditionEvent.satisfied(type, access.getDescription())));
            }
        };
    }

    private static ArchCondition<JavaClass> waitForATimeOnlyAsNamed() {
        return new ArchCondition<>("wait for a time only as NAMED_WAITS says") {
            private final Set<String> unused = new TreeSet<>(NAMED_WAITS.keySet());

            @Override
            public void check(JavaClass type, ConditionEvents events) {
                accesses(type)
                        .filter(access -> waitsForATime(access.getTarget()))
                        .filter(access -> {
                            String name = outermost(type).getSimpleName() + " " + access.getName();
                            unused.remove(name);
                            return !NAMED_WAITS.containsKey(name);
                        })
                        .forEach(access -> events.add(SimpleConditionEvent.violated(type, access.getDescription())));
            }

            @Override
            public void finish(ConditionEvents events) {
                unused.forEach(name -> events.add(SimpleConditionEvent.violated(name, name + " is named for nothing")));
            }
        };
    }

    /** Calls, and references to methods. */
    private static Stream<JavaCodeUnitAccess<?>> accesses(JavaClass type) {
        return type.getCodeUnitAccessesFromSelf().stream();
    }

    private static DescribedPredicate<JavaClass> isNotTheMain() {
        return describe("are not EngagementJob, EngagementApi or Deploy", type -> !Set.of(
                        "EngagementJob", "EngagementApi", "Deploy")
                .contains(outermost(type).getSimpleName()));
    }

    /** Classes {@code *IT}, and test code that nothing but these uses. */
    private static DescribedPredicate<JavaClass> isIntegrationTest() {
        return describe(
                "are integration tests",
                type -> isTest(type) && servesOnlyIntegrationTests(outermost(type), new HashSet<>()));
    }

    private static boolean servesOnlyIntegrationTests(JavaClass type, Set<JavaClass> asked) {
        if (type.getSimpleName().endsWith("IT")) {
            return true;
        }
        Set<JavaClass> users = code.stream()
                .filter(other -> outermost(other).equals(type))
                .flatMap(part -> part.getDirectDependenciesToSelf().stream())
                .map(dependency -> outermost(dependency.getOriginClass()))
                .filter(user -> !user.equals(type))
                .collect(Collectors.toSet());
        if (!asked.add(type)) {
            // Two that use each other: the others that use them decide.
            return true;
        }
        return !users.isEmpty() && users.stream().allMatch(user -> servesOnlyIntegrationTests(user, asked));
    }

    private static DescribedPredicate<JavaClass> isProduction() {
        return describe("are production code", type -> !isTest(type));
    }

    private static DescribedPredicate<JavaCall<?>> calls(String method, Class<?> owner) {
        DescribedPredicate<JavaAccess<?>> predicate = describe(
                owner.getSimpleName() + "." + method,
                call -> call.getTarget().getName().equals(method)
                        && call.getTarget().getOwner().isAssignableTo(owner));
        return predicate.forSubtype();
    }

    private static boolean isTest(JavaClass type) {
        return type.getSource()
                .map(source -> source.getUri().toString().contains("/test-classes/"))
                .orElse(false);
    }

    private static JavaClass outermost(JavaClass type) {
        JavaClass outer = type;
        while (outer.getEnclosingClass().isPresent()) {
            outer = outer.getEnclosingClass().get();
        }
        return outer;
    }

    private static void room(String name, String mayImport) {
        MAY_IMPORT.put(name, mayImport.isEmpty() ? Set.of() : new TreeSet<>(Set.of(mayImport.split(" "))));
    }
}
