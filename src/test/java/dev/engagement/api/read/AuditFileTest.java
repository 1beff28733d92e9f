package dev.engagement.api.read;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AuditFileTest {

    private static final Instant FIRST = Instant.parse("2026-01-08T10:00:00Z");
    private static final Instant LATER = FIRST.plusSeconds(3_600);

    @TempDir
    private Path folder;

    private void write(String text, Instant at) throws IOException {
        Files.writeString(folder.resolve("report.json"), text);
        Files.setLastModifiedTime(folder.resolve("report.json"), FileTime.from(at));
    }

    private AuditFile file() {
        return new AuditFile(folder.resolve("report.json"));
    }

    private static String report(int missing) {
        return "{\"equal\":" + (missing == 0) + ",\"from\":\"2026-01-08T09:00:00Z\",\"to\":\"2026-01-08T10:00:00Z\","
                + "\"events\":10,\"destinations\":[{\"destination\":\"warehouse\",\"findings\":["
                + "{\"kind\":\"missing\",\"difference\":true,\"count\":" + missing + ",\"listed\":[]},"
                + "{\"kind\":\"dead letter\",\"difference\":false,\"count\":7,\"listed\":[]}]},"
                + "{\"destination\":\"delivery\",\"findings\":["
                + "{\"kind\":\"doubled\",\"difference\":true,\"count\":" + 2 * missing + ",\"listed\":[]}]}],"
                + "\"notes\":[]}\n";
    }

    @Test
    void differences_of_all_destinations_count_and_what_is_explained_does_not() throws IOException {
        write("Some wrapper says hello\n" + report(2), FIRST);

        assertThat(file().last()).isEqualTo(new AuditFile.Report(FIRST, 6));
    }

    @Test
    void the_report_before_counts_until_the_next_one_is_whole() throws IOException {
        AuditFile file = file();
        assertThat(file.last()).as("no audit yet").isNull();
        write(report(0), FIRST);
        assertThat(file.last()).isEqualTo(new AuditFile.Report(FIRST, 0));

        write("", LATER);
        assertThat(file.last()).as("one is running").isEqualTo(new AuditFile.Report(FIRST, 0));
        write("{\"equal\":tr", LATER.plusSeconds(1));
        assertThat(file.last()).as("it is being written").isEqualTo(new AuditFile.Report(FIRST, 0));
        write(report(1), LATER.plusSeconds(2));
        assertThat(file.last()).isEqualTo(new AuditFile.Report(LATER.plusSeconds(2), 3));
        Files.delete(folder.resolve("report.json"));
        assertThat(file.last()).isEqualTo(new AuditFile.Report(LATER.plusSeconds(2), 3));
    }

    @Test
    void what_is_no_report_is_none() throws IOException {
        AuditFile file = file();
        int second = 0;
        for (String text : new String[] {"no json", "[]", "{}", "{\"equal\":\"<script>\"}", "\u0000"}) {
            write(text, FIRST.plusSeconds(second++));
            assertThat(file.last()).as(text).isNull();
        }
    }
}
