package dev.engagement.rollup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import dev.engagement.event.RollupRow;
import dev.engagement.event.Samples;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiPredicate;
import java.util.function.Function;
import java.util.function.Supplier;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.contrib.streaming.state.EmbeddedRocksDBStateBackend;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.jspecify.annotations.Nullable;

/** The whole stage against a list of all events, on random streams, definitions, restarts and parallelisms. */
class RollupProperties {

    @Property(tries = 60, shrinking = ShrinkingMode.OFF)
    void every_row_equals_the_oracles_on_the_heap(@ForAll long seed) throws Exception {
        new Run(new Random(seed), HashMapStateBackend::new, 500).everyRowEquals();
    }

    @Property(tries = 4, shrinking = ShrinkingMode.OFF)
    void every_row_equals_the_oracles_on_rocksdb(@ForAll long seed) throws Exception {
        new Run(new Random(seed), EmbeddedRocksDBStateBackend::new, 250).everyRowEquals();
    }

    /** A number in a payload: as JSON, and what it counts as. */
    private record Value(String json, @Nullable BigDecimal number) {
        static Value of(String json, String number) {
            return new Value(json, new BigDecimal(number));
        }
    }

    private static final List<Value> VALUES = List.of(
            Value.of("3", "3"),
            Value.of("0", "0"),
            Value.of("-7.25", "-7.25"),
            Value.of("12.5000", "12.5"),
            Value.of("\"12.50\"", "12.5"),
            Value.of("1e3", "1000"),
            Value.of("0.000000000000000001", "0.000000000000000001"),
            Value.of("99999999999999999999", "99999999999999999999"),
            Value.of("999999999.999999", "999999999.999999"),
            new Value("1e400", null),
            new Value("1" + "0".repeat(400), null),
            new Value("100000000000000000000", null),
            new Value("0.0000000000000000001", null),
            new Value("1e-2000000000", null),
            new Value("\"1e3\"", null),
            new Value("\" 1\"", null),
            new Value("\"\"", null),
            new Value("null", null),
            new Value("true", null),
            new Value("{\"value\":5}", null),
            new Value("[5]", null));

    /** One event as the oracle sees it. */
    private record Fact(
            @Nullable String type,
            String content,
            String contentType,
            @Nullable String device,
            @Nullable String user,
            long micros,
            int durationMs,
            @Nullable Integer length,
            @Nullable Value value,
            @Nullable String product) {

        boolean reaches(int percent) {
            return durationMs >= 0
                    && length != null
                    && length > 0
                    && BigDecimal.valueOf(durationMs)
                                    .multiply(BigDecimal.valueOf(100))
                                    .compareTo(BigDecimal.valueOf(length)
                                            .multiply(BigDecimal.valueOf(1_000))
                                            .multiply(BigDecimal.valueOf(percent)))
                            >= 0;
        }

        EnrichedEvent event(long kafkaMillis) {
            List<String> fields = new ArrayList<>();
            if (value != null) {
                // The last one of a name counts.
                fields.add("\"value\":77");
                fields.add("\"v\\u0061lue\":" + value.json());
            }
            if (product != null) {
                fields.add("\"product\":\"" + product + "\"");
            }
            return EngagementRule.DEFAULT.enrich(
                    new EngagementEvent(
                            1,
                            content,
                            user,
                            type,
                            micros,
                            durationMs,
                            device,
                            fields.isEmpty() ? null : "{" + String.join(",", fields) + "}",
                            false,
                            0,
                            new Position(0, 0, kafkaMillis)),
                    new Content(content, null, null, contentType, length, null));
        }
    }

    /** A rollup as its definition has it, and as the oracle computes it. */
    private record Kind(
            String by,
            @Nullable String where,
            String measures,
            Function<Fact, List<String>> key,
            BiPredicate<Fact, Kind> accepts,
            Function<List<Fact>, List<@Nullable BigDecimal>> values,
            Function<Fact, Integer> skipped) {}

