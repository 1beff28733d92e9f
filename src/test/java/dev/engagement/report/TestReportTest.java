package dev.engagement.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TestReportTest {

    private static final Instant BEGUN = Instant.parse("2026-01-08T09:00:00Z");

    @TempDir
    private Path directory;

    private Path unit;
    private Path integration;

    @BeforeEach
    void folders() throws IOException {
        unit = Files.createDirectory(directory.resolve("surefire-reports"));
        integration = Files.createDirectory(directory.resolve("failsafe-reports"));
    }

    @Test
    void classes_stand_by_their_seconds_with_share_and_total_and_nothing_was_skipped() throws IOException {
        suite(unit, BEGUN, "dev.engagement.event.LineTest", "0.5", 7, "");
        suite(integration, BEGUN, "dev.engagement.RebuildIT", "1,499.5", 3, "");
        suite(integration, BEGUN, "dev.engagement.delivery.DeliveryIT", "400", 2, "");
        suite(integration, BEGUN, "dev.engagement.delivery.DeliveryIT$Batches", "100", 1, "");

        assertThat(String.join("\n", lines())).isEqualTo("""

                The slowest test classes; seconds of all forks together
                class                tests   seconds    share
                RebuildIT                3    1499.5   75.0 %
                delivery.DeliveryIT      3     500.0   25.0 %
                event.LineTest           7       0.5    0.0 %
                all 3 classes           13    2000.0  100.0 %

                No test was skipped.""");
    }

    @Test
    void twenty_classes_are_shown_and_all_are_counted() throws IOException {
        for (int i = 10; i < 40; i++) {
            suite(unit, BEGUN, "dev.engagement.A" + i + "Test", Integer.toString(i), 1, "");
        }
        assertThat(lines())
                .filteredOn(line -> line.matches("A..Test.*"))
                .hasSize(20)
                .first()
                .asString()
                .startsWith("A39Test");
        assertThat(lines()).anyMatch(line -> line.matches("all 30 classes +30 +735\\.0 +100\\.0 %"));
    }

    @Test
    void what_lacks_a_program_is_told_once_for_each_and_other_reasons_with_their_tests() throws IOException {
        String promtool = skipped(
                "Assumption failed: needs promtool (Debian: apt-get install prometheus) to show that the alerts fire");
        suite(
                unit,
                BEGUN,
                "dev.engagement.local.AlertRulesTest",
                "1",
                2,
                testCase("first", promtool) + testCase("second", promtool));
        suite(
                integration,
                BEGUN,
                "dev.engagement.FaultsIT",
                "1",
                4,
                testCase("fine", "")
                        + testCase("broken", "<failure message=\"no\"/>")
                        + testCase("a", skipped("Assumption failed: not tried: x&#10;and more"))
                        + testCase("b", "<skipped/>"));

        List<String> lines = lines();
        assertThat(lines.subList(lines.indexOf("4 tests were skipped."), lines.size()))
                .containsExactly(
                        "4 tests were skipped.",
                        "For want of promtool (Debian: apt-get install prometheus) it was not shown that",
                        "  - the alerts fire",
                        "no reason given:",
                        "  - FaultsIT.b",
                        "not tried: x:",
                        "  - FaultsIT.a");
    }

    @Test
    void reports_of_an_earlier_build_and_other_files_are_left_out() throws IOException {
        suite(unit, BEGUN.minusSeconds(1), "dev.engagement.OldTest", "5", 1, "");
        Files.writeString(integration.resolve("failsafe-summary.xml"), "<failsafe-summary/>");
        assertThat(lines()).isEmpty();

        suite(unit, BEGUN, "dev.engagement.NewTest", "5", 1, "");
        assertThat(lines()).noneMatch(line -> line.contains("OldTest")).anyMatch(line -> line.contains("NewTest"));
        assertThat(TestReport.of(BEGUN, List.of(directory.resolve("none")))).isEmpty();
    }

    @Test
    void a_report_that_was_cut_short_is_named_and_the_others_are_shown() throws IOException {
        Path cut = unit.resolve("TEST-x.xml");
        Files.writeString(cut, "<testsuite name='x' time='1' tests='1'><testcase ");
        suite(integration, BEGUN, "dev.engagement.RebuildIT", "2", 3, "");
        assertThat(lines())
                .anyMatch(line -> line.startsWith("RebuildIT "))
                .last()
                .isEqualTo(cut + " is no whole report of tests; it is left out.");
    }

    private List<String> lines() throws IOException {
        return TestReport.of(BEGUN, List.of(unit, integration));
    }

    private static void suite(Path folder, Instant written, String name, String seconds, int tests, String cases)
            throws IOException {
        Path file = folder.resolve("TEST-" + name + ".xml");
        Files.writeString(file, """
                <?xml version="1.0" encoding="UTF-8"?>
                <testsuite version="3.0.2" name="%s" time="%s" tests="%d" errors="0" skipped="0" failures="0">
                  <properties><property name="os.name" value="Linux"/></properties>
                  %s
                </testsuite>
                """.formatted(name, seconds, tests, cases.replace("CLASS", name)));
        Files.setLastModifiedTime(file, FileTime.from(written));
    }

    private static String testCase(String name, String inside) {
        return "<testcase name=\"" + name + "\" classname=\"CLASS\" time=\"0.1\">" + inside + "</testcase>";
    }

    private static String skipped(String message) {
        return "<skipped message=\"" + message
                + "\" type=\"org.opentest4j.TestAbortedException\"><![CDATA[x]]></skipped>";
    }
}
