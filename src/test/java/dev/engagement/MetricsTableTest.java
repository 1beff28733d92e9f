package dev.engagement;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The documentation's table of metrics and the metrics that the code registers are the same. */
class MetricsTableTest {

    private static final Pattern REGISTERED =
            Pattern.compile("\\.?\\b(?:counter|gauge|histogram|meter)\\(\\s*\"(\\w+)\"");
    private static final Pattern NAME = Pattern.compile("`(\\w+)`");

    /** What the column of stages says of a metric that needs one. */
    private static final String WITH_AN_OPTION = ", with `";

    /** Flink's own, which the table explains too. */
    private static final Set<String> OF_FLINK = Set.of("pendingRecords");

    /** Of a row of the table. */
    private record Metric(String of, String type, String unit) {}

    @Test
    void every_metric_of_the_code_is_in_the_table_and_the_other_way_round() {
        Set<String> told = new TreeSet<>(names());
        told.removeAll(OF_FLINK);
        assertThat(told).isEqualTo(registered());
    }

    @Test
    void each_has_a_type_and_a_unit() {
        assertThat(table()).isNotEmpty().allSatisfy((name, metric) -> {
            assertThat(metric.type()).as(name).isIn("counter", "gauge", "histogram");
            assertThat(metric.unit()).as(name).isNotBlank();
            if (name.endsWith("Millis")) {
                assertThat(metric.unit()).as(name).isEqualTo("ms");
            }
            if (name.endsWith("Bytes") || name.equals("bytes")) {
                assertThat(metric.unit()).as(name).isEqualTo("bytes");
            }
        });
    }

    /** Every metric of the table. */
    static List<String> names() {
        return List.copyOf(table().keySet());
    }

    /** Those that are there whatever is configured. */
    static List<String> always() {
        return table().entrySet().stream()
                .filter(entry -> !entry.getValue().of().contains(WITH_AN_OPTION))
                .map(Map.Entry::getKey)
                .toList();
    }

    private static Map<String, Metric> table() {
        Map<String, Metric> table = new LinkedHashMap<>();
        boolean inside = false;
        for (String line : lines(Path.of("src/site/markdown/metrics.md"))) {
            if (line.startsWith("| metric ")) {
                inside = true;
            } else if (!line.startsWith("|")) {
                inside = false;
            } else if (inside && !line.startsWith("|---")) {
                String[] cells = line.split("\\s*\\|\\s*", -1);
                Matcher names = NAME.matcher(cells[1]);
                while (names.find()) {
                    table.merge(names.group(1), new Metric(cells[2], cells[3], cells[4]), (one, other) -> one);
                }
            }
        }
        return table;
    }

    private static Set<String> registered() {
        Set<String> names = new TreeSet<>();
        for (Path file : sources()) {
            Matcher registered = REGISTERED.matcher(String.join("\n", lines(file)));
            while (registered.find()) {
                names.add(registered.group(1));
            }
        }
        return names;
    }

    private static List<Path> sources() {
        Path root = Path.of("src/main/java/dev/engagement");
        try (Stream<Path> files = Files.walk(root)) {
            return new ArrayList<>(files.filter(file -> file.toString().endsWith(".java"))
                    .filter(file -> !file.startsWith(root.resolve("local")))
                    .toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
