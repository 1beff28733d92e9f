package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.api.ApiOptions;
import dev.engagement.config.Invocation;
import dev.engagement.config.Key;
import dev.engagement.config.Keys;
import dev.engagement.report.testing.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What can be said of docker-compose.yml without an engine. */
class ComposeTest {

    private static final Path FILE = Path.of("docker-compose.yml");
    private static final Path VARIABLES = Path.of("docker/.env.example");
    private static final Path OPTIONS = Path.of("docker/engagement.properties");
    private static final Path DOCKERFILE = Path.of("docker/Dockerfile");

    /** Services that nobody asks whether they are well. */
    private static final Map<String, String> WITHOUT_HEALTH_CHECK = Map.of(
            "stream", "ends when the job is submitted",
            "capture", "ends when the job is submitted",
            "connect-register", "ends when the connector is registered",
            "generator", "answers to nobody; ends if it fails");

    /** Images whose own user is not root; of the others the compose file or our Dockerfile names one. */
    private static final Set<String> UNPRIVILEGED = Set.of(
            "apache/kafka",
            "quay.io/debezium/connect",
            "prom/prometheus",
            "grafana/grafana",
            "ghcr.io/kafbat/kafka-ui",
            "redis/redisinsight");

    private static final Pattern VARIABLE = Pattern.compile("\\$\\{(\\w+)(?::([-?])([^}]*))?}");

    private final Map<String, Object> file = Yaml.document(FILE);
    private final Map<String, Map<String, Object>> services = services();

    private Map<String, Map<String, Object>> services() {
        Map<String, Map<String, Object>> services = new LinkedHashMap<>();
        Yaml.map(file.get("services")).forEach((name, service) -> services.put(name, Yaml.map(service)));
        return services;
    }

    @Test
    void docker_compose_takes_it() throws Exception {
        Programs.need("docker-compose", "docker-compose", "docker-compose takes docker-compose.yml with each profile");
        Path filled = Files.createDirectories(Path.of("target/it")).resolve("compose.env");
        Files.writeString(filled, Files.readString(VARIABLES).replaceAll("(?m)(PASSWORD|SECRET|TOKEN)=$", "$1=x"));
        for (String profile : List.of("capture", "connect")) {
            Programs.Ended ended = Programs.run(
                    Path.of("."),
                    Map.of("COMPOSE_PROFILES", profile),
                    List.of("docker-compose", "--env-file", filled.toString(), "config", "-q"));
            assertThat(ended).isEqualTo(new Programs.Ended(0, ""));
        }
    }

    @Test
    void it_has_nothing_that_older_composes_refuse() {
        assertThat(file).doesNotContainKeys("name", "version");
        assertThat(services.values()).allSatisfy(service -> assertThat(service).doesNotContainKey("develop"));
    }

    @Test
    void every_file_that_is_mounted_is_there_and_every_volume_is_declared() {
        Set<String> declared = Yaml.map(file.get("volumes")).keySet();
        Set<String> used = new TreeSet<>();
        services.forEach((name, service) -> Yaml.texts(service.get("volumes")).forEach(volume -> {
            String source = volume.substring(0, volume.indexOf(':'));
            if (source.startsWith("./")) {
                assertThat(Path.of(source)).as(name).exists();
                assertThat(volume).as("others' files are not written to").endsWith(":ro");
            } else {
                used.add(source);
            }
        }));
        assertThat(used).isEqualTo(new TreeSet<>(declared));
    }

    @Test
    void every_script_is_mounted_or_in_the_image() throws IOException {
        String dockerfile = Files.readString(DOCKERFILE);
        List<String> named = new ArrayList<>();
        services.forEach((name, service) -> {
            List<String> words = new ArrayList<>(Yaml.texts(service.get("entrypoint")));
            words.addAll(Yaml.texts(service.get("command")));
            words.addAll(Yaml.texts(Yaml.map(service.get("healthcheck")).get("test")));
            words.stream().filter(word -> word.matches("/.+\\.(sh|json)")).forEach(path -> {
                if (path.startsWith("/opt/kafka/")) {
                    return;
                }
                named.add(path);
                boolean mounted = Yaml.texts(service.get("volumes")).stream().anyMatch(volume -> {
                    String[] parts = volume.split(":");
                    Path source = Path.of(parts[0]);
                    return path.equals(parts[1])
                            || (path.startsWith(parts[1] + "/")
                                    && Files.exists(source.resolve(path.substring(parts[1].length() + 1))));
                });
                String script = path.substring(path.lastIndexOf('/') + 1);
                String target = Yaml.map(service.get("build"))
                        .getOrDefault("target", "")
                        .toString();
                boolean copied = path.equals("/opt/engagement/" + script)
                        && stage(dockerfile, target)
                                .lines()
                                .filter(line -> line.startsWith("COPY "))
                                .anyMatch(copy -> copy.matches("COPY .*docker/\\w+/" + script + " .*")
                                        || (copy.contains("COPY docker/tools ")
                                                && Files.exists(Path.of("docker/tools", script))));
                assertThat(mounted || copied).as(name + ": " + path).isTrue();
            });
        });
        assertThat(named)
                .contains(
                        "/opt/engagement/submit.sh", "/opt/engagement/answers.sh", "/start.sh", "/connect/register.sh");
    }

