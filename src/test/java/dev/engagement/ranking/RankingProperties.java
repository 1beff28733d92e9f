package dev.engagement.ranking;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Samples;
import dev.engagement.event.Standings;
import dev.engagement.event.types.EventShards;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import org.apache.flink.contrib.streaming.state.EmbeddedRocksDBStateBackend;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.streaming.api.watermark.Watermark;

/** The whole stage against a list of all events, on random streams. */
class RankingProperties {

    @Property(tries = 80, shrinking = ShrinkingMode.OFF)
    void every_board_equals_the_oracles_on_the_heap(@ForAll long seed) throws Exception {
        new Run(new Random(seed), HashMapStateBackend::new, 500).everyBoardEquals();
    }

    @Property(tries = 4, shrinking = ShrinkingMode.OFF)
    void every_board_equals_the_oracles_on_rocksdb(@ForAll long seed) throws Exception {
        new Run(new Random(seed), EmbeddedRocksDBStateBackend::new, 250).everyBoardEquals();
    }

    /** One random stream through the stage and the oracle at once. */
    private static final class Run {

        private final Random random;
        private final Supplier<StateBackend> backend;
        private final int steps;
        private final int maxParallelism;
        private final List<String> contents;
        private final RankingOracle oracle;
        private RankingOptions options;
        private RankingStage stage;

        /** Where event time is in the outer world. */
        private long nowEvent = Samples.BASE_MICROS / 1_000;

        private long wallClock = nowEvent;
        private long watermark = Long.MIN_VALUE;
        private long newest = Long.MIN_VALUE;
        private long futureDated;
        private long late;

        Run(Random random, Supplier<StateBackend> backend, int steps) throws Exception {
            this.random = random;
            this.backend = backend;
            this.steps = steps;
            this.maxParallelism = random.nextInt(4) == 0 ? 4 + random.nextInt(300) : EventShards.SHARDS;
            this.contents = contents(random);
            this.options = options(random);
            this.oracle = new RankingOracle(options);
            this.stage = new RankingStage(options, parallelism(), maxParallelism, backend, null);
        }

        void everyBoardEquals() throws Exception {
            try {
                for (int step = 0; step < steps; step++) {
                    switch (random.nextInt(40)) {
                        case 0 -> pause();
                        case 1, 2, 3, 4, 5, 6 -> watermark();
                        case 7 -> {
                            if (random.nextInt(4) == 0) {
                                restore();
                            }
                        }
                        default -> event();
                    }
                }
                watermark();
                endOfInput();
                assertThat(futureDated + stage.futureDated()).as("future-dated").isEqualTo(oracle.futureDated);
                assertThat(late + stage.lateEvents()).as("late").isEqualTo(oracle.late);
                assertThat(stage.incompleteBoards()).as("incomplete").isZero();
            } finally {
                stage.close();
            }
        }

        private void event() throws Exception {
            nowEvent += random.nextInt(3) == 0 ? random.nextInt(2_000) : 0;
            long micros = nowEvent * 1_000 + random.nextInt(1_000);
            long kafka = nowEvent;
            switch (random.nextInt(12)) {
                case 0 -> micros -= 1_000_000L * random.nextInt(10);
                case 1 ->
                    micros -= 1_000L * random.nextLong(2 * options.window().toMillis());
                case 2 -> micros += 1_000 * options.maxClockSkew().toMillis() - 1 + random.nextInt(3);
                default -> {}
            }
            // The first contents get most.
            String content = contents.get(Math.min(random.nextInt(contents.size()), random.nextInt(contents.size())));
            int duration = random.nextInt(4) == 0 ? EngagementEvent.NO_DURATION : random.nextInt(4) * 500;
            EnrichedEvent event = Events.of(content, micros, kafka, duration);
            long before = oracle.futureDated;
            stage.event(event);
            oracle.event(event);
            if (oracle.futureDated == before) {
                newest = Math.max(newest, Math.floorDiv(micros, 1_000L));
            }
        }

        private void pause() {
            nowEvent += switch (random.nextInt(4)) {
                case 0 -> 1_000L * random.nextInt(90);
                case 1 -> random.nextLong(3 * options.window().toMillis());
                case 2 -> Duration.ofDays(random.nextInt(400)).toMillis();
                default -> random.nextInt(5_000);
            };
        }

        private void watermark() throws Exception {
            watermark = Math.max(watermark, nowEvent - random.nextInt(4_000));
            tick();
            assertThat(stage.watermark(watermark))
                    .as("boards up to " + watermark + " at " + wallClock + " with " + options)
                    .isEqualTo(oracle.watermark(watermark, wallClock));
        }

        private void endOfInput() throws Exception {
            tick();
            List<Standings> boards = stage.watermark(Watermark.MAX_WATERMARK.getTimestamp());
            assertThat(boards).isEqualTo(newest == Long.MIN_VALUE ? List.of() : oracle.endOfInput(newest, wallClock));
        }

        private void tick() throws Exception {
            // At times far ahead of event time, as during a catch-up.
            long behind = random.nextInt(6) == 0 ? random.nextInt(300_000) : random.nextInt(5_000);
            wallClock = Math.max(wallClock, nowEvent + behind);
            stage.wallClock(wallClock);
        }

        private void restore() throws Exception {
            RankingStage.Saved saved = stage.snapshot();
            // What came after the snapshot never happened.
            stage.event(Events.at(nowEvent, contents.get(0), 1));
            futureDated += stage.futureDated();
            late += stage.lateEvents();
            stage.close();
            if (random.nextBoolean()) {
                options = options(random);
                oracle.restart(options);
            }
            stage = new RankingStage(options, parallelism(), maxParallelism, backend, saved);
        }

        private int parallelism() {
            return 1 + random.nextInt(4);
        }

        private static RankingOptions options(Random random) {
            int slide = random.nextBoolean() ? 1 + random.nextInt(3) : 1 + random.nextInt(90);
            int window = slide + (random.nextInt(4) == 0 ? 0 : random.nextInt(200));
            return new RankingOptions(
                    Duration.ofSeconds(window),
                    Duration.ofSeconds(slide),
                    1 + random.nextInt(20),
                    Duration.ofMinutes(1));
        }

        private static List<String> contents(Random random) {
            List<String> contents = new ArrayList<>(List.of(
                    "",
                    "7",
                    "\uFFFD",
                    "\uE000",
                    "\uD83D\uDE00",
                    "a\uD83D\uDE00",
                    "a\uFF5E",
                    "C0FFEE00-0000-0000-0000-000000000000"));
            int more = random.nextInt(3) == 0 ? 300 : 10;
            for (int i = 0; i < more; i++) {
                contents.add(random.nextInt(3) == 0 ? Integer.toString(i) : Samples.contentId(i));
            }
            java.util.Collections.shuffle(contents, random);
            return contents;
        }
    }
}
