package dev.engagement.api.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.RedisServer;
import dev.engagement.local.Schema;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** {@link Reads} while Redis or PostgreSQL is away: every question ends, and says which store it is. */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class StoresAwayIT {

    private static final Path HOME = Path.of("target/it/api-stores-away");
    private static final List<RollupDefinition> ROLLUPS = RollupDefinitions.shipped();

    private static RedisServer redis;
    private static PostgresServer postgres;
    private static SecretRef password;

    private Reads reads;

    @BeforeAll
    static void start() throws Exception {
        RedisServer.discard(HOME.resolve("redis"));
        PostgresServer.discard(HOME.resolve("postgres"));
        redis = RedisServer.start(HOME.resolve("redis"), 0);
        postgres = PostgresServer.start(HOME.resolve("postgres"), 0);
        Schema.create(postgres);
        try (Connection connection = postgres.connect()) {
            for (RollupDefinition definition : ROLLUPS) {
                WrittenRollups.create(connection, definition);
            }
            try (Statement statement = connection.createStatement()) {
                statement.execute(
                        "INSERT INTO content VALUES (gen_random_uuid(), 'slug', 'Title', 'video', 1800, now())");
                statement.execute("INSERT INTO engagement_events (content_id, event_type, event_ts)"
                        + " SELECT id, 'play', now() FROM content");
            }
        }
        Path file = HOME.resolve("postgres.password").toAbsolutePath();
        Files.writeString(file, postgres.password());
        password = SecretRef.inFile("postgres.password", file.toString());
    }

    @AfterAll
    static void stop() {
        postgres.close();
        redis.close();
    }

    @BeforeEach
    void open() {
        reads = Reads.open(options(redis.url(), postgres.jdbcUrl()), Clock.systemUTC());
        awaitAnswers();
    }

    @AfterEach
    void close() {
        reads.close();
    }

    private static ReadOptions options(String redisUrl, String jdbcUrl) {
        PostgresConnection database = new PostgresConnection(jdbcUrl, postgres.username(), password);
        return new ReadOptions(
                new LiveViewOptions(URI.create(redisUrl), SecretRef.none(), ""),
                PipelineOptions.NONE,
                database,
                ReadOptions.DEFAULT_SCHEMA,
                ReadOptions.DEFAULT_EVENTS_TABLE,
                database,
                null,
                ROLLUPS,
                2,
                2,
                Duration.ofMillis(500));
    }

    @Test
    void redis_is_killed_and_started_again() throws Exception {
        redis.kill();

        assertRedisIsAway();

        redis.restart();
        awaitAnswers();
    }

    @Test
    void redis_says_nothing_any_more_and_goes_on() {
        redis.freeze();
        try {
            assertRedisIsAway();
        } finally {
            redis.thaw();
        }
        awaitAnswers();
    }

    private void assertRedisIsAway() {
        for (int i = 0; i < 5; i++) {
            assertUnavailable("Redis", "realtime", "event_type", "click");
            assertUnavailable("Redis", "leaderboard");
            assertUnavailable("Redis", "content", "id", "a");
            assertUnavailable("Redis", "event", "id", "1");
        }
        // What is trending is good for some seconds.
        await().untilAsserted(() -> assertUnavailable("Redis", "leaderboard", "by", "trending"));
        await().ignoreExceptions().untilAsserted(() -> assertThat(entries("history", "event_type", "click"))
                .as("PostgreSQL answers all the same")
                .isZero());
        assertStatsAnswer();
        Health health = reads.health();
        assertThat(health.redis()).isFalse();
        assertThat(health.why()).contains("Redis");
    }

    @Test
    void postgres_is_killed_and_started_again() {
        postgres.kill();

        for (int i = 0; i < 5; i++) {
            assertUnavailable("PostgreSQL", "history", "event_type", "click");
            assertUnavailable("PostgreSQL", "rollup", "name", "hourly");
        }
        await().ignoreExceptions().untilAsserted(() -> assertThat(entries("realtime", "event_type", "click"))
                .as("Redis answers all the same")
                .isZero());
        assertStatsAnswer();
        await().ignoreExceptions().untilAsserted(() -> assertThat(OpenReads.ask(reads, "leaderboard", "by", "trending")
                        .body()
                        .get("places")
                        .size())
                .isZero());
        Health health = reads.health();
        assertThat(health.postgres()).isFalse();
        assertThat(health.why()).contains("PostgreSQL (source)").contains("PostgreSQL (rollups)");

        postgres.restart();
        awaitAnswers();
    }

    @Test
    void stores_that_are_not_there_at_the_start_are_no_reason_not_to_start() throws Exception {
        try (Reads nobody = Reads.open(
                options("redis://127.0.0.1:1", "jdbc:postgresql://127.0.0.1:1/nowhere"), Clock.systemUTC())) {
            assertThatThrownBy(() -> OpenReads.ask(nobody, "realtime", "event_type", "click"))
                    .isInstanceOf(UnavailableException.class);
            assertThatThrownBy(() -> OpenReads.ask(nobody, "history", "event_type", "click"))
                    .isInstanceOf(UnavailableException.class);
            assertThat(OpenReads.ask(nobody, "rollups").body().get("rollups").size())
                    .isEqualTo(ROLLUPS.size());
            assertThat(nobody.health().redis()).isFalse();
            assertThat(nobody.health().postgres()).isFalse();
        }
    }

    private void assertStatsAnswer() {
        await().ignoreExceptions().untilAsserted(() -> {
            Answer stats = OpenReads.ask(reads, "stats");
            assertThat(stats.body().get("lag").isNull()).isTrue();
        });
    }

    private void assertUnavailable(String store, String operation, String... given) {
        assertThatThrownBy(() -> OpenReads.ask(reads, operation, given))
                .isInstanceOfSatisfying(UnavailableException.class, e -> {
                    assertThat(e.store()).isEqualTo(store);
                    assertThat(e.retryAfter()).isPositive();
                });
    }

    /** A store with a timeout of half a second may be slow on a machine that does something else. */
    private void awaitAnswers() {
        await().ignoreExceptions().untilAsserted(() -> {
            assertThat(entries("realtime", "event_type", "click")).isZero();
            assertThat(entries("history", "event_type", "click")).isZero();
            assertThat(reads.health()).isEqualTo(new Health(true, true, null));
        });
    }

    private int entries(String operation, String... given) throws Exception {
        return OpenReads.ask(reads, operation, given).body().get("entries").size();
    }
}
