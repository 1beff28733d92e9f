package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.EngagementJob;
import dev.engagement.api.ApiOptions;
import dev.engagement.config.Invocation;
import dev.engagement.config.Keys;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * The resources for the Flink Kubernetes Operator, and those of the API, against what is known of their schema, as no cluster
 * is at hand.
 */
class KubernetesTest {

    private static final Path FILE = Path.of("docker/kubernetes/engagement.yaml");
    private static final Path SCHEMA = Path.of("src/test/resources/kubernetes/flink-operator-v1beta1.yaml");
    private static final Path SCHEMA_OF_ITS_OWN = Path.of("src/test/resources/kubernetes/kubernetes-v1.yaml");

    private static final Map<String, String> VERSIONS = Map.of(
            "FlinkDeployment", "flink.apache.org/v1beta1",
            "FlinkSessionJob", "flink.apache.org/v1beta1",
            "Deployment", "apps/v1",
            "Service", "v1");

    private final List<Map<String, Object>> resources = Yaml.documents(FILE);

    @Test
    void each_resource_has_only_fields_of_its_schema_and_all_that_it_must_have() {
        assertThat(resources)
                .extracting(resource -> resource.get("kind"))
                .containsExactly("FlinkDeployment", "FlinkSessionJob", "FlinkSessionJob", "Deployment", "Service");
        Map<String, Object> schema = new LinkedHashMap<>(Yaml.document(SCHEMA));
        schema.putAll(Yaml.document(SCHEMA_OF_ITS_OWN));
        for (Map<String, Object> resource : resources) {
            assertThat(resource).containsOnlyKeys("apiVersion", "kind", "metadata", "spec");
            assertThat(resource.get("apiVersion"))
                    .isEqualTo(VERSIONS.get(resource.get("kind").toString()));
            assertThat(name(resource)).matches("[a-z]([-a-z0-9]{0,43}[a-z0-9])?");
            assertThat(problems(
                            resource.get("kind").toString(),
                            resource.get("spec"),
                            schema.get(resource.get("kind").toString())))
                    .isEmpty();
        }
    }

    @Test
    void the_schema_finds_what_is_wrong() {
        Object schema = Yaml.document(SCHEMA).get("FlinkSessionJob");
        Map<String, Object> job = new LinkedHashMap<>(Map.of(
                "jarURI",
                "https://x",
                "parallelism",
                "4",
                "state",
                "running",
                "upgradeMode",
                "savepoints",
                "arg",
                "x"));
        assertThat(problems("x", Map.of("deploymentName", "y", "job", job), schema))
                .containsExactlyInAnyOrder(
                        "x.job.parallelism is '4' and not of type integer",
                        "x.job.upgradeMode is 'savepoints' and none of last-state|savepoint|stateless",
                        "x.job.arg is not known");
        assertThat(problems("x", Map.of("deploymentName", "y"), schema)).containsExactly("x.job is missing");
    }

    @Test
    void the_jobs_are_of_this_cluster_and_upgraded_by_savepoints_without_losing_state() {
        for (Map<String, Object> resource : jobs()) {
            assertThat(spec(resource).get("deploymentName")).isEqualTo(name(resources.get(0)));
            Map<String, Object> job = Yaml.map(spec(resource).get("job"));
            assertThat(job)
                    .containsEntry("upgradeMode", "savepoint")
                    .containsEntry("state", "running")
                    .containsEntry("allowNonRestoredState", false)
                    .containsEntry("entryClass", EngagementJob.class.getName());
        }
    }

    @Test
    void the_jobs_arguments_are_options_that_the_jar_takes_with_the_secrets_of_the_pods() {
        Map<String, String> pods = Yaml.list(container().get("env")).stream()
                .map(Yaml::map)
                .collect(Collectors.toMap(each -> each.get("name").toString(), each -> "x"));
        for (Map<String, Object> resource : jobs()) {
            List<String> arguments =
                    Yaml.texts(Yaml.map(spec(resource).get("job")).get("args"));
            assertThat(Invocation.parse(arguments.toArray(String[]::new), pods)).isInstanceOf(Invocation.Run.class);
            // As the name of the job, which is the default, is what alerts and dashboard know it by.
            assertThat(name(resource)).isEqualTo("engagement-" + arguments.get(0));
        }
    }

    @Test
    void secrets_are_references() {
        for (Object each : Yaml.list(container().get("env"))) {
            Map<String, Object> variable = Yaml.map(each);
            boolean secret = Keys.ALL.stream()
                    .anyMatch(key -> key.variable().equals(variable.get("name"))
                            && variable.get("name").toString().matches(".*(PASSWORD|SECRET)"));
            assertThat(variable).containsKey(secret ? "valueFrom" : "value");
        }
        assertThat(container().get("name")).isEqualTo("flink-main-container");
    }

