package dev.engagement.local.receiver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.event.EventId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArrivalsTest {

    @TempDir
    private Path directory;

    private Path file;

    @BeforeEach
    void name() {
        file = directory.resolve("arrivals.tsv");
    }

    private static void record(Arrivals arrivals, long id) throws IOException {
        arrivals.record(1_000 + id, "evt_" + id, List.of(EventId.of(id)));
    }

    @Test
    void a_post_is_one_line() throws Exception {
        try (Arrivals arrivals = new Arrivals(file)) {
            record(arrivals, 7);
            arrivals.record(5, "bat_x", List.of(EventId.of(1), EventId.of(-2), EventId.of("a-B_3")));
            assertThat(Files.readAllLines(file)).containsExactly("1007\tevt_7\t7", "5\tbat_x\t1,-2,\"a-B_3\"");
        }
    }

    @Test
    void a_line_that_was_cut_by_a_crash_was_never_answered_and_is_cut_off() throws Exception {
        try (Arrivals arrivals = new Arrivals(file)) {
            record(arrivals, 1);
            record(arrivals, 2);
        }
        Files.writeString(file, "1003\tevt_3\t", StandardOpenOption.APPEND);
        try (Arrivals arrivals = new Arrivals(file)) {
            assertThat(arrivals.totals()).isEqualTo(new Arrivals.Totals(2, 2, 2, 2, 0));
            record(arrivals, 4);
        }
        assertThat(Files.readAllLines(file)).containsExactly("1001\tevt_1\t1", "1002\tevt_2\t2", "1004\tevt_4\t4");
    }

    @Test
    void a_file_that_is_not_its_own_is_refused_by_the_line() throws Exception {
        Files.writeString(file, "1003\tevt_3\t3\nhello\n");
        assertThatThrownBy(() -> new Arrivals(file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("Line 2")
                .hasMessageContaining(file.toString());
        assertThat(Files.readString(file)).as("untouched").endsWith("hello\n");
    }

    @Test
    void any_page_of_any_place_is_what_was_recorded_there_before_and_after_a_restart() throws Exception {
        int count = 1_500;
        try (Arrivals arrivals = new Arrivals(file)) {
            for (long id = 1; id <= count; id++) {
                record(arrivals, id);
            }
            assertPages(arrivals, count);
        }
        try (Arrivals arrivals = new Arrivals(file)) {
            assertPages(arrivals, count);
        }
    }

    private static void assertPages(Arrivals arrivals, int count) throws IOException {
        for (long after : List.of(0L, 1L, 255L, 256L, 257L, 511L, 512L, 1_000L, 1_499L, 1_500L, 9_999L)) {
            List<Arrivals.Arrival> page = arrivals.after(after, 300);
            long[] expected = LongStream.rangeClosed(after + 1, Math.min(count, after + 300))
                    .toArray();
            assertThat(page.stream().mapToLong(Arrivals.Arrival::index)).containsExactly(box(expected));
            assertThat(page.stream().mapToLong(each -> each.eventIds().get(0).number()))
                    .containsExactly(box(expected));
        }
    }

    private static Long[] box(long[] values) {
        return LongStream.of(values).boxed().toArray(Long[]::new);
    }

    @Test
    void a_page_of_long_lines_is_bounded_and_never_empty_before_the_end() throws Exception {
        List<EventId> many = LongStream.range(1_000_000_000, 1_000_000_000 + PostBody.MAX_EVENTS)
                .mapToObj(EventId::of)
                .toList();
        try (Arrivals arrivals = new Arrivals(file)) {
            for (int i = 0; i < 10; i++) {
                arrivals.record(i, "bat_" + i, many);
            }
            int told = 0;
            while (told < 10) {
                List<Arrivals.Arrival> page = arrivals.after(told, 1_000);
                assertThat(page.size()).isBetween(1, 1 + Arrivals.PAGE_BYTES / 1_000_000);
                told += page.size();
            }
            assertThat(arrivals.totals().distinctEvents()).isEqualTo(PostBody.MAX_EVENTS);
        }
    }
}
