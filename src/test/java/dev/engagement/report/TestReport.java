package dev.engagement.report;

import dev.engagement.report.testing.MissingProgram;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import javax.xml.stream.XMLInputFactory;
import javax.xml.stream.XMLStreamConstants;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamReader;
import org.jspecify.annotations.Nullable;

/**
 * The slowest test classes of a build, and what its tests did not show because they were skipped, from the XML files that
 * surefire and failsafe write.
 */
public final class TestReport {

    private static final int SHOWN = 20;
    private static final String BASE = "dev.engagement.";
    private static final String JUNIT_SAYS = "Assumption failed: ";

    /** By outermost class. */
    private final Map<String, Times> classes = new TreeMap<>();
    /** Of tests that lack a program: what they would have shown, by the program and its package. */
    private final Map<String, Set<String>> unshown = new TreeMap<>();
    /** Of other skipped tests: their reasons, and which they are. */
    private final Map<String, Set<String>> otherReasons = new TreeMap<>();

    private final List<Path> unreadable = new ArrayList<>();
    private int skipped;

    private TestReport() {}

    private record Times(int tests, double seconds) {
        Times plus(Times other) {
            return new Times(tests + other.tests, seconds + other.seconds);
        }
    }

    /**
     * Prints the report.
     *
     * @param arguments when the build began, in ISO form, and the folders of the reports; files that are older, and folders
     *     that are not there, are left out
     */
    public static void main(String[] arguments) throws IOException {
        List<Path> folders = Stream.of(arguments).skip(1).map(Path::of).toList();
        of(Instant.parse(arguments[0]), folders).forEach(System.out::println);
    }

    /** The lines of the report; none if nothing was tested. */
    static List<String> of(Instant since, List<Path> folders) throws IOException {
        TestReport report = new TestReport();
        for (Path folder : folders) {
            if (Files.isDirectory(folder)) {
                try (Stream<Path> files = Files.list(folder)) {
                    for (Path file : files.sorted().toList()) {
                        if (file.getFileName().toString().matches("TEST-.+\\.xml")
                                && !Files.getLastModifiedTime(file).toInstant().isBefore(since)) {
                            report.read(file);
                        }
                    }
                }
            }
        }
        List<String> lines = new ArrayList<>();
        if (!report.classes.isEmpty()) {
            report.slowest(lines);
            report.skipped(lines);
        }
        report.unreadable.forEach(file -> lines.add(file + " is no whole report of tests; it is left out."));
        return lines;
    }

    private void read(Path file) throws IOException {
        try (InputStream input = Files.newInputStream(file)) {
            XMLStreamReader xml = XMLInputFactory.newDefaultFactory().createXMLStreamReader(input);
            String test = "";
            while (xml.hasNext()) {
                if (xml.next() == XMLStreamConstants.START_ELEMENT) {
                    switch (xml.getLocalName()) {
                        case "testsuite" -> {
                            // Seconds above a thousand have a comma.
                            double seconds =
                                    Double.parseDouble(attribute(xml, "time").replace(",", ""));
                            classes.merge(
                                    outermost(attribute(xml, "name")),
                                    new Times(Integer.parseInt(attribute(xml, "tests")), seconds),
                                    Times::plus);
                        }
                        case "testcase" -> test = outermost(attribute(xml, "classname")) + "." + attribute(xml, "name");
                        case "skipped" -> {
                            skipped++;
                            note(test, attribute(xml, "message").replaceFirst("^" + JUNIT_SAYS, ""));
                        }
                        default -> {
                            // Properties and output.
                        }
                    }
                }
            }
        } catch (XMLStreamException | NumberFormatException e) {
            // Of a fork that died.
            unreadable.add(file);
        }
    }

    private void note(String test, String reason) {
        MissingProgram.in(reason)
                .ifPresentOrElse(
                        missing -> unshown.computeIfAbsent(
                                        missing.program() + " (Debian: apt-get install " + missing.debianPackage()
                                                + ")",
                                        program -> new TreeSet<>())
                                .add(missing.toShow()),
                        () -> otherReasons
                                .computeIfAbsent(
                                        reason.isEmpty()
                                                ? "no reason given"
                                                : reason.lines().findFirst().orElseThrow(),
                                        text -> new TreeSet<>())
                                .add(test));
    }

    private void slowest(List<String> lines) {
        Times all = classes.values().stream().reduce(new Times(0, 0), Times::plus);
        List<Map.Entry<String, Times>> shown = classes.entrySet().stream()
                .sorted(Comparator.comparingDouble((Map.Entry<String, Times> each) ->
                                each.getValue().seconds())
                        .reversed())
                .limit(SHOWN)
                .toList();
        String total = "all " + classes.size() + " classes";
        int width = Stream.concat(Stream.of(total), shown.stream().map(Map.Entry::getKey))
                .mapToInt(String::length)
                .max()
                .orElseThrow();
        String row = "%-" + width + "s %6d %9.1f %6.1f %%";
        lines.add("");
        lines.add("The slowest test classes; seconds of all forks together");
        lines.add(String.format(Locale.ROOT, "%-" + width + "s %6s %9s %8s", "class", "tests", "seconds", "share"));
        for (Map.Entry<String, Times> each : shown) {
            Times times = each.getValue();
            lines.add(String.format(
                    Locale.ROOT, row, each.getKey(), times.tests, times.seconds, percent(times.seconds, all.seconds)));
        }
        lines.add(String.format(Locale.ROOT, row, total, all.tests, all.seconds, 100.0));
        lines.add("");
    }

    private void skipped(List<String> lines) {
        if (skipped == 0) {
            lines.add("No test was skipped.");
            return;
        }
        lines.add(skipped + (skipped == 1 ? " test was skipped." : " tests were skipped."));
        unshown.forEach((program, shows) -> {
            lines.add("For want of " + program + " it was not shown that");
            shows.forEach(show -> lines.add("  - " + show));
        });
        otherReasons.forEach((reason, tests) -> {
            lines.add(reason + ":");
            tests.forEach(test -> lines.add("  - " + test));
        });
    }

    private static double percent(double part, double whole) {
        return whole == 0 ? 0 : 100 * part / whole;
    }

    private static String outermost(String type) {
        String name = type.startsWith(BASE) ? type.substring(BASE.length()) : type;
        int nested = name.indexOf('$');
        return nested < 0 ? name : name.substring(0, nested);
    }

    private static String attribute(XMLStreamReader xml, String name) {
        @Nullable String value = xml.getAttributeValue(null, name);
        return value == null ? "" : value;
    }
}