    @Test
    void the_cluster_survives_its_job_managers_and_is_of_our_version() {
        Map<String, Object> cluster = spec(resources.get(0));
        String version = Pom.property("flink.version");
        assertThat(cluster.get("flinkVersion"))
                .isEqualTo("v" + version.replaceFirst("\\.\\d+$", "").replace('.', '_'));
        assertThat(Yaml.map(cluster.get("flinkConfiguration")))
                .containsEntry("high-availability.type", "kubernetes")
                .containsKeys(
                        "high-availability.storageDir",
                        "execution.checkpointing.dir",
                        "execution.checkpointing.savepoint-dir");
        assertThat(Yaml.list(container().get("env")).toString()).contains("flink-s3-fs-hadoop-" + version + ".jar");
    }

    @Test
    void the_api_takes_its_arguments_and_is_found_by_its_service() {
        Map<String, Object> template = Yaml.map(spec(resources.get(3)).get("template"));
        Map<String, Object> api = Yaml.map(
                Yaml.list(Yaml.map(template.get("spec")).get("containers")).get(0));
        Map<String, String> pods = new LinkedHashMap<>();
        for (Object each : Yaml.list(api.get("env"))) {
            assertThat(Yaml.map(each)).as("a secret is a reference").containsKey("valueFrom");
            pods.put(Yaml.map(each).get("name").toString(), "x");
        }

        ApiOptions options = ApiOptions.parse(Yaml.texts(api.get("args")).toArray(String[]::new), pods);

        assertThat(options.track()).isNotNull();
        // As the operator calls the service of the session cluster.
        assertThat(options.read().pipeline().flinkRest())
                .hasToString("http://" + name(resources.get(0)) + "-rest:8081");
        assertThat(Yaml.map(Yaml.list(api.get("ports")).get(0)))
                .containsEntry("containerPort", options.web().port());
        Map<String, Object> service = spec(resources.get(4));
        assertThat(service.get("selector"))
                .isEqualTo(Yaml.map(template.get("metadata")).get("labels"))
                .isEqualTo(Yaml.map(spec(resources.get(3)).get("selector")).get("matchLabels"));
        assertThat(Yaml.map(Yaml.list(service.get("ports")).get(0)).get("targetPort"))
                .isEqualTo(Yaml.map(Yaml.list(api.get("ports")).get(0)).get("name"));
    }

    private List<Map<String, Object>> jobs() {
        return resources.stream()
                .filter(resource -> resource.get("kind").equals("FlinkSessionJob"))
                .toList();
    }

    private Map<String, Object> container() {
        Map<String, Object> pod = Yaml.map(spec(resources.get(0)).get("podTemplate"));
        return Yaml.map(Yaml.list(Yaml.map(pod.get("spec")).get("containers")).get(0));
    }

    private static Map<String, Object> spec(Map<String, Object> resource) {
        return Yaml.map(resource.get("spec"));
    }

    private static String name(Map<String, Object> resource) {
        return Yaml.map(resource.get("metadata")).get("name").toString();
    }

    private static List<String> problems(String path, Object value, Object schema) {
        List<String> problems = new ArrayList<>();
        if (schema instanceof Map<?, ?> fields) {
            if (!(value instanceof Map<?, ?> map)) {
                return List.of(path + " is no map");
            }
            for (Object field : fields.keySet()) {
                String name = field.toString();
                if (name.endsWith("!") && !map.containsKey(name.substring(0, name.length() - 1))) {
                    problems.add(path + '.' + name.substring(0, name.length() - 1) + " is missing");
                }
            }
            map.forEach((key, each) -> {
                Object of = fields.containsKey(key) ? fields.get(key) : fields.get(key + "!");
                of = of == null ? fields.get("*") : of;
                if (of == null) {
                    problems.add(path + '.' + key + " is not known");
                } else {
                    problems.addAll(problems(path + '.' + key, each, of));
                }
            });
        } else if (schema instanceof List<?> items) {
            if (!(value instanceof List<?> list)) {
                return List.of(path + " is no list");
            }
            for (int i = 0; i < list.size(); i++) {
                problems.addAll(problems(path + '[' + i + ']', list.get(i), items.get(0)));
            }
        } else if (schema.toString().contains("|")) {
            if (!List.of(schema.toString().split("\\|")).contains(value)) {
                problems.add(path + " is '" + value + "' and none of " + schema);
            }
        } else {
            boolean fits =
                    switch (schema.toString()) {
                        case "string" -> value instanceof String;
                        case "integer" -> value instanceof Integer;
                        case "number" -> value instanceof Number;
                        case "boolean" -> value instanceof Boolean;
                        default -> throw new IllegalArgumentException("The schema has no type " + schema);
                    };
            if (!fits) {
                problems.add(path + " is '" + value + "' and not of type " + schema);
            }
        }
        return problems;
    }
}
