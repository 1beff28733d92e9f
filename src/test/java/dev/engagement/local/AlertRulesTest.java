package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.report.testing.Programs;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The alerts by Prometheus' own tools. That their metrics are those of the jobs, MetricsIT shows. */
class AlertRulesTest {

    private static final Path FOLDER = Path.of("docker/prometheus");

    private final List<Map<String, Object>> alerts =
            Yaml.list(Yaml.document(FOLDER.resolve("rules.yml")).get("groups")).stream()
                    .flatMap(group -> Yaml.list(Yaml.map(group).get("rules")).stream())
                    .map(Yaml::map)
                    .toList();

    @Test
    void promtool_takes_the_rules_and_the_configuration() throws Exception {
        Programs.need("promtool", "prometheus", "Prometheus takes the rules and the configuration");
        Programs.Ended ended = Programs.run(FOLDER, Map.of(), List.of("promtool", "check", "config", "prometheus.yml"));
        assertThat(ended.code()).as(ended.text()).isZero();
        assertThat(ended.text()).contains("SUCCESS: " + alerts.size() + " rules found");
    }

    @Test
    void promtool_finds_each_alert_firing_and_quiet_as_its_tests_say() throws Exception {
        Programs.need("promtool", "prometheus", "each alert fires, and stays quiet, when it should");
        Programs.Ended ended = Programs.run(FOLDER, Map.of(), List.of("promtool", "test", "rules", "rules-test.yml"));
        assertThat(ended.code()).as(ended.text()).isZero();
    }

    @Test
    void each_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not() {
        Set<String> firing = new TreeSet<>();
        Set<String> quiet = new TreeSet<>();
        for (Object test :
                Yaml.list(Yaml.document(FOLDER.resolve("rules-test.yml")).get("tests"))) {
            for (Object each : Yaml.list(Yaml.map(test).get("alert_rule_test"))) {
                Map<String, Object> alert = Yaml.map(each);
                (Yaml.list(alert.get("exp_alerts")).isEmpty() ? quiet : firing)
                        .add(alert.get("alertname").toString());
            }
        }
        Set<String> all = alerts.stream()
                .map(alert -> alert.get("alert").toString())
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(all).hasSameSizeAs(alerts);
        assertThat(firing).isEqualTo(all);
        assertThat(quiet).isEqualTo(all);
    }

    @Test
    void each_alert_says_how_bad_it_is_and_what_to_do() {
        assertThat(alerts).isNotEmpty().allSatisfy(alert -> {
            assertThat(Yaml.map(alert.get("labels")).get("severity")).isIn("critical", "warning");
            assertThat(Yaml.map(alert.get("annotations"))).containsOnlyKeys("summary", "action");
        });
    }
}
