package dev.engagement.local;

import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import redis.clients.jedis.Jedis;

/**
 * The live view against plain SQL. An oracle on purpose: it shares no code with the job, neither keys nor arithmetic.
 *
 * <p>Buckets and leaderboards go with time, so what is compared is what is due at that moment; a difference that is gone
 * at the next look is not one.
 */
public final class RedisCheck implements DestinationCheck {

    private final PostgresServer postgres;
    private final RedisServer redis;
    private final List<KeyCheck> checks;

    /**
     * A check of one Redis against one database, over connections of its own for each comparison.
     *
     * @param postgres with {@link Schema}
     * @param redis with keys without a prefix
     * @param versions every version that a content had, as far as known; the present row counts without it
     */
    public RedisCheck(PostgresServer postgres, RedisServer redis, Function<UUID, List<ContentRow>> versions) {
        this(
                postgres,
                redis,
                List.of(
                        new CountCheck(),
                        new LastCheck(versions),
                        new MetaCheck(),
                        new BucketCheck(Clock.systemUTC()),
                        new LeaderboardCheck(Clock.systemUTC())));
    }

    RedisCheck(PostgresServer postgres, RedisServer redis, List<KeyCheck> checks) {
        this.postgres = postgres;
        this.redis = redis;
        this.checks = List.copyOf(checks);
    }

    @Override
    public String destination() {
        return "Redis";
    }

    @Override
    public long arrived() throws SQLException {
        List<String> ids = new ArrayList<>();
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT id FROM content")) {
            while (rows.next()) {
                ids.add(rows.getString(1));
            }
        }
        try (Jedis jedis = redis.connect()) {
            return CountCheck.counts(jedis, ids).values().stream()
                    .mapToLong(Long::longValue)
                    .sum();
        }
    }

    @Override
    public List<Comparison> compare() throws SQLException, IOException {
        try (Connection source = postgres.connect();
                Jedis liveView = redis.connect()) {
            List<Comparison> comparisons = new ArrayList<>();
            for (KeyCheck check : checks) {
                comparisons.addAll(check.compare(source, liveView));
            }
            return comparisons;
        }
    }
}
