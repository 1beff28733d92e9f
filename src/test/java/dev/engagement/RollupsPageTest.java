package dev.engagement;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.config.Invocation;
import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the documentation says of rollups is what is shipped, and its examples are what the job takes. */
class RollupsPageTest {

    private static final Path PAGE = Path.of("src/site/markdown/rollups.md");
    private static final Path SHOP = Path.of("src/site/resources/shop-rollups.properties");

    private static final Pattern ROW = Pattern.compile("(?m)^\\| `(\\w+)` \\|(.*)\\|(.*)\\|(.*)\\| `(\\w+)` \\|$");
    private static final Pattern COLUMN = Pattern.compile("`(\\w+)`");
    private static final Pattern EXAMPLE = Pattern.compile("```properties\n(.+?)```", Pattern.DOTALL);

    @Test
    void theTableIsWhatIsShipped() throws IOException {
        List<List<?>> told = ROW.matcher(Files.readString(PAGE))
                .results()
                .<List<?>>map(row -> List.of(
                        row.group(1), columns(row.group(2)), row.group(3).trim(), columns(row.group(4)), row.group(5)))
                .toList();
        List<List<?>> shipped = RollupDefinitions.shipped().stream()
                .<List<?>>map(each -> List.of(
                        each.name(),
                        each.eventKey().stream().map(KeyPart::column).toList(),
                        text(each.windowMillis())
                                + (each.slideMillis() == each.windowMillis() ? "" : ", " + text(each.slideMillis())),
                        each.measures().stream().map(Measure::column).toList(),
                        each.table()))
                .toList();
        assertThat(told).isEqualTo(shipped);
    }

    private static List<String> columns(String cell) {
        return COLUMN.matcher(cell).results().map(column -> column.group(1)).toList();
    }

    private static String text(long millis) {
        long seconds = millis / 1_000;
        return seconds % 3_600 == 0
                ? seconds / 3_600 + " h"
                : seconds % 60 == 0 ? seconds / 60 + " min" : seconds + " s";
    }

    @Test
    void threeLinesMakeARollup(@TempDir Path directory) throws IOException {
        List<String> examples = EXAMPLE.matcher(Files.readString(PAGE))
                .results()
                .map((MatchResult example) -> example.group(1))
                .toList();
        assertThat(examples).hasSize(1);
        Path file = Files.writeString(directory.resolve("engagement.properties"), examples.get(0));

        List<RollupDefinition> definitions = definitions(file);
        RollupDefinition own = definitions.get(definitions.size() - 1);
        assertThat(definitions).hasSize(RollupDefinitions.shippedNames().size() + 1);
        assertThat(own.columns())
                .containsExactly(
                        "window_start",
                        "device",
                        "window_end",
                        "views",
                        "viewers",
                        "unique_users_exact",
                        "skipped",
                        "version");
    }

    @Test
    void aShopHasItsTables() throws IOException {
        assertThat(definitions(SHOP))
                .extracting(RollupDefinition::table)
                .containsExactly(
                        "metrics", "product_view_window", "category_activity_window", "category_revenue_window");
        // Each comment says what its table begins with.
        Matcher tables = Pattern.compile("(?m)^# (\\w+)\\((.+), …\\)").matcher(Files.readString(SHOP));
        Map<String, List<String>> columns = definitions(SHOP).stream()
                .collect(Collectors.toMap(RollupDefinition::table, RollupDefinition::columns));
        int commented = 0;
        while (tables.find()) {
            assertThat(columns.get(tables.group(1)))
                    .startsWith(tables.group(2).split(", "))
                    .endsWith("skipped", "version");
            commented++;
        }
        assertThat(commented).isEqualTo(3);
    }

    private static List<RollupDefinition> definitions(Path file) {
        Invocation invocation = Invocation.parse(
                new String[] {
                    "stream",
                    "--config",
                    file.toString(),
                    "--destinations",
                    "rollups",
                    "--rollup.postgres.username",
                    "rollups"
                },
                Map.of());
        return ((Invocation.Run) invocation).settings().rollupDefinitions();
    }
}
