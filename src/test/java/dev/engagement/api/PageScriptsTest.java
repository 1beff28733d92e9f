package dev.engagement.api;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.report.testing.Programs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Runs the tests of the page's modules, which are in its own language. */
class PageScriptsTest {

    private static final Path TESTS = Path.of("src/test/js");

    @Test
    void the_tests_of_the_pages_modules_pass() throws Exception {
        Programs.need("node", "nodejs", "the page's modules do what they should");
        List<String> command = new ArrayList<>(List.of("node", "--test"));
        command.addAll(files());

        Programs.Ended ended = Programs.run(Path.of("."), Map.of("NO_COLOR", "1"), command);

        assertThat(ended.code()).as(ended.text()).isZero();
        assertThat(ended.text()).containsPattern("# pass [1-9][0-9]+");
    }

    private static List<String> files() throws IOException {
        try (Stream<Path> all = Files.list(TESTS)) {
            return all.map(Path::toString)
                    .filter(name -> name.endsWith(".test.mjs"))
                    .sorted()
                    .toList();
        }
    }
}