    private static String text(@Nullable String text) {
        return Objects.requireNonNullElse(text, "");
    }

    private static BigDecimal count(long number) {
        return BigDecimal.valueOf(number);
    }

    private static List<BigDecimal> numbers(List<Fact> facts) {
        List<BigDecimal> numbers = new ArrayList<>();
        for (Fact fact : facts) {
            if (fact.value() != null && fact.value().number() != null) {
                numbers.add(fact.value().number());
            }
        }
        return numbers;
    }

    private static int unusable(Fact fact) {
        return fact.value() == null || fact.value().number() == null ? 1 : 0;
    }

    private static BigDecimal users(List<Fact> facts) {
        Set<String> users = new HashSet<>();
        facts.forEach(fact -> {
            if (fact.user() != null) {
                users.add(fact.user());
            }
        });
        return count(users.size());
    }

    private static final List<Kind> KINDS = List.of(
            new Kind(
                    "window_size,event_type",
                    null,
                    "count,total=sum(raw_payload.value),users=unique(user_id)",
                    fact -> List.of(text(fact.type())),
                    (fact, kind) -> true,
                    facts -> List.of(
                            count(facts.size()),
                            numbers(facts).stream().reduce(BigDecimal.ZERO, BigDecimal::add),
                            users(facts)),
                    RollupProperties::unusable),
            new Kind(
                    "content_id",
                    "play",
                    "n=count,least=min(raw_payload.value),greatest=max(raw_payload.value)",
                    fact -> List.of(fact.content()),
                    (fact, kind) -> "play".equals(fact.type()),
                    facts -> Arrays.asList(
                            count(facts.size()),
                            numbers(facts).stream().min(BigDecimal::compareTo).orElse(null),
                            numbers(facts).stream().max(BigDecimal::compareTo).orElse(null)),
                    fact -> 2 * unusable(fact)),
            new Kind(
                    "",
                    null,
                    "half=count_if(engagement_pct >= 50),seconds=sum_seconds",
                    fact -> List.of(),
                    (fact, kind) -> true,
                    facts -> List.of(
                            count(facts.stream()
                                    .filter(fact -> fact.reaches(50))
                                    .count()),
                            BigDecimal.valueOf(
                                    facts.stream()
                                            .filter(fact -> fact.durationMs() >= 0)
                                            .mapToLong(Fact::durationMs)
                                            .sum(),
                                    3)),
                    fact -> 0),
            new Kind(
                    "raw_payload.product",
                    "raw_payload.product",
                    "count",
                    fact -> List.of(text(fact.product())),
                    (fact, kind) -> fact.product() != null,
                    facts -> List.of(count(facts.size())),
                    fact -> 0),
            new Kind(
                    "category=content_type,device",
                    null,
                    "count,finished=unique_if(event_type = finish)",
                    fact -> List.of(fact.contentType(), text(fact.device())),
                    (fact, kind) -> true,
                    facts -> List.of(
                            count(facts.size()),
                            users(facts.stream()
                                    .filter(fact -> "finish".equals(fact.type()))
                                    .toList())),
                    fact -> 0));

    /** A rollup of this run. */
    private record Rollup(String name, Kind kind, long windowMillis, long slideMillis) {}

    private record CellId(String rollup, long windowStart, List<String> key) {}

    private record Cell(List<@Nullable BigDecimal> values, boolean exact, long skipped, long version) {}

    private static final class Run {
        private static final Duration SKEW = Duration.ofSeconds(60);

        private final Random random;
        private final Supplier<StateBackend> backend;
        private final int steps;
        private final List<Rollup> rollups = new ArrayList<>();
        private final RollupOptions options;
        private final long latenessMillis;
        private final Map<Rollup, Map<CellId, List<Fact>>> facts = new HashMap<>();
        private final Map<CellId, RollupRow> table = new HashMap<>();
        private RollupStage stage;
        private long nowEvent = Samples.BASE_MICROS / 1_000;
        private long wallClock = nowEvent;
        private long watermark = Long.MIN_VALUE;

