package dev.engagement.rollup.definition;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;
import org.jspecify.annotations.Nullable;

class RollupDefinitionsProperties {

    @Property(tries = 300)
    void a_definition_is_read_as_it_was_written(@ForAll long seed) {
        RollupDefinition definition = random(new Random(seed), "mine");

        assertThat(RollupDefinitions.parse(List.of("mine"), written(definition)))
                .containsExactly(definition);
    }

    @Property(tries = 300)
    void fingerprints_are_equal_if_what_is_computed_is(
            @ForAll long seed, @ForAll long otherSeed, @ForAll boolean same) {
        RollupDefinition one = random(new Random(seed), "one");
        RollupDefinition two = random(new Random(same ? seed : otherSeed), "two");

        boolean computesTheSame = one.by().equals(two.by())
                && Objects.equals(one.where(), two.where())
                && one.windowMillis() == two.windowMillis()
                && one.slideMillis() == two.slideMillis()
                && one.measures().equals(two.measures());
        assertThat(one.fingerprint().equals(two.fingerprint())).isEqualTo(computesTheSame);
    }

    @Property(tries = 300)
    void windows_are_whole_panes_and_a_column_has_one_meaning(@ForAll long seed) {
        RollupDefinition definition = random(new Random(seed), "mine");

        assertThat(definition.windowMillis() % definition.paneMillis()).isZero();
        assertThat(definition.slideMillis() % definition.paneMillis()).isZero();
        assertThat(definition.columns())
                .doesNotHaveDuplicates()
                .startsWith(definition.keyColumns().toArray(String[]::new))
                .endsWith("skipped", "version");
        assertThat(Duration.parse("PT" + inSeconds(definition.windowSizeText()) + "S"))
                .isEqualTo(Duration.ofMillis(definition.windowMillis()));
    }

    /** Whatever stands there: it is a definition, or refused with its key. */
    @Property(tries = 500)
    void nothing_but_a_refusal_comes_of_nonsense(
            @ForAll @Size(max = 8)
                    Map<
                                    @StringLength(min = 1, max = 12)
                                    @Chars({'b', 'y', 'w', 'h', 'e', 'r', 'i', 'n', 'd', 'o', '.', '_'}) String,
                                    @StringLength(max = 20)
                                    @Chars({'a', 'c', '=', ',', '(', ')', '|', '.', ' ', '>', '1', '\'', 'é', '\0'})
                                    String>
                            properties,
            @ForAll
                    @StringLength(max = 30)
                    @Chars({'c', 'o', 'u', 'n', 't', '=', ',', '(', ')', '|', '.', ' ', '_', '>'})
                    String measures,
            @ForAll @StringLength(max = 30) String by) {
        Map<String, String> all = new LinkedHashMap<>(properties);
        all.put("mine.window", "1 min");
        all.put("mine.measures", measures);
        all.put("mine.by", by);

        try {
            assertThat(RollupDefinitions.parse(List.of("mine"), all)).hasSize(1);
        } catch (RefusedRollupsException e) {
            assertThat(e.problems()).isNotEmpty().allSatisfy(problem -> assertThat(problem)
                    .startsWith("rollup"));
        }
    }

    private static long inSeconds(String size) {
        long number = Long.parseLong(size.substring(0, size.length() - 1));
        return switch (size.charAt(size.length() - 1)) {
            case 's' -> number;
            case 'm' -> number * 60;
            case 'h' -> number * 3_600;
            default -> number * 86_400;
        };
    }

    private static Map<String, String> written(RollupDefinition definition) {
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put("by", definition.by().stream().map(KeyPart::text).collect(Collectors.joining(" , ")));
        Filter where = definition.where();
        properties.put("where", where == null ? "" : where.text());
        properties.put("window", definition.windowMillis() + "ms");
        properties.put("slide", definition.slideMillis() / 1_000 + " s");
        properties.put(
                "measures", definition.measures().stream().map(Measure::text).collect(Collectors.joining(",")));
        properties.put("table", definition.table());
        properties.put("retention", definition.retention().toString());
        properties.put("live", String.valueOf(definition.live()));
        Map<String, String> named = new LinkedHashMap<>();
        properties.forEach((property, text) -> named.put(definition.name() + "." + property, text));
        return named;
    }

    private static RollupDefinition random(Random random, String name) {
        List<KeyPart> by = new ArrayList<>();
        if (random.nextBoolean()) {
            by.add(new KeyPart("window_size", KeyPart.Source.WINDOW_SIZE, null));
        }
        List<KeyPart.Source> sources = new ArrayList<>(List.of(
                KeyPart.Source.EVENT_TYPE,
                KeyPart.Source.CONTENT_ID,
                KeyPart.Source.CONTENT_TYPE,
                KeyPart.Source.DEVICE,
                KeyPart.Source.PAYLOAD));
        int parts = random.nextInt(4);
        for (int i = 0; i < parts; i++) {
            KeyPart.Source source = sources.remove(random.nextInt(sources.size()));
            String field = source == KeyPart.Source.PAYLOAD ? field(random) : null;
            by.add(new KeyPart(
                    random.nextBoolean() ? "k" + i : field == null ? source.word() : "a" + field, source, field));
        }
        long slide = 1L + random.nextInt(20);
        long window = slide * (1 + random.nextInt(100));
        List<Measure.Function> functions = List.of(Measure.Function.values());
        List<Measure> measures = new ArrayList<>();
        int count = 1 + random.nextInt(4);
        for (int i = 0; i < count; i++) {
            Measure.Function function = functions.get(random.nextInt(functions.size()));
            measures.add(new Measure(
                    "m" + i,
                    function,
                    function.takesField() ? field(random) : null,
                    function.takesCondition() ? condition(random) : null));
        }
        return new RollupDefinition(
                name,
                by,
                filter(random),
                window * 1_000,
                slide * 1_000,
                measures,
                "t" + random.nextInt(3),
                Duration.ofSeconds(window + 3_600 + random.nextInt(1_000)),
                random.nextBoolean());
    }

    private static @Nullable Filter filter(Random random) {
        Set<String> types = eventTypes(random, random.nextInt(3));
        Set<String> fields = fields(random, random.nextInt(3));
        return types.isEmpty() && fields.isEmpty() ? null : new Filter(types, fields);
    }

    private static Condition condition(Random random) {
        return random.nextBoolean()
                ? new Condition.EventTypeIn(eventTypes(random, 1 + random.nextInt(3)))
                : new Condition.PctAtLeast(BigDecimal.valueOf(1_000 + random.nextInt(999_001), 3));
    }

    private static Set<String> eventTypes(Random random, int count) {
        return some(random, count, List.of("play", "pause", "finish", "product.view", "a-b", "größer", "x:y"));
    }

    private static Set<String> fields(Random random, int count) {
        return some(random, count, List.of("value", "price", "product_id", "x9", "Größe", "a-b"));
    }

    private static Set<String> some(Random random, int count, List<String> of) {
        Set<String> some = new LinkedHashSet<>();
        while (some.size() < count) {
            some.add(of.get(random.nextInt(of.size())));
        }
        return some;
    }

    private static String field(Random random) {
        return List.of("value", "price", "product_id", "x9").get(random.nextInt(4));
    }
}
