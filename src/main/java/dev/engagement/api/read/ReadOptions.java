package dev.engagement.api.read;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.rollup.definition.RollupDefinition;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where the answers are, and how much may be asked at once.
 *
 * @param redis the live view; a user that may do GET, HGETALL, HMGET, ZREVRANGE, ZREVRANGEBYSCORE, ZSCORE, PING and
 *     INFO
 * @param pipeline where else the pipeline tells of itself
 * @param source the database that events are committed to, for a role that may read the table of events; null: how soon
 *     an event shows is not measured
 * @param schema of the table of events
 * @param eventsTable the table of events
 * @param rollupTables the database with the rollups' tables, for a role that may read them; null: nothing is known of
 *     the past
 * @param warehouse the warehouse's table of events; null: nobody can ask for an event that the event cache has not got
 * @param rollups as the job has them
 * @param maxRedisConnections at once
 * @param maxPostgresConnections at once, of each database
 * @param timeout how long a store may take for a connection, and for an answer
 */
public record ReadOptions(
        LiveViewOptions redis,
        PipelineOptions pipeline,
        @Nullable PostgresConnection source,
        String schema,
        String eventsTable,
        @Nullable PostgresConnection rollupTables,
        @Nullable WarehouseReadOptions warehouse,
        List<RollupDefinition> rollups,
        int maxRedisConnections,
        int maxPostgresConnections,
        Duration timeout) {

    /** {@code postgres.schema}, where nothing else is said. */
    public static final String DEFAULT_SCHEMA = "public";

    /** {@code postgres.events-table}, where nothing else is said. */
    public static final String DEFAULT_EVENTS_TABLE = "engagement_events";

    /** Of {@link #maxRedisConnections}, where nothing else is said. */
    public static final int DEFAULT_REDIS_CONNECTIONS = 16;

    /** Of {@link #maxPostgresConnections}, where nothing else is said. */
    public static final int DEFAULT_POSTGRES_CONNECTIONS = 4;

    /** Of {@link #timeout}, where nothing else is said. */
    public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(2);

    private static final int MOST_CONNECTIONS = 1_000;
    private static final Duration SHORTEST_TIMEOUT = Duration.ofMillis(500);
    private static final Duration LONGEST_TIMEOUT = Duration.ofSeconds(30);

    public ReadOptions {
        rollups = List.copyOf(rollups);
        checkConnections("api.redis-connections", maxRedisConnections);
        checkConnections("api.postgres-connections", maxPostgresConnections);
        if (timeout.compareTo(SHORTEST_TIMEOUT) < 0 || timeout.compareTo(LONGEST_TIMEOUT) > 0) {
            throw new IllegalArgumentException("api.store-timeout is " + timeout
                    + "; it must be 500 ms to 30 s: whoever asks waits for about as long while a store is away");
        }
    }

    /** With the defaults for all else. */
    public static ReadOptions of(
            LiveViewOptions redis,
            @Nullable PostgresConnection source,
            @Nullable PostgresConnection rollupTables,
            List<RollupDefinition> rollups) {
        return new ReadOptions(
                redis,
                PipelineOptions.NONE,
                source,
                DEFAULT_SCHEMA,
                DEFAULT_EVENTS_TABLE,
                rollupTables,
                null,
                rollups,
                DEFAULT_REDIS_CONNECTIONS,
                DEFAULT_POSTGRES_CONNECTIONS,
                DEFAULT_TIMEOUT);
    }

    private static void checkConnections(String option, int connections) {
        if (connections < 1 || connections > MOST_CONNECTIONS) {
            throw new IllegalArgumentException(option + " is " + connections + "; it must be 1 to " + MOST_CONNECTIONS);
        }
    }
}
