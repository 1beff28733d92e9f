package dev.engagement.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What is in the API's jar, and that it is enough to run. */
class ApiJarIT {

    private static final Path JAR = Path.of("target/engagement-api.jar").toAbsolutePath();
    private static final Path DIRECTORY = Path.of("target/it/api-jar").toAbsolutePath();

    private static JarFile jar;
    private static Set<String> names;

    @BeforeAll
    static void open() throws IOException {
        jar = new JarFile(JAR.toFile());
        names = new TreeSet<>();
        jar.stream()
                .filter(entry -> !entry.isDirectory())
                .map(JarEntry::getName)
                .forEach(names::add);
        Files.createDirectories(DIRECTORY);
    }

    @AfterAll
    static void close() throws IOException {
        jar.close();
    }

    @Test
    void no_class_of_flink_and_none_of_the_job_is_in_it() {
        assertThat(names)
                .noneMatch(name -> name.contains("org/apache/flink"))
                .noneMatch(name -> name.contains("org/apache/kafka"));
        assertThat(names.stream()
                        .filter(name -> name.startsWith("dev/engagement/"))
                        .map(name -> name.replaceFirst("dev/engagement/([a-z]+)/.*", "$1")))
                .containsOnly("api", "connection", "event", "liveview", "options", "rollup", "writeback");
        assertThat(names).noneMatch(name -> name.matches("dev/engagement/(liveview/sink|event/types|rollup/[A-Z]).*"));
    }

    @Test
    void its_page_its_options_and_all_that_they_need_are_in_it() {
        assertThat(names)
                .contains(
                        "dev/engagement/api/EngagementApi.class",
                        "dev/engagement/api/page/index.html",
                        "dev/engagement/api/log4j2-api.properties",
                        "dev/engagement/rollup/definition/shipped.properties",
                        "engagement-api-reference.properties",
                        "engagement-reference.properties",
                        "io/javalin/Javalin.class",
                        "graphql/GraphQL.class",
                        "com/zaxxer/hikari/HikariDataSource.class",
                        "redis/clients/jedis/Jedis.class",
                        "org/postgresql/Driver.class",
                        "org/apache/logging/log4j/core/LoggerContext.class");
    }

    @Test
    void no_class_is_there_twice_and_nothing_is_signed() {
        Set<String> seen = new HashSet<>();
        assertThat(jar.stream()
                        .filter(entry -> !entry.isDirectory())
                        .map(JarEntry::getName)
                        .filter(name -> !seen.add(name)))
                .isEmpty();
        assertThat(names).noneMatch(name -> name.matches("META-INF/[^/]+\\.(SF|DSA|RSA|EC)"));
    }

    @Test
    void the_manifest_says_what_to_run_and_which_build_it_is() throws IOException {
        Attributes manifest = jar.getManifest().getMainAttributes();

        assertThat(manifest.getValue(Attributes.Name.MAIN_CLASS)).isEqualTo(EngagementApi.class.getName());
        assertThat(manifest.getValue(Attributes.Name.IMPLEMENTATION_VERSION)).matches("\\d+\\.\\d+\\.\\d+.*");
    }

    @Test
    void it_explains_itself_and_refuses_what_it_does_not_know() throws Exception {
        Ended help = run("--help");
        assertThat(help.code()).isZero();
        assertThat(help.text()).contains("--api.port", "ENGAGEMENT_API_TOKEN");

        Ended refused = run("--api.prot", "1");
        assertThat(refused.code()).isEqualTo(2);
        assertThat(refused.text()).contains("did you mean --api.port?").doesNotContain("\tat ");
    }

    @Test
    void without_its_stores_it_runs_and_says_what_is_missing() throws Exception {
        Process process =
                launch("--api.port", "0", "--redis.url", "redis://127.0.0.1:1", "--api.store-timeout", "500 ms");
        try (BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            Matcher address = Pattern.compile("The page is at (http://127\\.0\\.0\\.1:\\d+)/ .*")
                    .matcher(String.valueOf(out.readLine()));
            assertThat(address.matches())
                    .as(() -> "its log is " + DIRECTORY.resolve("err"))
                    .isTrue();
            String url = address.group(1);

            assertThat(get(url + "/health/live").statusCode()).isEqualTo(200);
            assertThat(get(url + "/health/ready").statusCode()).isEqualTo(503);
            assertThat(get(url + "/").body()).startsWith("<!doctype html>");
            assertThat(get(url + "/openapi.json").statusCode()).isEqualTo(200);
            HttpResponse<String> away = get(url + "/metrics/realtime?event_type=click");
            assertThat(away.statusCode()).isEqualTo(503);
            assertThat(away.headers().firstValue("Retry-After")).isPresent();
        } finally {
            process.destroy();
            assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
        }
        assertThat(Files.readString(DIRECTORY.resolve("err"))).doesNotContain("SLF4J", "StatusLogger");
    }

    private record Ended(int code, String text) {}

    private static Ended run(String... arguments) throws Exception {
        Process process = launch(arguments);
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
        return new Ended(process.exitValue(), out + Files.readString(DIRECTORY.resolve("err")));
    }

    private static Process launch(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-jar",
                JAR.toString()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .directory(DIRECTORY.toFile())
                .redirectError(new File(DIRECTORY.toFile(), "err"))
                .start();
    }

    private static HttpResponse<String> get(String url) throws Exception {
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString());
    }
}
