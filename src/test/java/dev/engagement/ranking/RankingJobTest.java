package dev.engagement.ranking;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Samples;
import dev.engagement.event.Standings;
import dev.engagement.event.types.EventShards;
import dev.engagement.event.types.EventTypes;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.FilterFunction;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.CloseableIterator;
import org.junit.jupiter.api.Test;

/** The stage as a job on a cluster in this JVM. */
class RankingJobTest {

    private static final RankingOptions OPTIONS =
            new RankingOptions(Duration.ofSeconds(15), Duration.ofSeconds(2), 10, Duration.ofDays(36_500));

    private static final int PARALLELISM = 2;

    /** Out of order by less than that. */
    private static final int DISORDER_MILLIS = 2_000;

    @Test
    void every_board_of_a_job_equals_the_oracles() throws Exception {
        // Boards of a time long ago are passed over; those of a time far ahead are not, with that clock skew.
        long start = Instant.parse("2096-01-08T15:00:00Z").toEpochMilli();
        List<EnrichedEvent> events = events(start, new Random(42));

        List<Standings> boards = run(events);

        assertThat(boards).isNotEmpty().allSatisfy(board -> assertThat(board)
                .isEqualTo(RankingOracle.board(events, board.slideEndMillis(), OPTIONS)));
        assertThat(boards).extracting(Standings::slideEndMillis).isSorted().doesNotHaveDuplicates();
        long newest = events.stream()
                .mapToLong(event -> event.event().eventTsMicros() / 1_000)
                .max()
                .orElseThrow();
        long slide = OPTIONS.slide().toMillis();
        assertThat(boards).last().extracting(Standings::slideEndMillis).isEqualTo(newest / slide * slide + slide);
    }

    private static List<EnrichedEvent> events(long start, Random random) {
        List<EnrichedEvent> events = new ArrayList<>();
        for (int i = 0; i < 20_000; i++) {
            long millis = start + i - random.nextInt(DISORDER_MILLIS);
            String content = Samples.contentId(Math.min(random.nextInt(60), random.nextInt(60)));
            events.add(Events.at(millis, content, random.nextInt(3) * 1_000));
        }
        return events;
    }

    private static List<Standings> run(List<EnrichedEvent> events) throws Exception {
        Configuration configuration = new Configuration();
        configuration.set(PipelineOptions.GENERIC_TYPES, false);
        configuration.set(StateBackendOptions.STATE_BACKEND, "rocksdb");
        StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(PARALLELISM, configuration);
        env.setMaxParallelism(EventShards.SHARDS);
        env.enableCheckpointing(50);
        var unique = env.fromData(EventTypes.ENRICHED, events.toArray(new EnrichedEvent[0]))
                .assignTimestampsAndWatermarks(WatermarkStrategy.forGenerator(context -> new AfterEachEvent()))
                .keyBy(one -> EventShards.keyOf((int) (one.event().eventTsMicros() % EventShards.SHARDS)))
                .filter((FilterFunction<EnrichedEvent>) one -> true);
        try (CloseableIterator<Standings> boards = Ranking.slidingTopN(
                        unique, OPTIONS, new Ranking.Uids("partials", "standings", "merge"))
                .executeAndCollect()) {
            List<Standings> all = new ArrayList<>();
            boards.forEachRemaining(all::add);
            return all;
        }
    }

    private static final class AfterEachEvent implements WatermarkGenerator<EnrichedEvent> {
        private long newest = Long.MIN_VALUE;

        @Override
        public void onEvent(EnrichedEvent event, long timestamp, WatermarkOutput output) {
            long millis = event.event().eventTsMicros() / 1_000;
            if (millis > newest) {
                newest = millis;
                output.emitWatermark(new Watermark(newest - DISORDER_MILLIS - 1));
            }
        }

        @Override
        public void onPeriodicEmit(WatermarkOutput output) {}
    }
}
