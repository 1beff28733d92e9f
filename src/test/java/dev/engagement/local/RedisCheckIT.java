package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.local.DestinationCheck.Comparison;
import dev.engagement.local.testing.SharedServers;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.params.SetParams;

/** The self-check must not be satisfied with less: a live view written from SQL passes, and no tampered one does. */
class RedisCheckIT {

    private static final Path DIRECTORY = Path.of("target/it/redis-check");
    private static SharedServers servers;
    private static PostgresServer postgres;
    private static RedisServer redis;
    private static LoadGenerator generator;
    private static RedisCheck check;

    private Jedis jedis;
    private String id;

    @BeforeAll
    static void start() throws SQLException, IOException {
        servers = SharedServers.lease(DIRECTORY);
        postgres = servers.postgres();
        redis = servers.redis();
        generator = LoadGenerator.start(
                new LoadOptions(5, 40, 0, 3_000, 3_000, Duration.ZERO), postgres.connect(), Clock.systemUTC());
        await().until(generator::isDone);
        check = check(generator::versions);
    }

    /** Without what goes with time, which {@link RankingCheckIT} is about. */
    private static RedisCheck check(Function<UUID, List<ContentRow>> versions) {
        return new RedisCheck(postgres, redis, List.of(new CountCheck(), new LastCheck(versions), new MetaCheck()));
    }

    @AfterAll
    static void stop() {
        generator.close();
        servers.close();
    }

