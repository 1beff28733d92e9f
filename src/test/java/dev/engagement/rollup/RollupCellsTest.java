package dev.engagement.rollup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import dev.engagement.event.RollupRow;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a job tells of that goes on from another one's state. */
class RollupCellsTest {

    private static final Duration SKEW = Duration.ofSeconds(60);
    private static final Duration DISORDER = Duration.ofSeconds(5);
    private static final long MINUTE = 60_000;
    private static final long START = 1_767_880_800_000L;

    private @Nullable RollupStage stage;

    @AfterEach
    void close() throws Exception {
        if (stage != null) {
            stage.close();
        }
    }

    private static RollupOptions measuring(String measures, Duration lateness, String... names) {
        Map<String, String> properties = new HashMap<>();
        for (String name : names) {
            properties.put(name + ".by", "content_id");
            properties.put(name + ".window", "1 min");
            properties.put(name + ".measures", measures);
        }
        return new RollupOptions(
                RollupDefinitions.parse(List.of(names), properties),
                Duration.ofSeconds(5),
                lateness,
                false,
                new PostgresConnection("jdbc:postgresql://nowhere/none", "nobody", SecretRef.none()),
                MemorySize.ofMebiBytes(64),
                SKEW,
                DISORDER);
    }

    private static RollupOptions options(Duration lateness, String... names) {
        return measuring("count", lateness, names);
    }

    private RollupStage open(RollupOptions options, RollupStage.@Nullable Saved saved) throws Exception {
        close();
        RollupStage opened = new RollupStage(options, 2, HashMapStateBackend::new, saved);
        stage = opened;
        return opened;
    }

    private static void event(RollupStage stage, long millis) throws Exception {
        stage.event(event(millis));
    }

    private static EnrichedEvent event(long millis) {
        return EngagementRule.DEFAULT.enrich(
                new EngagementEvent(
                        1,
                        "c",
                        "u",
                        "play",
                        millis * 1_000,
                        EngagementEvent.NO_DURATION,
                        null,
                        null,
                        false,
                        0,
                        new Position(0, 0, millis)),
                new Content("c", null, null, "video", null, null));
    }

    private static List<String> told(List<RollupRow> rows) {
        return rows.stream()
                .filter(RollupRow::closed)
                .map(row -> row.rollup() + " " + (row.windowStartMillis() - START) / MINUTE + " " + row.version())
                .sorted()
                .toList();
    }

    @Test
    void a_rollup_that_is_added_is_told_of_in_windows_of_which_all_has_been_seen() throws Exception {
        RollupStage before = open(options(Duration.ofMinutes(10), "old"), null);
        event(before, START + 10_000);
        assertThat(told(before.watermark(START + MINUTE))).containsExactly("old 0 1");
        event(before, START + MINUTE + 1_000);
        RollupStage.Saved saved = before.snapshot(new ArrayList<>());

        RollupStage after = open(options(Duration.ofMinutes(10), "old", "new"), saved);
        event(after, START + 20_000);
        event(after, START + MINUTE + 2_000);
        List<RollupRow> rows = new ArrayList<>(after.watermark(START + MINUTE + 10_000));
        for (int minute = 2; minute < 6; minute++) {
            event(after, START + minute * MINUTE);
        }
        rows.addAll(after.watermark(START + 6 * MINUTE));
        rows.addAll(after.wallClock(5_000));

        // Its first watermark, the disorder and the skew behind it, and then the next window.
        assertThat(told(rows))
                .containsExactly(
                        "new 3 1", "new 4 1", "new 5 1", "old 0 2", "old 1 2", "old 2 1", "old 3 1", "old 4 1",
                        "old 5 1");
        assertThat(told(open(options(Duration.ofMinutes(10), "old", "new"), after.snapshot(new ArrayList<>()))
                        .watermark(START + 7 * MINUTE)))
                .isEmpty();
    }

    @Test
    void a_rollup_that_was_left_out_for_a_while_begins_anew() throws Exception {
        RollupStage first = open(options(Duration.ofHours(1), "old", "other"), null);
        event(first, START + 1_000);
        first.watermark(START + 30_000);
        RollupStage second = open(options(Duration.ofHours(1), "old"), first.snapshot(new ArrayList<>()));
        event(second, START + 40_000);
        second.watermark(START + 41_000);

        RollupStage third = open(options(Duration.ofHours(1), "old", "other"), second.snapshot(new ArrayList<>()));
        event(third, START + 50_000);
        assertThat(told(third.watermark(START + MINUTE))).containsExactly("old 0 3");
    }

    @Test
    void a_wall_clock_ahead_of_event_time_says_from_when_on_all_has_been_seen() throws Exception {
        RollupStage before = open(options(Duration.ofHours(1), "old"), null);
        event(before, START);
        RollupStage.Saved saved = before.snapshot(new ArrayList<>());

        close();
        RollupStage after = RollupStage.at(
                START + 30 * MINUTE, options(Duration.ofHours(1), "new"), 2, HashMapStateBackend::new, saved);
        stage = after;
        // Of a partition that was half an hour behind.
        event(after, START);
        after.watermark(START);
        for (int minute = 0; minute < 34; minute++) {
            event(after, START + minute * MINUTE);
        }
        assertThat(told(after.watermark(START + 34 * MINUTE))).containsExactly("new 31 1", "new 32 1", "new 33 1");
    }

    @Test
    void a_savepoint_that_drained_the_job_does_not_end_time() throws Exception {
        RollupStage before = open(options(Duration.ofHours(1), "old"), null);
        event(before, START);
        before.watermark(START + 10_000);
        assertThat(told(before.watermark(Watermark.MAX_WATERMARK.getTimestamp())))
                .containsExactly("old 0 1");

        RollupStage after = open(options(Duration.ofHours(1), "old"), before.snapshot(new ArrayList<>()));
        event(after, START + 20_000);
        assertThat(told(after.watermark(START + MINUTE))).containsExactly("old 0 2");
    }

    @Test
    void what_was_forgotten_does_not_begin_anew_when_more_lateness_is_allowed() throws Exception {
        RollupStage before = open(options(Duration.ofMinutes(1), "old"), null);
        event(before, START);
        before.watermark(START + 10 * MINUTE);

        RollupStage after = open(options(Duration.ofHours(1), "old"), before.snapshot(new ArrayList<>()));
        event(after, START + 1_000);
        event(after, START + 9 * MINUTE);
        List<RollupRow> rows = new ArrayList<>(after.watermark(START + 11 * MINUTE));
        rows.addAll(after.wallClock(5_000));
        assertThat(told(rows)).containsExactly("old 9 1");
    }

    @Test
    void a_definition_that_has_changed_is_refused() throws Exception {
        RollupStage before = open(options(Duration.ofHours(1), "old"), null);
        RollupStage.Saved saved = before.snapshot(new ArrayList<>());

        assertThatThrownBy(() -> open(measuring("count,users=unique(user_id)", Duration.ofHours(1), "old"), saved))
                .hasMessageContaining("The rollup old was defined as")
                .hasMessageContaining("Give the new definition a new name and table");
    }
}
