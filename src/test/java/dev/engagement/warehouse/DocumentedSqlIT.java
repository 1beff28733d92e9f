package dev.engagement.warehouse;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import dev.engagement.local.bigquery.BigQueryEmulator;
import dev.engagement.warehouse.testing.LocalWarehouse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The documentation's queries, which run as they stand there, on a table as the job makes it. */
class DocumentedSqlIT {

    private static final String PROJECT = "local";
    private static final Path PAGE = Path.of("src/site/markdown/warehouse.md");
    private static final Pattern BLOCK = Pattern.compile("```sql\n-- ([^\n]+)\n(.+?)```", Pattern.DOTALL);

    /** By the comment that each begins with. */
    private static final Map<String, String> ANSWERS = new LinkedHashMap<>();

    static {
        ANSWERS.put("one half-hour; reads one partition", "video,3,2,90");
        ANSWERS.put("the half-hours of a day", "1.7678808E9,2,330 | 1.7678826E9,3,90");
        ANSWERS.put("where people spent their time, under the newest title", "salt,Salt!,330 | owls,Owls,90");
        ANSWERS.put("how far people get", "podcast,0.55,1.0 | video,0.75,0.0");
        ANSWERS.put("people by day", "2026-01-08,3 | 2026-01-09,1");
        ANSWERS.put("what the payload says", "8.2,5 | null,1");
        ANSWERS.put("is anything there twice?", "6,0");
    }

    private static BigQueryEmulator bigQuery;

    @BeforeAll
    static void start(@TempDir Path directory) throws Exception {
        bigQuery = BigQueryEmulator.start(directory, 0, 0);
        WarehouseOptions options =
                LocalWarehouse.options(bigQuery.rest(), "http://" + bigQuery.grpc(), "engagement_events", true);
        Warehouse.prepare(options);
        Content salt = new Content("salt", "salt", "Salt", "podcast", 300, null);
        Content retitled = new Content("salt", "salt", "Salt!", "podcast", 300, null);
        Content owls = new Content("owls", "owls", "Owls", "video", 60, null);
        WrittenRows.write(
                options,
                List.of(
                        event(1, salt, "ann", "play", "2026-01-08T14:05:00Z", 30_000),
                        event(2, retitled, "ann", "finish", "2026-01-08T14:10:00Z", 300_000),
                        event(3, owls, "bob", "play", "2026-01-08T14:31:00Z", 30_000),
                        event(4, owls, "cid", "play", "2026-01-08T14:59:59.999Z", 60_000),
                        event(5, owls, "bob", "click", "2026-01-08T14:30:00Z", EngagementEvent.NO_DURATION),
                        event(6, salt, "bob", "play", "2026-01-09T00:00:00Z", 15_000)));
    }

    private static EnrichedEvent event(
            long id, Content content, String user, String type, String time, int durationMs) {
        Instant at = Instant.parse(time);
        return EngagementRule.DEFAULT.enrich(
                new EngagementEvent(
                        id,
                        content.id(),
                        user,
                        type,
                        at.toEpochMilli() * 1_000,
                        durationMs,
                        "web",
                        id == 5 ? null : "{\"app\": \"8.2\"}",
                        false,
                        at.toEpochMilli(),
                        new Position(0, id, at.toEpochMilli())),
                content);
    }

    @AfterAll
    static void stop() {
        bigQuery.close();
    }

    static Stream<Arguments> blocks() throws Exception {
        Matcher blocks = BLOCK.matcher(Files.readString(PAGE));
        Stream.Builder<Arguments> found = Stream.builder();
        while (blocks.find()) {
            found.add(Arguments.of(blocks.group(1), blocks.group(2)));
        }
        return found.build();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("blocks")
    void a_query_of_the_readme_answers_its_question(String question, String sql) {
        String answer = bigQuery.query(PROJECT, sql).stream()
                .map(row -> row.stream().map(String::valueOf).collect(Collectors.joining(",")))
                .collect(Collectors.joining(" | "));

        assertThat(answer).isEqualTo(ANSWERS.get(question));
    }

    @Test
    void each_query_of_the_readme_is_among_them() throws Exception {
        long blocks = Pattern.compile("```sql")
                .matcher(Files.readString(PAGE))
                .results()
                .count();

        assertThat(blocks().map(block -> (String) block.get()[0]))
                .containsExactlyInAnyOrderElementsOf(ANSWERS.keySet());
        assertThat(blocks).isEqualTo(ANSWERS.size());
    }
}
