package dev.engagement.bench;

import dev.engagement.ranking.RankingOptions;
import java.nio.file.Path;
import java.time.Duration;

/** The leaderboards and the live view: what they cost by event, by slide, in memory and in Redis. */
public final class RankingBenchmark {

    private static final String ALL = "all";

    private RankingBenchmark() {}

    /** {@code DIRECTORY EVENTS ROUNDS BACKEND PART}, a part being all, pipeline, stage, slide, redis or rebuild. */
    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[0]).toAbsolutePath();
        int events = Integer.parseInt(args[1]);
        int rounds = Integer.parseInt(args[2]);
        String stateBackend = args[3];
        String part = args[4];
        try (BenchCluster cluster = BenchCluster.start(directory, stateBackend)) {
            if (part.equals(ALL) || part.equals("pipeline")) {
                PipelineCost.measure(cluster, stateBackend, directory, events, rounds);
            }
            if (part.equals(ALL) || part.equals("stage")) {
                StageCost.measure(cluster, stateBackend, events, rounds);
            }
            if (part.equals(ALL) || part.equals("slide")) {
                SlideCost.measure();
            }
            if (part.equals(ALL) || part.equals("redis")) {
                RedisCost.measure(cluster, directory);
            }
            if (part.equals(ALL) || part.equals("rebuild")) {
                RebuildCost.measure(cluster, directory);
            }
        }
        System.exit(0);
    }

    /** Ten minutes and a hundred places. */
    static RankingOptions options(Duration slide) {
        return new RankingOptions(
                RankingOptions.DEFAULT.window(), slide, RankingOptions.DEFAULT.topN(), EventHour.ALLOWED_SKEW);
    }

    static String text(Duration slide) {
        return slide.toSeconds() + " s";
    }
}
