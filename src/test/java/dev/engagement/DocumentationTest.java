package dev.engagement;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The documentation leads where it says, and names only what there is. */
class DocumentationTest {

    private static final Path README = Path.of("README.md");
    private static final Path PAGES = Path.of("src/site/markdown");
    private static final int FRONT_PAGE_LINES = 150;

    private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");
    private static final Pattern HEADING = Pattern.compile("^#{1,6} (.*)$");
    private static final Pattern TESTS = Pattern.compile("-D(?:it\\.)?test=('[^']*'|[\\w*,#]+)");
    private static final Pattern SCRIPT = Pattern.compile("(?<![\\w./])scripts/[\\w./-]+\\.sh");

    @Test
    void the_front_page_is_short() throws IOException {
        assertThat(Files.readAllLines(README)).hasSizeLessThanOrEqualTo(FRONT_PAGE_LINES);
    }

    @Test
    void the_front_page_leads_to_the_index_and_that_to_every_page() throws IOException {
        Path index = PAGES.resolve("index.md");
        Set<Path> linked = links(index).stream()
                .map(link -> PAGES.resolve(link.split("#", 2)[0]))
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(links(README)).contains(index.toString());
        linked.add(index);
        assertThat(linked).containsAll(pages());
    }

    @Test
    void every_link_leads_to_a_file_and_every_anchor_to_a_heading() throws IOException {
        List<String> broken = new ArrayList<>();
        for (Path page : all()) {
            for (String link : links(page)) {
                String[] parts = link.split("#", 2);
                Path target = parts[0].isEmpty() ? page : page.resolveSibling(parts[0]);
                if (!Files.exists(target)
                        || parts.length == 2 && !anchors(target).contains(parts[1])) {
                    broken.add(page + ": " + link);
                }
            }
        }

        assertThat(broken).isEmpty();
    }

    @Test
    void every_test_and_script_of_a_command_is_there() throws IOException {
        Set<String> classes;
        try (Stream<Path> files = Files.walk(Path.of("src/test/java"))) {
            classes = files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(".java"))
                    .map(name -> name.substring(0, name.length() - ".java".length()))
                    .collect(Collectors.toSet());
        }
        List<String> missing = new ArrayList<>();
        for (Path page : all()) {
            String text = Files.readString(page);
            Matcher tests = TESTS.matcher(text);
            while (tests.find()) {
                for (String name : tests.group(1).replace("'", "").split(",")) {
                    String pattern = Pattern.quote(name.replaceFirst("#.*", "")).replace("*", "\\E.*\\Q");
                    if (!name.equals("none") && classes.stream().noneMatch(each -> each.matches(pattern))) {
                        missing.add(page + ": " + name);
                    }
                }
            }
            Matcher scripts = SCRIPT.matcher(text);
            while (scripts.find()) {
                if (!Files.isExecutable(Path.of(scripts.group()))) {
                    missing.add(page + ": " + scripts.group());
                }
            }
        }

        assertThat(missing).isEmpty();
    }

    private static List<Path> pages() throws IOException {
        try (Stream<Path> files = Files.list(PAGES)) {
            return files.filter(file -> file.toString().endsWith(".md"))
                    .sorted()
                    .toList();
        }
    }

    private static List<Path> all() throws IOException {
        List<Path> all = new ArrayList<>(List.of(README, Path.of("CONTRIBUTING.md")));
        all.addAll(pages());
        return all;
    }

    /** Those within the checkout. */
    private static List<String> links(Path page) throws IOException {
        List<String> links = new ArrayList<>();
        for (String line : prose(page)) {
            Matcher link = LINK.matcher(line);
            while (link.find()) {
                if (!link.group(1).contains("://")) {
                    links.add(link.group(1));
                }
            }
        }
        return links;
    }

    /** As GitHub makes them of headings. */
    private static Set<String> anchors(Path page) throws IOException {
        Set<String> anchors = new TreeSet<>();
        for (String line : prose(page)) {
            Matcher heading = HEADING.matcher(line);
            if (heading.matches()) {
                anchors.add(heading.group(1)
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\p{L}\\p{N} _-]", "")
                        .replace(' ', '-'));
            }
        }
        return anchors;
    }

    /** The lines that are not within a block of code. */
    private static List<String> prose(Path page) throws IOException {
        List<String> lines = new ArrayList<>();
        boolean code = false;
        for (String line : Files.readAllLines(page)) {
            if (line.startsWith("```")) {
                code = !code;
            } else if (!code) {
                lines.add(line);
            }
        }
        return lines;
    }
}