    @Test
    void what_is_built_is_a_stage_of_our_dockerfile() throws IOException {
        String dockerfile = Files.readString(DOCKERFILE);
        services.forEach((name, service) -> {
            Map<String, Object> build = Yaml.map(service.get("build"));
            if (!build.isEmpty()) {
                assertThat(build)
                        .as(name)
                        .containsEntry("context", ".")
                        .containsEntry("dockerfile", DOCKERFILE.toString());
                assertThat(stage(dockerfile, build.get("target").toString()))
                        .as(name)
                        .isNotEmpty();
                assertThat(service.get("image").toString())
                        .as(name)
                        .isEqualTo("engagement-" + build.get("target") + ":"
                                + Pom.property("version").replace("-SNAPSHOT", ""));
            }
        });
    }

    @Test
    void images_are_pinned_by_a_version() throws IOException {
        List<String> images = new ArrayList<>();
        services.values().forEach(service -> images.add(service.get("image").toString()));
        Files.readString(DOCKERFILE)
                .lines()
                .filter(line -> line.startsWith("FROM "))
                .forEach(line -> images.add(line.split(" ")[1]));
        assertThat(images).hasSizeGreaterThan(services.size()).allSatisfy(image -> assertThat(image)
                .matches("[a-z0-9./-]+:v?\\d+\\.\\d+.*"));
    }

    @Test
    void flink_is_the_one_of_the_build_on_java_17() throws IOException {
        String version = Pom.property("flink.version");
        assertThat(Files.readString(DOCKERFILE)).contains("FROM flink:" + version + "-scala_2.12-java17 AS flink");
        for (String name : List.of("jobmanager", "taskmanager", "stream", "capture")) {
            Map<String, Object> environment = Yaml.map(services.get(name).get("environment"));
            assertThat(environment.get("ENABLE_BUILT_IN_PLUGINS")).isEqualTo("flink-s3-fs-hadoop-" + version + ".jar");
            assertThat(environment.get("FLINK_PROPERTIES").toString().lines())
                    .allMatch(line -> line.matches("[a-z][a-zA-Z0-9.-]+: \\S.*"))
                    .contains("metrics.reporter.prom.port: 9249");
        }
    }

    @Test
    void nothing_is_published_beyond_loopback() {
        Map<String, String> defaults = new HashMap<>();
        services.forEach((name, service) -> Yaml.texts(service.get("ports"))
                .forEach(port ->
                        assertThat(interpolated(port, defaults)).as(name).matches("127\\.0\\.0\\.1:\\d+:\\d+")));
        assertThat(services.values()).allSatisfy(service -> assertThat(service)
                .doesNotContainKeys("network_mode", "privileged", "container_name", "pid"));
    }

    @Test
    void no_port_is_published_twice() {
        List<String> ports = services.values().stream()
                .flatMap(service -> Yaml.texts(service.get("ports")).stream())
                .map(port -> interpolated(port, Map.of()).split(":")[1])
                .toList();
        assertThat(ports).doesNotHaveDuplicates().hasSizeGreaterThan(8);
    }

    @Test
    void every_service_has_a_health_check_or_a_reason_for_none() {
        services.forEach((name, service) -> {
            if (service.containsKey("healthcheck")) {
                assertThat(WITHOUT_HEALTH_CHECK).doesNotContainKey(name);
                assertThat(Yaml.map(service.get("healthcheck"))).containsKeys("test", "interval", "timeout", "retries");
            } else {
                assertThat(WITHOUT_HEALTH_CHECK).as(name).containsKey(name);
            }
        });
        assertThat(services.keySet()).containsAll(WITHOUT_HEALTH_CHECK.keySet());
    }

