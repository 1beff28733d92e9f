package dev.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.engagement.backfill.ProgressReport;
import dev.engagement.config.Invocation;
import dev.engagement.config.Settings;
import dev.engagement.liveview.sink.LiveViewRefusedException;
import dev.engagement.local.BigQueryProcess;
import dev.engagement.local.DestinationCheck;
import dev.engagement.local.RedisCheck;
import dev.engagement.local.WarehouseCheck;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.ranking.RankingOptions;
import dev.engagement.rowstore.RowStoreRefusedException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.resps.Tuple;

/** A day through the stream, and once more through a rebuild, on real servers: what stands in the destinations is the same. */
class RebuildIT {

    private static final Path DIRECTORY = Path.of("target/it/rebuild");
    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final Duration BOARD_IS_SHOWN_FOR = Duration.ofSeconds(120);
    private static final String PREFIX = "rebuilt:";
    private static final String TABLE = "rebuilt_events";
    private static final int CONTENTS = 20;
    private static final int EVENTS = 5_000;

    private SharedServers servers;
    private JobCluster cluster;

    @BeforeEach
    void start() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
        cluster = JobCluster.shared(DIRECTORY, "hashmap");
    }

    @AfterEach
    void stop() throws Exception {
        cluster.close();
        servers.close();
    }

    @Test
    void a_day_that_was_streamed_is_rebuilt_as_it_is() throws Exception {
        Instant begin = Instant.now().minus(Duration.ofDays(1)).minusSeconds(5);
        insertContents();
        insertADay();
        JobID capture = cluster.run(args("capture", sourceArgs("--parallelism", "1")));
        JobID stream = cluster.run(args("stream", streamArgs()));
        awaitStreamed();
        // An event that both refuse, and one that is behind the range.
        servers.sql("INSERT INTO engagement_events (id, content_id, event_type, event_ts, duration_ms) VALUES ("
                + (EVENTS + 1) + ", '" + contentId(1) + "', 'play', now() - interval '1 h', -5)");
        cluster.awaitCheckpoint(stream);
        String[] range = range(begin);
        Map<String, String> streamed = liveView("");
        List<String> streamedRows = rows("engagement_events");
        cluster.cancel(capture);

        assertThatThrownBy(() -> rebuild(range))
                .isInstanceOf(LiveViewRefusedException.class)
                .hasMessageContaining("has keys under redis.key-prefix ''")
                .hasMessageContaining("--redis.key-prefix");
        assertThatThrownBy(() -> rebuild(with(range, "--redis.key-prefix", PREFIX)))
                .isInstanceOf(RowStoreRefusedException.class)
                .hasMessageContaining("local.analytics.engagement_events is another job's")
                .hasMessageContaining("--warehouse.table");

        List<String> said = rebuild(with(
                range, "--redis.key-prefix", PREFIX, "--warehouse.table", TABLE, "--checkpoint.interval", "10 min"));
        assertBoardEqualsSql(PREFIX);

        assertThat(said)
                .endsWith(
                        String.format("%,d rows read = %,d written + 1 dead letters", EVENTS + 1, EVENTS),
                        "Backfill done. inserted=" + EVENTS + " skipped=1");
        assertThat(rows(TABLE)).hasSize(EVENTS).isEqualTo(streamedRows);
        assertThat(streamed).hasSizeGreaterThan(3 * CONTENTS);
        Map<String, String> rebuilt = liveView(PREFIX);
        // What expired between the two looks is in neither.
        streamed.keySet().retainAll(liveView("").keySet());
        rebuilt.keySet().removeIf(key -> key.startsWith("top:content:bucket:") && !streamed.containsKey(key));
        assertThat(rebuilt).isEqualTo(streamed);

        assertThatThrownBy(() -> rebuild(with(range, "--redis.key-prefix", PREFIX, "--warehouse.table", "another")))
                .isInstanceOf(LiveViewRefusedException.class);
        assertThatThrownBy(() -> rebuild(with(range, "--destinations", "warehouse", "--warehouse.table", TABLE)))
                .isInstanceOf(RowStoreRefusedException.class);
        servers.sql("INSERT INTO engagement_events (id, content_id, event_type, event_ts) VALUES (" + (EVENTS + 2)
                + ", '" + contentId(1) + "', 'play', now() - interval '1 s')");
        assertThat(rebuild(with(range(begin), "--destinations", "liveview", "--redis.key-prefix", "view-alone:")))
                .endsWith("Backfill done. inserted=" + (EVENTS + 1) + " skipped=1");
        assertBoardEqualsSql("view-alone:");
    }

    /** Of all that there is now. */
    private static String[] range(Instant begin) {
        return new String[] {"--from", begin.toString(), "--to", Instant.now().toString()};
    }

    /** The command as the command line runs it, but for the cluster it is submitted to. */
    private List<String> rebuild(String... more) throws Exception {
        Configuration configuration = new Configuration();
        configuration.set(CoreOptions.DEFAULT_PARALLELISM, 2);
        configuration.set(
                CheckpointingOptions.CHECKPOINTS_DIRECTORY,
                "file://" + DIRECTORY.resolve("checkpoints").toAbsolutePath());
        URI rest = cluster.rest();
        StreamExecutionEnvironment env =
                StreamExecutionEnvironment.createRemoteEnvironment(rest.getHost(), rest.getPort(), configuration);
        List<String> lines = new ArrayList<>();
        ProgressReport report = new ProgressReport() {
            @Override
            public void line(String text) {
                lines.add(text);
            }

            @Override
            public void progress(String text) {}
        };
        String[] args = args(
                "rebuild",
                Stream.concat(Stream.of(sourceArgs()), Stream.concat(Stream.of(redisArgs()), Stream.of(more)))
                        .toArray(String[]::new));
        Settings settings = ((Invocation.Run) Invocation.parse(args, Map.of())).settings();
        EngagementJob.prepare(new RebuildCommand(report), settings, env);
        var unused = env.execute();
        return lines;
    }

    private static String[] with(String[] args, String... more) {
        return Stream.concat(Stream.of(args), Stream.of(more)).toArray(String[]::new);
    }

    private String[] args(String command, String... more) {
        List<String> args = new ArrayList<>(
                List.of(command, "--kafka.bootstrap-servers", servers.kafka().bootstrapServers()));
        if (!command.equals("capture")) {
            args.addAll(servers.bigQuery().streamArguments());
        }
        args.addAll(List.of(more));
        return args.toArray(String[]::new);
    }

    private String[] redisArgs() {
        return new String[] {"--redis.url", servers.redis().url()};
    }

    private String[] streamArgs() {
        return with(redisArgs(), "--destinations", "liveview,warehouse", "--enrichment.content-wait", "5 min");
    }

    private String[] sourceArgs(String... more) throws IOException {
        return Stream.concat(
                        Stream.of(
                                "--postgres.url",
                                servers.postgres().jdbcUrl(),
                                "--postgres.username",
                                servers.postgres().username(),
                                "--postgres.password.secret-file",
                                servers.postgresPasswordFile()),
                        Stream.of(more))
                .toArray(String[]::new);
    }

    private void insertContents() throws SQLException {
        List<String> rows = new ArrayList<>();
        for (int i = 1; i <= CONTENTS; i++) {
            rows.add("('" + contentId(i) + "', 'slug-" + i + "', 'Title \"" + i + "\"', 'podcast', "
                    + (i % 3 == 0 ? "NULL" : Integer.toString(60 * i)) + ", "
                    + (i == 7 ? "'infinity'" : "now()") + ")");
        }
        servers.sql("INSERT INTO content VALUES " + String.join(", ", rows));
    }

    /** In no order of time; a tenth of it in the last half-hour, of which buckets and boards are made. */
    private void insertADay() throws SQLException {
        servers.sql("""
            INSERT INTO engagement_events (id, content_id, user_id, event_type, event_ts, duration_ms, device, raw_payload)
            SELECT n, ('00000000-0000-0000-0000-' || lpad((1 + n / 10 %% %d)::text, 12, '0'))::uuid, gen_random_uuid(), 'play',
                   now() - ((10000 + (n::bigint * 7919999 %% CASE WHEN n %% 10 = 0 THEN 1800000 ELSE 86390000 END)) || ' ms')::interval,
                   CASE WHEN n %% 5 = 0 THEN NULL ELSE n * 10 END, 'web', jsonb_build_object('n', n, 'text', 'é"\\' || chr(8232))
            FROM generate_series(1, %d) n""".formatted(CONTENTS, EVENTS));
    }

    private void awaitStreamed() {
        List<DestinationCheck> checks = List.of(
                new RedisCheck(servers.postgres(), servers.redis(), id -> List.of()),
                new WarehouseCheck(
                        servers.postgres(),
                        sql -> servers.bigQuery().query(BigQueryProcess.PROJECT, sql),
                        id -> List.of()));
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(100)).untilAsserted(() -> {
            for (DestinationCheck check : checks) {
                assertThat(check.arrived()).isEqualTo(EVENTS);
            }
        });
    }

    /** Everything under a prefix but the leaderboards, which follow the wall clock, with the time that it lives until. */
    private Map<String, String> liveView(String prefix) {
        Map<String, String> view = new TreeMap<>();
        try (Jedis redis = servers.redis().connect()) {
            for (String key : redis.keys(prefix + "*")) {
                String name = key.substring(prefix.length());
                if (!name.matches("(content:|top:content:bucket:).*")) {
                    continue;
                }
                String value =
                        switch (redis.type(key)) {
                            case "string" -> redis.get(key);
                            case "zset" -> redis.zrangeWithScores(key, 0, -1).toString();
                            case "hash" -> {
                                Map<String, String> fields = new TreeMap<>(redis.hgetAll(key));
                                // Where the content was read, which is another place.
                                fields.remove("_version");
                                yield fields.toString();
                            }
                            default -> "";
                        };
                view.put(name, value + " until " + redis.pexpireTime(key));
            }
        }
        return view;
    }

    /**
     * The board of the newest event, at the slide end that stands beside it. It is made only while that end is a minute
     * old at the most, and shown for two: by the time it is looked for it may be gone, but then the clock says so.
     */
    private void assertBoardEqualsSql(String prefix) throws SQLException {
        Map<String, Double> shown = new TreeMap<>();
        String version;
        long now;
        try (Jedis redis = servers.redis().connect()) {
            for (Tuple place : redis.zrangeWithScores(prefix + "top:content:10m", 0, -1)) {
                shown.put(place.getElement(), place.getScore());
            }
            version = redis.get(prefix + "version:{" + prefix + "top:content:10m}");
            List<String> time = redis.time();
            now = 1_000 * Long.parseLong(time.get(0)) + Long.parseLong(time.get(1)) / 1_000;
        }
        if (version == null) {
            assertThat(shown).isEmpty();
            assertThat(now - newestEventMillis()).isGreaterThan(RankingOptions.MAX_BOARD_AGE.toMillis());
            return;
        }
        long end = Long.parseLong(version);
        if (shown.isEmpty()) {
            assertThat(now - end).isGreaterThanOrEqualTo(BOARD_IS_SHOWN_FOR.toMillis());
            return;
        }
        Map<String, Double> expected = new TreeMap<>();
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("""
                    SELECT content_id, count(*) FROM engagement_events
                    WHERE event_ts >= to_timestamp(%1$s / 1000.0) - interval '10 min' AND event_ts < to_timestamp(%1$s / 1000.0)
                    GROUP BY content_id""".formatted(version))) {
            while (rows.next()) {
                expected.put(rows.getString(1), rows.getDouble(2));
            }
        }
        assertThat(shown).isEqualTo(expected);
    }

    private long newestEventMillis() throws SQLException {
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT max(event_ts) FROM engagement_events")) {
            row.next();
            return row.getTimestamp(1).getTime();
        }
    }

    private List<String> rows(String table) {
        String answer = servers.bigQuery()
                .query(BigQueryProcess.PROJECT, "SELECT * FROM analytics." + table + " ORDER BY event_id");
        return Stream.of(answer.substring(answer.indexOf("\"rows\":")).split("\\{\"f\":"))
                .filter(row -> row.startsWith("["))
                .map(row -> row.substring(0, row.lastIndexOf(']')))
                .toList();
    }

    private static String contentId(int number) {
        return String.format("00000000-0000-0000-0000-%012d", number);
    }
}
