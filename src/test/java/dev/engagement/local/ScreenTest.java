package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.local.ScreenState.Circuit;
import dev.engagement.local.ScreenState.Delivery;
import dev.engagement.local.ScreenState.Flow;
import dev.engagement.local.ScreenState.Job;
import dev.engagement.local.ScreenState.Leaderboards;
import dev.engagement.local.ScreenState.Place;
import dev.engagement.local.ScreenState.Ranked;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ScreenTest {

    private static final ScreenState BUSY = new ScreenState(
            Duration.ofSeconds(3_723),
            List.of(new Job("capture", "RUNNING"), new Job("stream", "RUNNING")),
            new Flow(20_000L, 500.4),
            new Flow(19_980L, 498.0),
            new Flow(19_500L, 496.0),
            new Delivery(new Flow(19_970L, 497.0), 1_234L, 5_678L, 0L, Circuit.HALF_OPEN),
            0L,
            3L,
            23.4,
            81.0,
            new Leaderboards(
                    2_104.0,
                    List.of(
                            new Ranked("The Secret Life of Bees", 1_234),
                            new Ranked("日本の庭, Explained", 900),
                            new Ranked("Ten Minutes with Moss", 1)),
                    List.of(new Ranked("日本の庭, Explained", 12_345.678), new Ranked("Salt after Dark", 0))),
            List.of(new Place("Redis", "redis-cli -p 6379")),
            List.of());

    private static final ScreenState JUST_STARTED = new ScreenState(
            Duration.ZERO,
            List.of(),
            new Flow(null, null),
            new Flow(null, null),
            new Flow(null, null),
            new Delivery(new Flow(null, null), null, null, null, null),
            null,
            null,
            null,
            null,
            new Leaderboards(null, List.of(), List.of()),
            List.of(),
            List.of());

    @Test
    void everythingIsOnTheScreen() {
        assertThat(String.join("\n", Screen.render(BUSY, 82, 40, false))).isEqualTo("""
                        Engagement pipeline, local stack                                 running 01:02:03
                          capture         RUNNING
                          stream          RUNNING

                          events in               20,000         500/s
                          events in Redis         19,980         498/s
                          rows in BigQuery        19,500         496/s
                          events delivered        19,970         497/s
                          in retry topic           1,234 5,678 diverted  circuit half open, 0 dead
                          commit to Redis      23 ms p50     81 ms p99
                          dead letters                 0  3 duplicates
                          leaderboards      2,104 ms old

                          LAST 10 MIN, BY EVENTS                  LAST 10 MIN, BY ENGAGEMENT
                           1  The Secret Life of Bees 1,234 ████   1  日本の庭, Explained  12,346 s ████
                           2  日本の庭, Explained       900 ██▉    2  Salt after Dark           0 s
                           3  Ten Minutes with Moss       1 ▏

                          Redis       redis-cli -p 6379
                          Ctrl-C stops everything.""");
    }

    @Test
    void whatIsUnknownIsADash() {
        assertThat(Screen.render(JUST_STARTED, 80, 40, false))
                .contains(
                        "  events in                    -           -/s",
                        "  dead letters                 -  - duplicates",
                        "  in retry topic               -    - diverted  circuit -, - dead")
                .contains("  nothing yet                            nothing yet");
        assertThat(Screen.line(JUST_STARTED))
                .isEqualTo("00:00:00  in - (-/s)  in Redis - (-/s)  in BigQuery - (-/s)  delivered - (-/s)"
                        + "  in retry topic -  diverted -  undeliverable -  circuit -  dead letters -  duplicates -"
                        + "  commit to Redis p50 - p99 -");
    }

    @Test
    void aPipeGetsOneLineWithoutColour() {
        assertThat(Screen.line(BUSY))
                .isEqualTo(
                        "01:02:03  in 20,000 (500/s)  in Redis 19,980 (498/s)  in BigQuery 19,500 (496/s)"
                                + "  delivered 19,970 (497/s)  in retry topic 1,234  diverted 5,678  undeliverable 0"
                                + "  circuit half open  dead letters 0  duplicates 3"
                                + "  commit to Redis p50 23 ms p99 81 ms"
                                + "  top \"The Secret Life of Bees\" 1,234, \"日本の庭, Explained\" 900, \"Ten Minutes with Moss\" 1");
    }

    @Test
    void noLineIsWiderAndNoScreenHigherThanTheTerminal() {
        ScreenState full = withPlaces(IntStream.range(0, 50)
                .mapToObj(i -> new Ranked("日本".repeat(60), 1e7 * i))
                .toList());
        for (int width : List.of(41, 60, 80, 200)) {
            for (int height : List.of(18, 24, 50)) {
                List<String> lines = Screen.render(full, width, height, false);
                assertThat(lines)
                        .allSatisfy(line -> assertThat(Screen.columns(line)).isLessThan(width));
                assertThat(lines.size()).isLessThan(height);
            }
        }
    }

    @Test
    void onANarrowTerminalTheLeaderboardsStandBelowEachOther() {
        List<String> lines = Screen.render(BUSY, 50, 40, false);
        assertThat(String.join("\n", lines.subList(13, 20)))
                .isEqualTo("""
                        LAST 10 MIN, BY EVENTS
                         1  The Secret Life of Bees         1,234 █████
                         2  日本の庭, Explained               900 ███▋
                         3  Ten Minutes with Moss               1 ▏
                        LAST 10 MIN, BY ENGAGEMENT
                         1  日本の庭, Explained          12,346 s █████
                         2  Salt after Dark                   0 s""".indent(2).stripTrailing());
        ScreenState full = withPlaces(IntStream.range(0, 10)
                .mapToObj(i -> new Ranked("content " + i, 10 - i))
                .toList());
        assertThat(Screen.render(full, 50, 24, false))
                .filteredOn(line -> line.contains("content 0"))
                .hasSize(2);
    }

    @Test
    void colourOnlyWhereItIsWanted() {
        List<String> coloured = Screen.render(BUSY, 80, 40, true);
        assertThat(coloured).anyMatch(line -> line.contains("\033[36m████\033[0m"));
        assertThat(coloured.stream()
                        .map(line -> line.replaceAll("\033\\[[0-9;]*m", "").stripTrailing()))
                .isEqualTo(Screen.render(BUSY, 80, 40, false));
        assertThat(Screen.render(BUSY, 80, 40, false)).noneMatch(line -> line.contains("\033["));
    }

    @Test
    void aTitleCannotCommandTheTerminal() {
        ScreenState evil = withPlaces(List.of(new Ranked("bell\007 \033[2Jgone", 1)));
        assertThat(Screen.render(evil, 80, 40, false)).noneMatch(line -> line.contains("\033"));
        assertThat(Screen.line(evil)).contains("\"bell   [2Jgone\" 1");
    }

    @Test
    void onATerminalTheNextPaintBeginsWhereTheLastBegan() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Terminal terminal = new Terminal(new PrintStream(bytes, true, StandardCharsets.UTF_8), true);
        terminal.paint(List.of("one", "two"));
        bytes.reset();
        terminal.paint(List.of("three"));
        assertThat(bytes.toString(StandardCharsets.UTF_8)).isEqualTo("\033[?25l\033[2A\rthree\033[K\n\033[J");
        bytes.reset();
        terminal.say("said");
        assertThat(bytes.toString(StandardCharsets.UTF_8)).isEqualTo("\033[1A\r\033[Jsaid\n");
    }

    @Test
    void rateIsTheChangeOverTheLastSeconds() {
        Figures.Rate rate = new Figures.Rate(Duration.ofSeconds(5));
        assertThat(rate.update(100L, 0)).isNull();
        assertThat(rate.update(150L, 1_000_000_000L)).isEqualTo(50);
        assertThat(rate.update(150L, 2_000_000_000L)).isEqualTo(25);
        assertThat(rate.update(null, 3_000_000_000L)).isNull();
        assertThat(rate.update(10L, 4_000_000_000L)).isNull();
        for (long second = 5; second < 30; second++) {
            rate.update(10L, second * 1_000_000_000L);
        }
        assertThat(rate.update(10L, 30_000_000_000L)).isZero();
    }

    private static ScreenState withPlaces(List<Ranked> places) {
        return new ScreenState(
                BUSY.uptime(),
                BUSY.jobs(),
                BUSY.in(),
                BUSY.out(),
                BUSY.warehouse(),
                BUSY.delivery(),
                BUSY.deadLetters(),
                BUSY.duplicates(),
                BUSY.p50Millis(),
                BUSY.p99Millis(),
                new Leaderboards(1.0, places, places),
                BUSY.places(),
                BUSY.notes());
    }
}
