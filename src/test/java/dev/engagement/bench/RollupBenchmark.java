package dev.engagement.bench;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.ingest.EventTimeOptions;
import dev.engagement.rollup.RollupOptions;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.flink.configuration.MemorySize;

/** The rollups: what they cost by event, in memory and in state, and how many rows a second their tables take. */
public final class RollupBenchmark {

    private static final String ALL = "all";

    /** Of the parts that write nothing. */
    private static final PostgresConnection NOWHERE =
            new PostgresConnection("jdbc:postgresql://nowhere/none", "nobody", SecretRef.none());

    private RollupBenchmark() {}

    /** {@code DIRECTORY EVENTS ROUNDS BACKEND PART}, a part being all, pipeline, audience, users or tables. */
    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[0]).toAbsolutePath();
        int events = Integer.parseInt(args[1]);
        int rounds = Integer.parseInt(args[2]);
        String stateBackend = args[3];
        String part = args[4];
        try (BenchCluster cluster = BenchCluster.start(directory, stateBackend)) {
            if (part.equals(ALL) || part.equals("pipeline")) {
                RollupPipelineCost.measure(cluster, stateBackend, directory, events, rounds);
            }
            if (part.equals(ALL) || part.equals("audience")) {
                AudienceCost.measure(cluster, stateBackend, events, rounds);
            }
            if (part.equals(ALL) || part.equals("users")) {
                UsersCost.measure();
            }
            if (part.equals(ALL) || part.equals("tables")) {
                TablesCost.measure(cluster, directory, events, rounds);
            }
        }
        System.exit(0);
    }

    /** All that are shipped; those that add up a field of the payload add up one that each event has. */
    static List<RollupDefinition> shipped() {
        return RollupDefinitions.parse(
                List.of(RollupDefinitions.SHIPPED),
                Map.of(
                        "metrics_30s.measures",
                        "count,total_value=sum(raw_payload.position),unique_users=unique(user_id)",
                        "category_revenue.measures",
                        "total_revenue=sum(raw_payload.position)"));
    }

    /** The one of users by content, as it is shipped. */
    static List<RollupDefinition> audience() {
        return RollupDefinitions.parse(List.of("audience"), Map.of());
    }

    /** With the job's defaults. */
    static RollupOptions options(List<RollupDefinition> definitions) {
        return options(definitions, NOWHERE);
    }

    /** With the job's defaults, into tables of {@code target}. */
    static RollupOptions options(List<RollupDefinition> definitions, PostgresConnection target) {
        return new RollupOptions(
                definitions,
                Duration.ofSeconds(5),
                Duration.ofHours(1),
                false,
                target,
                MemorySize.ofMebiBytes(64),
                EventTimeOptions.DEFAULT.maxClockSkew(),
                EventTimeOptions.DEFAULT.maxOutOfOrderness());
    }

    static String userId(int number) {
        return new UUID(number, ~(long) number).toString();
    }
}
