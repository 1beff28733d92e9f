package dev.engagement;

import static java.util.stream.Collectors.toCollection;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What is in the jar for {@code flink run}, and what must not be. */
class JobJarIT {

    private static JarFile jar;
    private static Set<String> names;

    @BeforeAll
    static void open() throws IOException {
        jar = new JarFile(Path.of("target/engagement-job.jar").toFile());
        names = namesIn(jar);
    }

    @AfterAll
    static void close() throws IOException {
        jar.close();
    }

    @Test
    void the_job_is_in_it_with_all_that_it_needs() {
        assertThat(names)
                .contains(
                        "dev/engagement/EngagementJob.class",
                        "org/apache/flink/connector/kafka/source/KafkaSource.class",
                        "org/apache/flink/connector/base/source/reader/SourceReaderBase.class",
                        "org/apache/flink/cdc/connectors/postgres/source/PostgresSourceBuilder.class",
                        "org/apache/flink/table/api/ValidationException.class",
                        "org/apache/kafka/clients/consumer/KafkaConsumer.class",
                        "com/fasterxml/jackson/core/JsonParser.class",
                        "redis/clients/jedis/Jedis.class",
                        "com/google/cloud/bigquery/storage/v1/StreamWriter.class",
                        "com/google/auth/oauth2/GoogleCredentials.class",
                        "io/grpc/netty/shaded/io/grpc/netty/NettyChannelProvider.class",
                        "engagement-reference.properties");
    }

    @Test
    void flink_itself_is_not_in_it() {
        assertNoneBelow(
                "org/apache/flink/streaming/api/",
                "org/apache/flink/runtime/",
                "org/apache/flink/api/",
                "org/apache/flink/client/",
                "org/apache/flink/core/",
                "org/apache/flink/contrib/streaming/state/",
                "org/rocksdb/",
                "org/slf4j/",
                "org/apache/logging/");
    }

    @Test
    void the_local_stack_is_not_in_it() {
        assertNoneBelow(
                "dev/engagement/local/",
                "io/zonky/",
                "redis/embedded/",
                "scala/",
                "org/apache/zookeeper/",
                "org/apache/commons/compress/",
                "org/duckdb/",
                "org/tukaani/",
                "log4j2");
        assertNone(name -> name.endsWith(".txz") || name.contains("redis-server") || name.contains("libduckdb"));
    }

    @Test
    void the_api_is_not_in_it() {
        assertNoneBelow(
                "dev/engagement/api/",
                "io/javalin/",
                "org/eclipse/jetty/",
                "jakarta/servlet/",
                "graphql/",
                "org/dataloader/",
                "org/reactivestreams/",
                "engagement-api-reference.properties");
    }