    @Test
    void what_is_waited_for_can_come_and_is_not_left_out_by_a_profile() {
        services.forEach((name, service) -> Yaml.map(service.get("depends_on")).forEach((other, how) -> {
            Map<String, Object> awaited = services.get(other);
            assertThat(awaited).as(name + " waits for " + other).isNotNull();
            assertThat(awaited.get("profiles")).as(name + " waits for " + other).isIn(null, service.get("profiles"));
            String condition = Yaml.map(how).get("condition").toString();
            if (condition.equals("service_healthy")) {
                assertThat(awaited).as(other).containsKey("healthcheck");
            } else {
                assertThat(condition).isEqualTo("service_completed_successfully");
                assertThat(awaited.get("restart")).as(other).isEqualTo("no");
            }
        }));
        assertThat(order()).hasSameSizeAs(services.keySet());
    }

    /** The services in an order in which they can start. */
    private List<String> order() {
        List<String> started = new ArrayList<>();
        boolean more = true;
        while (more) {
            more = false;
            for (Map.Entry<String, Map<String, Object>> service : services.entrySet()) {
                if (!started.contains(service.getKey())
                        && started.containsAll(
                                Yaml.map(service.getValue().get("depends_on")).keySet())) {
                    started.add(service.getKey());
                    more = true;
                }
            }
        }
        return started;
    }

    @Test
    void connect_takes_the_place_of_capture() {
        Map<Object, Set<String>> byProfile = services.entrySet().stream()
                .collect(Collectors.groupingBy(
                        service -> Yaml.texts(service.getValue().get("profiles")),
                        Collectors.mapping(Map.Entry::getKey, Collectors.toCollection(TreeSet::new))));
        assertThat(byProfile).hasSize(3);
        assertThat(byProfile.get(List.of("capture"))).containsExactly("capture");
        assertThat(byProfile.get(List.of("connect"))).containsExactly("connect", "connect-register");
        assertThat(examples()).containsEntry("COMPOSE_PROFILES", "capture");
    }

    @Test
    void nobody_is_root_who_need_not_be_and_nobody_becomes_more() throws IOException {
        String dockerfile = Files.readString(DOCKERFILE);
        services.forEach((name, service) -> {
            String image = service.get("image").toString().replaceFirst(":[^:/]+$", "");
            String target =
                    Yaml.map(service.get("build")).getOrDefault("target", "").toString();
            boolean unprivileged = service.containsKey("user")
                    || UNPRIVILEGED.contains(image)
                    || stage(dockerfile, target).matches("(?s).*\nUSER (flink|[1-9]\\d*:[1-9]\\d*)\n.*");
            assertThat(unprivileged).as(name).isTrue();
            assertThat(service.getOrDefault("user", "").toString()).as(name).isNotIn("root", "0");
            assertThat(Yaml.texts(service.get("cap_drop"))).as(name).containsExactly("ALL");
            assertThat(Yaml.texts(service.get("security_opt"))).as(name).containsExactly("no-new-privileges:true");
            assertThat(service).as(name).doesNotContainKey("cap_add");
        });
    }

    @Test
    void the_example_has_every_variable_and_no_secret() throws IOException {
        String text = Files.readString(FILE)
                .lines()
                .filter(line -> !line.strip().startsWith("#"))
                .collect(Collectors.joining("\n"));
        Set<String> used = new TreeSet<>(Set.of("COMPOSE_PROFILES"));
        Map<String, String> examples = examples();
        Matcher variable = VARIABLE.matcher(text);
        while (variable.find()) {
            String name = variable.group(1);
            used.add(name);
            if (name.matches(".*(PASSWORD|_SECRET|_TOKEN)")) {
                assertThat(variable.group(2)).as(name + " has no default").isEqualTo("?");
                assertThat(examples).containsEntry(name, "");
            } else if (examples.containsKey(name)) {
                assertThat(variable.group(3)).as(name).isEqualTo(examples.get(name));
            }
        }
        assertThat(examples.keySet()).isEqualTo(used);
        services.forEach((name, service) -> Yaml.map(service.get("environment")).forEach((key, value) -> {
            if (key.matches(".*(PASSWORD|SECRET|TOKEN|AUTH|ACCESS_KEY).*")) {
                assertThat(value.toString()).as(name + ": " + key).matches("\\$\\{\\w+:[^}]*}");
            }
        }));
        assertThat(Files.readString(Path.of(".gitignore")).lines()).contains("/.env");
        assertThat(Files.readString(Path.of(".dockerignore")).lines()).contains(".env");
    }