        Run(Random random, Supplier<StateBackend> backend, int steps) throws Exception {
            this.random = random;
            this.backend = backend;
            this.steps = steps;
            long unit = 1_000L * (1 + random.nextInt(10));
            Map<String, String> properties = new HashMap<>();
            int number = 1 + random.nextInt(KINDS.size());
            for (int i = 0; i < number; i++) {
                Kind kind = KINDS.get(random.nextInt(KINDS.size()));
                String name = "r" + i;
                long slide = unit * (1 + random.nextInt(4));
                long window = slide * (1 + random.nextInt(4));
                rollups.add(new Rollup(name, kind, window, slide));
                properties.put(name + ".by", kind.by());
                if (kind.where() != null) {
                    properties.put(name + ".where", kind.where());
                }
                properties.put(name + ".measures", kind.measures());
                properties.put(name + ".window", window + " ms");
                properties.put(name + ".slide", slide + " ms");
                properties.put(name + ".table", "table_" + i);
                // Two of one kind and window would be one key of Redis; those that are not live have no early rows.
                properties.put(name + ".live", Boolean.toString(i == 0));
            }
            // Of whole units, as the windows: what is late then does not depend on when partials leave.
            latenessMillis = unit * random.nextInt(20);
            options = new RollupOptions(
                    RollupDefinitions.parse(rollups.stream().map(Rollup::name).toList(), properties),
                    Duration.ofSeconds(5),
                    Duration.ofMillis(latenessMillis),
                    random.nextBoolean(),
                    new PostgresConnection("jdbc:postgresql://nowhere/none", "nobody", SecretRef.none()),
                    MemorySize.ofMebiBytes(64),
                    SKEW,
                    Duration.ofSeconds(5));
            rollups.forEach(rollup -> facts.put(rollup, new HashMap<>()));
            stage = stage(null);
        }

        private RollupStage stage(RollupStage.@Nullable Saved saved) throws Exception {
            return new RollupStage(options, 1 + random.nextInt(4), backend, saved);
        }

        void everyRowEquals() throws Exception {
            try {
                for (int step = 0; step < steps; step++) {
                    switch (random.nextInt(40)) {
                        case 0 -> nowEvent += random.nextLong(120_000);
                        case 1, 2, 3, 4, 5, 6 -> watermark();
                        case 7 -> restore();
                        case 8, 9 -> {
                            wallClock = Math.max(wallClock + 1, nowEvent + random.nextInt(7_000));
                            take(stage.wallClock(wallClock));
                            take(stage.drain());
                        }
                        default -> event();
                    }
                }
                watermark();
                take(stage.watermark(Watermark.MAX_WATERMARK.getTimestamp()));
                compare();
            } finally {
                stage.close();
            }
        }

        private void event() throws Exception {
            nowEvent += random.nextInt(3) == 0 ? random.nextInt(2_000) : 0;
            long micros = nowEvent * 1_000 + random.nextInt(1_000);
            boolean ahead = false;
            switch (random.nextInt(12)) {
                case 0 -> micros -= 1_000_000L * random.nextInt(20);
                case 1 -> micros -= 1_000L * random.nextLong(2 * latenessMillis + 60_000);
                case 2 -> {
                    micros += 1_000 * SKEW.toMillis() + 1_000 + random.nextInt(1_000_000);
                    ahead = true;
                }
                default -> {}
            }
            Fact fact = new Fact(
                    random.nextInt(6) == 0
                            ? null
                            : List.of("play", "pause", "finish", "").get(random.nextInt(4)),
                    "c" + random.nextInt(6),
                    List.of("", "video", "a:b").get(random.nextInt(3)),
                    random.nextBoolean() ? null : "tv",
                    random.nextInt(4) == 0 ? null : "u" + random.nextInt(30),
                    micros,
                    random.nextInt(4) == 0 ? EngagementEvent.NO_DURATION : random.nextInt(300_000),
                    random.nextInt(5) == 0 ? null : random.nextInt(400),
                    random.nextInt(3) == 0 ? null : VALUES.get(random.nextInt(VALUES.size())),
                    random.nextBoolean() ? null : "p" + random.nextInt(3));
            stage.event(fact.event(nowEvent));
            if (!ahead) {
                rollups.forEach(rollup -> add(rollup, fact));
            }
        }