    @BeforeEach
    void theLiveViewAsItShouldBe() throws SQLException {
        jedis = redis.connect();
        jedis.flushAll();
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            id = one(statement, "SELECT content_id FROM engagement_events GROUP BY 1 ORDER BY count(*) DESC LIMIT 1");
            each(statement, "SELECT content_id, count(*) AS n FROM engagement_events GROUP BY 1", row -> {
                jedis.set("content:count:" + row[0], row[1]);
            });
            each(statement, META, row -> {
                for (int i = 1; i < row.length; i++) {
                    if (row[i] != null) {
                        jedis.hset("content:meta:" + row[0], FIELDS.get(i - 1), row[i]);
                    }
                }
            });
            each(statement, LAST, row -> {
                jedis.set("content:last:" + row[0], row[1]);
                jedis.pexpireAt("content:last:" + row[0], Long.parseLong(row[2]));
            });
        }
    }

    private static final List<String> FIELDS = List.of("slug", "title", "content_type", "length_seconds", "publish_ts");

    private static final String META = """
            SELECT id, slug, title, content_type, length_seconds,
              to_char(publish_ts AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
            FROM content""";

    private static final String LAST = """
            SELECT DISTINCT ON (content_id) content_id,
              json_build_object('event_id', e.id, 'content_id', content_id, 'user_id', user_id, 'event_type', event_type,
                'event_ts', to_char(event_ts AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                'duration_ms', duration_ms, 'device', device, 'raw_payload', raw_payload, 'slug', slug, 'title', title,
                'content_type', content_type, 'length_seconds', length_seconds,
                'publish_ts', to_char(publish_ts AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
                'engagement_seconds', duration_ms / 1000.0,
                'engagement_pct', round(duration_ms / 1000.0 / length_seconds, 2)),
              floor(extract(epoch FROM event_ts) * 1000)::bigint + 3600000
            FROM engagement_events e JOIN content c ON c.id = content_id
            ORDER BY content_id, event_ts DESC, e.id DESC""";

    @Test
    void aLiveViewEqualToTheSourcePasses() throws Exception {
        assertThat(check.compare()).allMatch(Comparison::isEqual);
        assertThat(check.arrived()).isEqualTo(3_000);
        assertThat(check.compare()).first().extracting(Comparison::source).isEqualTo("3000");
    }

    @Test
    void anEventMayShowItsContentAsItWasBeforeAnEdit() throws Exception {
        String last = jedis.get("content:last:" + id);
        List<ContentRow> versions = generator.versions(UUID.fromString(id));
        ContentRow now = versions.get(versions.size() - 1);
        RedisCheck remembering = check(content -> {
            ContentRow before = new ContentRow(
                    now.id(), now.slug(), "Before", now.contentType(), now.lengthSeconds(), now.publishTs());
            return content.equals(now.id()) ? List.of(before, now) : generator.versions(content);
        });
        replaceLast("\"title\" : \"" + now.title() + "\"", "\"title\" : \"Before\"", last);
        assertThat(remembering.compare()).allMatch(Comparison::isEqual);
        assertThat(differing()).singleElement().asString().contains("were never as in Redis");
    }

    @Test
    void aDoubledEventIsNamed() throws Exception {
        jedis.incr("content:count:" + id);
        assertThat(check.compare()).first().matches(comparison -> !comparison.isEqual());
        assertThat(differing()).singleElement().asString().startsWith(id).contains("content:count:");
    }

    @Test
    void aMissingOrWrongLastEventIsNamed() throws Exception {
        String last = jedis.get("content:last:" + id);
        jedis.del("content:last:" + id);
        assertThat(differing()).singleElement().asString().startsWith(id).contains("is missing");
        replaceLast("\"event_id\" : ", "\"event_id\" : 1", last);
        assertThat(differing()).anySatisfy(each -> assertThat(each).contains("event_id is"));
        replaceLast("\"event_ts\" : \"2", "\"event_ts\" : \"1", last);
        assertThat(differing()).anySatisfy(each -> assertThat(each).contains("event_ts is"));
        replaceLast("\"device\"", "\"gadget\"", last);
        assertThat(differing()).anySatisfy(each -> assertThat(each).contains("device is"));
        jedis.set("content:last:" + id, "{");
        assertThat(differing()).anySatisfy(each -> assertThat(each).contains("is no JSON"));
    }

    @Test
    void anExpiryThatIsNotAnHourAfterTheEventIsNamed() throws Exception {
        jedis.expire("content:last:" + id, 3_600_000L);
        assertThat(differing()).singleElement().asString().startsWith(id).contains("expires at");
    }

    @Test
    void anEventStampedMoreThanAMinuteAheadIsNobodysLast() throws Exception {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            long before = Long.parseLong(one(statement, "SELECT max(id) FROM engagement_events"));
            try {
                insert(statement, 20);
                insert(statement, 120);
                jedis.incrBy("content:count:" + id, 2);
                assertThat(differing())
                        .anySatisfy(each -> assertThat(each).startsWith(id).contains("event_ts is"));
                statement.execute("DELETE FROM engagement_events WHERE id = " + (before + 1));
                jedis.decr("content:count:" + id);
                assertThat(differing()).isEmpty();
            } finally {
                statement.execute("DELETE FROM engagement_events WHERE id > " + before);
            }
        }
    }

    private void insert(Statement statement, int secondsAhead) throws SQLException {
        statement.execute("INSERT INTO engagement_events (content_id, event_type, event_ts) VALUES ('" + id
                + "', 'play', now() + interval '" + secondsAhead + " seconds')");
    }

    @Test
    void aWrongMissingOrLeftOverContentIsNamed() throws Exception {
        jedis.hset("content:meta:" + id, "title", "Another");
        jedis.hset("content:meta:deleted", "title", "Gone");
        assertThat(differing())
                .hasSize(2)
                .anySatisfy(each -> assertThat(each).startsWith(id))
                .anySatisfy(each -> assertThat(each).startsWith("deleted: no such content"));
        jedis.del("content:meta:deleted", "content:meta:" + id);
        assertThat(differing()).singleElement().asString().startsWith(id);
    }

    private void replaceLast(String what, String by, String json) {
        assertThat(json).contains(what);
        long expiry = expiry(json);
        jedis.set(
                "content:last:" + id,
                json.replace(what, by),
                SetParams.setParams().pxAt(expiry));
    }

    private static long expiry(String json) {
        Matcher timestamp = Pattern.compile("\"event_ts\" : \"([^\"]+)\"").matcher(json);
        assertThat(timestamp.find()).isTrue();
        return Instant.parse(timestamp.group(1)).toEpochMilli()
                + Duration.ofHours(1).toMillis();
    }

    private static List<String> differing() throws Exception {
        return check.compare().stream()
                .flatMap(each -> each.differing().stream())
                .toList();
    }

    private static String one(Statement statement, String query) throws SQLException {
        String[][] found = new String[1][];
        each(statement, query, row -> found[0] = row);
        return found[0][0];
    }

    private static void each(Statement statement, String query, Consumer<String[]> consumer) throws SQLException {
        try (ResultSet rows = statement.executeQuery(query)) {
            while (rows.next()) {
                String[] row = new String[rows.getMetaData().getColumnCount()];
                for (int i = 0; i < row.length; i++) {
                    row[i] = rows.getString(i + 1);
                }
                consumer.accept(row);
            }
        }
    }
}
