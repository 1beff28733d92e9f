package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.config.Keys;
import dev.engagement.report.testing.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The Dockerfile, all scripts, and what Grafana and Kafka Connect are given. */
class DockerFilesTest {

    private static final Path FOLDER = Path.of("docker");
    private static final Path DOCKERFILE = FOLDER.resolve("Dockerfile");

    @Test
    void scripts_are_executable_and_shellcheck_has_nothing_to_say() throws Exception {
        List<Path> scripts = scripts();
        assertThat(scripts).hasSizeGreaterThan(15).allSatisfy(script -> {
            assertThat(script).isExecutable();
            assertThat(Files.readAllLines(script).get(0)).isIn("#!/usr/bin/env bash", "#!/bin/sh");
        });
        Programs.need("shellcheck", "shellcheck", "the scripts have no flaw that shellcheck knows");
        List<String> command = new ArrayList<>(List.of("shellcheck"));
        scripts.forEach(script -> command.add(script.toString()));
        assertThat(Programs.run(Path.of("."), Map.of(), command)).isEqualTo(new Programs.Ended(0, ""));
    }

    @Test
    void what_the_dockerfile_copies_is_there_or_comes_from_an_earlier_stage() throws IOException {
        List<String> stages = new ArrayList<>();
        int copied = 0;
        for (String line : instructions()) {
            String[] words = line.split(" +");
            if (words[0].equals("FROM")) {
                stages.add(words[3]);
            } else if (words[0].equals("COPY") && words[1].startsWith("--from=")) {
                assertThat(stages).contains(words[1].substring("--from=".length()));
            } else if (words[0].equals("COPY")) {
                for (int i = 1; i < words.length - 1; i++) {
                    assertThat(Path.of(words[i])).exists();
                    copied++;
                }
            }
        }
        assertThat(stages).containsExactly("build", "flink", "api", "tools");
        assertThat(copied).isGreaterThan(4);
    }

    @Test
    void what_the_dockerfile_runs_is_a_script_or_clean_shell() throws Exception {
        List<String> commands = instructions().stream()
                .filter(line -> line.startsWith("RUN "))
                .map(line -> line.substring("RUN ".length()))
                .toList();
        assertThat(commands).isNotEmpty();
        for (String command : commands) {
            String first = command.split(" ")[0];
            if (first.contains("/")) {
                assertThat(Path.of(first)).isExecutable();
            }
        }
        Matcher entryPoint =
                Pattern.compile("(?m)^ENTRYPOINT \\[\"/opt/engagement/(.+)\"]$").matcher(Files.readString(DOCKERFILE));
        assertThat(entryPoint.find()).isTrue();
        assertThat(FOLDER.resolve("tools").resolve(entryPoint.group(1))).isExecutable();

        Programs.need("shellcheck", "shellcheck", "the Dockerfile's commands have no flaw that shellcheck knows");
        Path script = Files.createDirectories(Path.of("target/it")).resolve("dockerfile-commands.sh");
        Files.writeString(script, "#!/bin/sh\nset -eu\n" + String.join("\n", commands) + "\n");
        assertThat(Programs.run(Path.of("."), Map.of(), List.of("shellcheck", script.toString())))
                .isEqualTo(new Programs.Ended(0, ""));
    }

    @Test
    void the_deploy_script_explains_every_variable_that_it_is_given() throws IOException {
        Path deploy = Path.of("scripts/deploy.sh");
        assertThat(deploy).isExecutable();
        String help = Files.readString(deploy);
        Matcher exported = Pattern.compile("(?m)^export (ENGAGEMENT_\\w+|FLINK_CONF_DIR)=")
                .matcher(Files.readString(FOLDER.resolve("flink/submit.sh")));
        List<String> variables = new ArrayList<>();
        while (exported.find()) {
            variables.add(exported.group(1));
        }
        assertThat(variables).hasSize(5).allSatisfy(variable -> assertThat(help).contains("\n  " + variable + " "));
    }

    @Test
    void grafana_finds_its_data_source_and_its_dashboards() throws IOException {
        Map<String, Object> source =
                Yaml.map(Yaml.list(Yaml.document(FOLDER.resolve("grafana/provisioning/datasources/prometheus.yml"))
                                .get("datasources"))
                        .get(0));
        Map<String, Object> provider =
                Yaml.map(Yaml.list(Yaml.document(FOLDER.resolve("grafana/provisioning/dashboards/engagement.yml"))
                                .get("providers"))
                        .get(0));
        assertThat(Files.readString(Path.of("docker-compose.yml")))
                .contains("./docker/grafana/dashboards:"
                        + Yaml.map(provider.get("options")).get("path") + ":ro");
        assertThat(source).containsEntry("url", "http://prometheus:9090");

        JsonNode dashboard = new ObjectMapper()
                .readTree(FOLDER.resolve("grafana/dashboards/engagement.json").toFile());
        List<Integer> ids = new ArrayList<>();
        for (JsonNode panel : dashboard.get("panels")) {
            ids.add(panel.get("id").intValue());
            assertThat(panel.get("gridPos").get("x").intValue()
                            + panel.get("gridPos").get("w").intValue())
                    .isLessThanOrEqualTo(24);
            if (!panel.get("type").textValue().equals("row")) {
                assertThat(panel.at("/datasource/uid").textValue()).isEqualTo(source.get("uid"));
                assertThat(panel.get("targets")).isNotEmpty();
            }
        }
        assertThat(ids).doesNotHaveDuplicates().hasSizeGreaterThan(15);
    }

    /** Debezium has to write what capture would have written. */
    @Test
    void the_connector_reads_the_tables_of_the_schema_into_the_topics_of_the_options() throws IOException {
        JsonNode connector = new ObjectMapper()
                .readTree(FOLDER.resolve("connect/engagement-source.json").toFile());
        assertThat(connector.get("table.include.list").textValue().split(","))
                .containsExactlyInAnyOrder(Schema.NAME + "." + Schema.EVENTS, Schema.NAME + "." + Schema.CONTENT);
        assertThat(connector.get("publication.name").textValue()).isEqualTo(Schema.PUBLICATION);
        assertThat(connector.get("slot.name").textValue())
                .as("a slot has one reader")
                .isNotEqualTo(Schema.SLOT);
        assertThat(connector.get("heartbeat.action.query").textValue())
                .contains(" " + Schema.NAME + "." + Schema.HEARTBEAT + " ");
        assertThat(connector.get("topic.prefix").textValue()).isEqualTo(Keys.KAFKA_TOPIC_PREFIX.defaultText());
        assertThat(connector.get("database.password").textValue()).isEqualTo("${env:CAPTURE_PASSWORD}");
    }

    private static List<Path> scripts() throws IOException {
        List<Path> scripts = new ArrayList<>(List.of(Path.of(".ci/run")));
        for (Path folder : List.of(FOLDER, Path.of("scripts"))) {
            try (Stream<Path> files = Files.walk(folder)) {
                files.filter(file -> file.toString().endsWith(".sh")).sorted().forEach(scripts::add);
            }
        }
        return scripts;
    }

    /** The instructions of the Dockerfile, each on one line. */
    private static List<String> instructions() throws IOException {
        return Files.readString(DOCKERFILE)
                .replaceAll("\\\\\n *", "")
                .lines()
                .filter(line -> !line.isBlank() && !line.startsWith("#"))
                .toList();
    }
}