        private void add(Rollup rollup, Fact fact) {
            if (!rollup.kind().accepts().test(fact, rollup.kind())) {
                return;
            }
            long millis = Math.floorDiv(fact.micros(), 1_000L);
            long last = Math.floorDiv(millis, rollup.slideMillis()) * rollup.slideMillis();
            if (isOver(last + rollup.windowMillis())) {
                return;
            }
            for (long start = last; start > millis - rollup.windowMillis(); start -= rollup.slideMillis()) {
                // A window that nobody is told of again stays as it was.
                if (!isOver(start + rollup.windowMillis())) {
                    facts.get(rollup)
                            .computeIfAbsent(
                                    new CellId(
                                            rollup.name(),
                                            start,
                                            rollup.kind().key().apply(fact)),
                                    any -> new ArrayList<>())
                            .add(fact);
                }
            }
        }

        private boolean isOver(long end) {
            return watermark != Long.MIN_VALUE && end + latenessMillis <= watermark + 1;
        }

        private void watermark() throws Exception {
            watermark = Math.max(watermark, nowEvent - random.nextInt(4_000));
            take(stage.advance(watermark));
            if (random.nextInt(4) == 0) {
                // Between two pieces of what is told.
                restore();
                take(stage.advance(watermark));
            }
            take(stage.drain());
        }

        private void restore() throws Exception {
            List<RollupRow> told = new ArrayList<>();
            RollupStage.Saved saved = stage.snapshot(told);
            take(told);
            if (random.nextBoolean()) {
                // What came after the snapshot never happened.
                stage.event(new Fact("play", "c0", "", null, "u1", nowEvent * 1_000, 1, 1, null, "p0").event(nowEvent));
                stage.close();
                stage = stage(saved);
            }
        }

        private void take(List<RollupRow> rows) {
            for (RollupRow row : rows) {
                CellId id = new CellId(row.rollup(), row.windowStartMillis(), row.key());
                RollupRow before = table.get(id);
                if (before == null || row.version() >= before.version()) {
                    table.put(id, row);
                }
                if (!row.closed()) {
                    assertThat(row.windowEndMillis()).isGreaterThan(watermark);
                }
            }
        }

        private void compare() {
            Map<CellId, Cell> expected = new HashMap<>();
            facts.forEach((rollup, cells) -> cells.forEach((id, of) -> expected.put(
                    id,
                    new Cell(
                            plain(rollup.kind().values().apply(of)),
                            true,
                            of.stream()
                                    .mapToLong(fact -> rollup.kind().skipped().apply(fact))
                                    .sum(),
                            of.size()))));
            Map<CellId, Cell> found = new HashMap<>();
            table.forEach((id, row) ->
                    found.put(id, new Cell(plain(row.values()), row.exact(), row.skipped(), row.version())));
            assertThat(sorted(found)).isEqualTo(sorted(expected));
        }

        private static List<@Nullable BigDecimal> plain(List<@Nullable BigDecimal> values) {
            List<@Nullable BigDecimal> plain = new ArrayList<>();
            for (BigDecimal value : values) {
                plain.add(
                        value == null
                                ? null
                                : new BigDecimal(value.stripTrailingZeros().toPlainString()));
            }
            return plain;
        }

        private static Map<String, Cell> sorted(Map<CellId, Cell> cells) {
            Map<String, Cell> sorted = new TreeMap<>();
            cells.forEach((id, cell) -> sorted.put(id.toString(), cell));
            return sorted;
        }
    }
}