    @Test
    void the_environment_is_what_the_code_reads() {
        Set<String> options = Keys.ALL.stream().map(Key::variable).collect(Collectors.toSet());
        services.forEach((name, service) -> Yaml.map(service.get("environment")).keySet().stream()
                .filter(variable -> variable.startsWith("ENGAGEMENT_") && !name.equals("api"))
                .forEach(variable -> assertThat(options).as(name).contains(variable)));
        assertThat(Yaml.map(services.get("generator").get("environment")))
                .containsOnlyKeys(
                        LoadProgram.RATE,
                        LoadProgram.BURST_MODE,
                        LoadProgram.BURST_COUNT,
                        LoadProgram.BURST_EVERY,
                        Keys.POSTGRES_URL.variable(),
                        Keys.POSTGRES_USERNAME.variable(),
                        Keys.POSTGRES_PASSWORD.variable());
    }

    @Test
    void the_load_of_the_example_is_one_that_the_generator_takes() {
        Map<String, String> environment = new HashMap<>();
        Yaml.map(services.get("generator").get("environment"))
                .forEach((key, value) -> environment.put(key, interpolated(value.toString(), examples())));
        assertThat(LoadProgram.options(environment).rate()).isEqualTo(50);
    }

    @Test
    void the_options_are_what_both_commands_take_and_their_servers_are_services() throws IOException {
        Map<String, String> environment = new HashMap<>();
        Yaml.map(services.get("stream").get("environment")).forEach((key, value) -> environment.put(key, "x"));
        for (String command : List.of("capture", "stream")) {
            assertThat(Invocation.parse(new String[] {command, "--config", OPTIONS.toString()}, environment))
                    .isInstanceOf(Invocation.Run.class);
        }
        Matcher address = Pattern.compile("(?:=|//)([a-z-]+):(\\d+)").matcher(Files.readString(OPTIONS));
        List<String> named = new ArrayList<>();
        while (address.find()) {
            named.add(address.group(1));
        }
        assertThat(named).isNotEmpty().allSatisfy(host -> assertThat(services).containsKey(host));
    }

    @Test
    void the_api_takes_its_environment_and_finds_its_servers_among_the_services() {
        Map<String, String> environment = new HashMap<>();
        Yaml.map(services.get("api").get("environment"))
                .forEach((key, value) -> environment.put(key, value.toString()));

        ApiOptions options = ApiOptions.parse(new String[0], environment);

        // As it is published, and asked whether it lives.
        assertThat(Yaml.texts(services.get("api").get("ports")))
                .singleElement()
                .asString()
                .endsWith(":" + options.web().port());
        assertThat(Yaml.texts(Yaml.map(services.get("api").get("healthcheck")).get("test")))
                .contains(Integer.toString(options.web().port()));
        assertThat(services).containsKeys(options.read().redis().host(), "postgres");
        assertThat(options.read().pipeline().flinkRest()).hasToString("http://jobmanager:8081");
        assertThat(options.read().warehouse()).isNotNull().satisfies(warehouse -> assertThat(services)
                .containsKeys("jobmanager", warehouse.endpoint().getHost()));
        assertThat(options.track()).isNotNull();
    }

    @Test
    void the_secrets_of_the_jobs_are_on_every_machine_that_reads_them() {
        Map<String, Object> jobmanager = Yaml.map(services.get("jobmanager").get("environment"));
        for (String name : List.of("taskmanager", "stream", "capture")) {
            assertThat(Yaml.map(services.get(name).get("environment"))).isEqualTo(jobmanager);
        }
    }

    private static Map<String, String> examples() {
        Map<String, String> examples = new TreeMap<>();
        try {
            for (String line : Files.readAllLines(VARIABLES)) {
                if (!line.isBlank() && !line.startsWith("#")) {
                    int equals = line.indexOf('=');
                    assertThat(examples.put(line.substring(0, equals), line.substring(equals + 1)))
                            .as(line)
                            .isNull();
                }
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return examples;
    }

    private static String interpolated(String text, Map<String, String> variables) {
        return VARIABLE.matcher(text).replaceAll(variable -> {
            String value = variables.getOrDefault(variable.group(1), "");
            String otherwise = "-".equals(variable.group(2)) ? variable.group(3) : "";
            return Matcher.quoteReplacement(value.isEmpty() ? otherwise : value);
        });
    }

    /** The lines of a stage of the Dockerfile; empty if it has none of that name. */
    private static String stage(String dockerfile, String name) {
        Matcher stage = Pattern.compile("(?ms)^FROM \\S+ AS " + Pattern.quote(name) + "$(.*?)(?=^FROM |\\z)")
                .matcher(dockerfile);
        return !name.isEmpty() && stage.find() ? stage.group(1) : "";
    }
}