    @Test
    void nothing_of_tests_is_in_it() throws Exception {
        Path tests = Path.of(JobJarIT.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
        try (Stream<Path> files = Files.walk(tests)) {
            Set<String> ofTests =
                    files.map(file -> tests.relativize(file).toString()).collect(toCollection(HashSet::new));
            ofTests.removeIf(name -> name.endsWith("package-info.class"));
            assertNone(ofTests::contains);
        }
        assertNoneBelow("org/junit/", "org/assertj/", "net/jqwik/", "org/openjdk/jmh/", "com/tngtech/");
    }

    /** Kafka's clients have a file and a package named for the server; the server has more. */
    @Test
    void of_the_kafka_server_there_is_only_what_its_clients_bring() throws Exception {
        try (JarFile clients = jarOf(KafkaConsumer.class)) {
            assertThat(names.stream()
                            .filter(name -> name.startsWith("kafka/") || name.startsWith("org/apache/kafka/server/")))
                    .isSubsetOf(namesIn(clients));
        }
        assertNone(name -> name.startsWith("kafka/") && name.endsWith(".class"));
    }

    @Test
    void the_pinned_driver_is_the_only_one() throws Exception {
        try (JarFile driver = jarOf(org.postgresql.Driver.class)) {
            Set<String> ours = startingWith(names, "org/postgresql/");
            assertThat(ours).isEqualTo(startingWith(namesIn(driver), "org/postgresql/"));
            for (String name : ours) {
                assertThat(bytes(jar, name)).as(name).isEqualTo(bytes(driver, name));
            }
        }
        assertThat(names.stream().filter(name -> name.endsWith("org/postgresql/Driver.class")))
                .as("relocated copies count too")
                .hasSize(1);
    }

    @Test
    void no_class_is_there_twice() {
        Set<String> seen = new HashSet<>();
        assertThat(jar.stream()
                        .filter(entry -> !entry.isDirectory())
                        .map(JarEntry::getName)
                        .filter(name -> !seen.add(name)))
                .isEmpty();
    }

    @Test
    void nothing_is_signed() {
        assertNone(name -> name.matches("META-INF/[^/]+\\.(SF|DSA|RSA|EC)"));
        assertNone(name -> name.endsWith("module-info.class"));
    }

    @Test
    void services_are_merged() throws IOException {
        assertThat(service("java.sql.Driver")).contains("org.postgresql.Driver");
        assertThat(service("io.grpc.ManagedChannelProvider"))
                .contains("io.grpc.netty.shaded.io.grpc.netty.NettyChannelProvider");
        assertThat(service("io.grpc.NameResolverProvider")).contains("io.grpc.internal.DnsNameResolverProvider");
        assertThat(service("io.grpc.LoadBalancerProvider")).contains("io.grpc.internal.PickFirstLoadBalancerProvider");
        assertThat(service("org.apache.flink.table.factories.Factory"))
                .as("of both connectors")
                .contains(
                        "org.apache.flink.streaming.connectors.kafka.table.KafkaDynamicTableFactory",
                        "org.apache.flink.cdc.connectors.postgres.table.PostgreSQLTableFactory");
        List<String> dangling = new ArrayList<>();
        for (String file : startingWith(names, "META-INF/services/")) {
            for (String provider : service(file.substring("META-INF/services/".length()))) {
                if (!names.contains(provider.replace('.', '/') + ".class")) {
                    dangling.add(file + ": " + provider);
                }
            }
        }
        assertThat(dangling).as("providers that are not in the jar").isEmpty();
    }

    @Test
    void the_manifest_says_what_to_run_and_which_build_it_is() throws IOException {
        Attributes manifest = jar.getManifest().getMainAttributes();

        assertThat(manifest.getValue(Attributes.Name.MAIN_CLASS)).isEqualTo(EngagementJob.class.getName());
        assertThat(manifest.getValue(Attributes.Name.IMPLEMENTATION_VERSION)).matches("\\d+\\.\\d+\\.\\d+.*");
    }

    private static void assertNoneBelow(String... prefixes) {
        assertNone(name -> Stream.of(prefixes).anyMatch(name::startsWith));
    }

    /** With only those in the message that are there. */
    private static void assertNone(Predicate<String> forbidden) {
        assertThat(names.stream().filter(forbidden)).isEmpty();
    }

    private static List<String> service(String name) throws IOException {
        return new String(bytes(jar, "META-INF/services/" + name), StandardCharsets.UTF_8)
                .lines()
                .map(line -> line.replaceFirst("#.*", "").strip())
                .filter(line -> !line.isEmpty())
                .toList();
    }

    private static byte[] bytes(JarFile file, String name) throws IOException {
        try (InputStream in = file.getInputStream(file.getJarEntry(name))) {
            return in.readAllBytes();
        }
    }

    private static JarFile jarOf(Class<?> type) throws IOException, URISyntaxException {
        return new JarFile(
                Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI())
                        .toFile());
    }

    private static Set<String> namesIn(JarFile file) {
        Set<String> all = new TreeSet<>();
        for (Enumeration<JarEntry> entries = file.entries(); entries.hasMoreElements(); ) {
            JarEntry entry = entries.nextElement();
            if (!entry.isDirectory()) {
                all.add(entry.getName());
            }
        }
        return all;
    }

    private static Set<String> startingWith(Set<String> all, String prefix) {
        return all.stream().filter(name -> name.startsWith(prefix)).collect(toCollection(TreeSet::new));
    }
}
