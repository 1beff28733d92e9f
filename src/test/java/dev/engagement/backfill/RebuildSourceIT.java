package dev.engagement.backfill;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.connection.testing.ManualPause;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EventId;
import dev.engagement.event.types.EventTypes;
import dev.engagement.ingest.ContentDecoder;
import dev.engagement.ingest.DecodedRecord;
import dev.engagement.ingest.EventRules;
import dev.engagement.ingest.EventTimeOptions;
import dev.engagement.ingest.Ingest;
import dev.engagement.ingest.IngestFormat;
import dev.engagement.ingest.IngestOptions;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.source.ContentRow;
import dev.engagement.source.EventRow;
import dev.engagement.source.IdRange;
import dev.engagement.source.RangeOptions;
import dev.engagement.source.RowCursor;
import dev.engagement.source.RowDecoder;
import dev.engagement.source.SourceOptions;
import dev.engagement.source.SourceTables;
import dev.engagement.source.UnfitSourceException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;
import java.util.stream.LongStream;
import org.apache.flink.api.common.JobExecutionResult;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.api.common.state.ListState;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The bounded source on PostgreSQL. */
class RebuildSourceIT {

    private static final Path DIRECTORY = Path.of("target/it/rebuild-source");
    private static final String FROM = "2026-01-08T09:00:00Z";
    private static final String TO = "2026-01-08T10:00:00Z";
    private static final long SPLIT_IDS = 500;

    private static SharedServers servers;
    private static PostgresServer postgres;
    private static SourceOptions source;

    @BeforeAll
    static void start() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
        postgres = servers.postgres();
        source = options("public", SecretRef.inFile("postgres.password", servers.postgresPasswordFile()));
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            // An installation whose ids are numbers, whose texts are bounded, and whose rows no check guards.
            statement.execute("""
                DROP TABLE engagement_events, content;
                CREATE TABLE content (id BIGINT PRIMARY KEY, slug VARCHAR(100), title TEXT, content_type TEXT,
                  length_seconds INTEGER, publish_ts TIMESTAMPTZ);
                CREATE TABLE engagement_events (id BIGINT PRIMARY KEY, content_id BIGINT, user_id BIGINT, event_type TEXT,
                  event_ts TIMESTAMPTZ NOT NULL, duration_ms INTEGER, device VARCHAR(20), raw_payload JSONB);
                INSERT INTO content SELECT n, 'slug-' || n, 'Title', 'video', 300,
                  CASE n WHEN 1 THEN 'infinity' WHEN 2 THEN '0044-03-15 12:00:00+00 BC' ELSE '2026-01-01 00:00:00.5+01' END
                  ::timestamptz FROM generate_series(1, 3000) n;
                INSERT INTO engagement_events SELECT 3 * n, 1 + n % 3000, -n, 'play',
                  '2026-01-08 09:00:00+00'::timestamptz + n % 7200 * interval '1 s' + interval '0.000001 s', n, 'web',
                  '{"b": 1.50, "a": [null, "é"]}' FROM generate_series(1, 9000) n;
                INSERT INTO engagement_events VALUES
                  (9223372036854775807, 7, NULL, NULL, '2026-01-08 09:00:00+00', NULL, NULL, NULL),
                  (-9223372036854775808, 7, NULL, 'click', '2026-01-08 09:59:59.999999+00', 0, '', 'null'),
                  (1, 7, 1, 'play', '2026-01-08 08:59:59.999999+00', 1, 'web', '{}'),
                  (2, 7, 1, 'play', '2026-01-08 10:00:00+00', 1, 'web', '{}'),
                  (4, 7, 1, 'play', 'infinity', 1, 'web', '{}'),
                  (5, NULL, 1, 'play', '2026-01-08 09:30:00+00', 1, 'web', '{}'),
                  (7, 7, 1, 'play', '2026-01-08 09:30:00+00', -1, 'web', '{}')""");
        }
    }

    @AfterAll
    static void stop() {
        servers.close();
    }

    @Test
    void every_row_of_the_range_is_read_once_whatever_fails() throws Exception {
        StreamExecutionEnvironment env = environment();
        Rebuild.Tables tables = Rebuild.read(
                env,
                new RebuildSource(source, RangeOptions.of(Instant.parse(FROM), Instant.parse(TO)), SPLIT_IDS),
                ingest(),
                "source",
                "rows");
        Seen.reset();
        Ingest.decode(tables.events(), EventTimeOptions.DEFAULT)
                .uid("decode")
                .process(new Seen())
                .returns(EventTypes.EVENT)
                .uid("seen")
                .sinkTo(new DiscardingSink<>())
                .uid("end");
        Ingest.decodeContent(tables.contentChanges())
                .uid("decode-content")
                .process(new RowCount<ContentChange>("contents"))
                .returns(EventTypes.CONTENT_CHANGE)
                .uid("contents")
                .sinkTo(new DiscardingSink<>())
                .uid("contents-end");

        JobExecutionResult result = env.execute();

        long[] expected = LongStream.concat(
                        LongStream.of(Long.MIN_VALUE, Long.MAX_VALUE),
                        LongStream.rangeClosed(1, 9_000)
                                .filter(n -> n % 7_200 < 3_600)
                                .map(n -> 3 * n))
                .sorted()
                .toArray();
        assertThat(Seen.FAILURES).hasValue(2);
        assertThat(Seen.IDS.stream().mapToLong(id -> id).sorted().toArray()).isEqualTo(expected);
        // All contents and the mark of their end, and again after each failure.
        assertThat(result.<Long>getAccumulatorResult("contents")).isGreaterThanOrEqualTo(3_001);
    }

    @Test
    void columns_of_other_types_are_read_as_capture_would_give_them() throws Exception {
        SourceTables database = new SourceTables(source, "test");
        RangeOptions range = RangeOptions.of(Instant.parse(FROM), Instant.parse(TO));
        RowDecoder decoder = new RowDecoder("events", "content", 1 << 20, true, 0, Clock.systemUTC());
        DecodedRecord<EngagementEvent> event = new DecodedRecord<>();
        DecodedRecord<ContentChange> content = new DecodedRecord<>();
        try (Connection connection = database.connect()) {
            SourceTables.begin(connection);
            assertThat(database.extent(connection, range, null).ids())
                    .isEqualTo(new IdRange(Long.MIN_VALUE, Long.MAX_VALUE));
            try (RowCursor<EventRow> rows = database.events(connection, new IdRange(3, 7), range, "2")) {
                decoder.decode(rows.next(), event);
                assertThat(rows.next()).isNull();
            }
            try (RowCursor<EventRow> rows = database.events(connection, new IdRange(5, 5), range, null)) {
                DecodedRecord<EngagementEvent> bad = new DecodedRecord<>();
                decoder.decode(rows.next(), bad);
                assertThat(bad.letter().error()).startsWith("content_id is missing");
            }
            List<ContentRow> contents = new ArrayList<>();
            try (RowCursor<ContentRow> rows = database.contents(connection)) {
                while (rows.next(contents, 7)) {
                    assertThat(contents).hasSizeLessThanOrEqualTo(3_000);
                }
            }
            assertThat(contents).hasSize(3_000);
            decoder.decode(contents.get(2), 2, content);
            DecodedRecord<ContentChange> dropped = new DecodedRecord<>();
            for (int i = 0; i < 2; i++) {
                decoder.decode(contents.get(i), i, dropped);
                assertThat(dropped.publishTsDropped()).isTrue();
            }
        }
        assertThat(event.value().contentId()).isEqualTo("2");
        assertThat(event.value().userId()).isEqualTo("-1");
        assertThat(event.value().eventTsMicros())
                .isEqualTo(Instant.parse("2026-01-08T09:00:01Z").toEpochMilli() * 1_000 + 1);
        assertThat(event.value().rawPayload()).isEqualTo("{\"a\": [null, \"é\"], \"b\": 1.50}");
        ContentChange.Put put = (ContentChange.Put) content.value();
        assertThat(put.content().id()).isEqualTo("3");
        assertThat(put.content().publishTsMicros())
                .isEqualTo(Instant.parse("2025-12-31T23:00:00.5Z").toEpochMilli() * 1_000);
    }

    @Test
    void what_the_publication_leaves_out_is_not_read_and_an_absent_column_is_empty() throws Exception {
        sql("""
            CREATE SCHEMA filtered;
            CREATE TABLE filtered.content (id BIGINT PRIMARY KEY, slug TEXT, title TEXT, content_type TEXT,
              length_seconds INTEGER);
            CREATE TABLE filtered.engagement_events (id BIGINT PRIMARY KEY, content_id BIGINT, user_id BIGINT,
              event_type TEXT, event_ts TIMESTAMPTZ, duration_ms INTEGER, raw_payload JSONB);
            INSERT INTO filtered.content SELECT n, 'slug', 'Title', CASE n % 2 WHEN 0 THEN 'video' END, 60
              FROM generate_series(1, 10) n;
            INSERT INTO filtered.engagement_events SELECT n, 1, n, CASE n % 3 WHEN 0 THEN 'play' ELSE 'click' END,
              '2026-01-08 09:00:00+00', 5, '{}' FROM generate_series(1, 30) n;
            CREATE PUBLICATION filtered FOR TABLE filtered.content WHERE (content_type = 'video'),
              TABLE filtered.engagement_events (id, content_id, event_type, event_ts, duration_ms, raw_payload)
              WHERE (event_type = 'play')""");
        SourceTables database =
                new SourceTables(options("filtered", source.postgres().password(), "filtered"), "test");
        RangeOptions range = RangeOptions.of(Instant.parse(FROM), Instant.parse(TO));
        List<EventRow> events = new ArrayList<>();
        List<ContentRow> contents = new ArrayList<>();
        try (Connection connection = database.connect()) {
            SourceTables.begin(connection);
            assertThat(database.extent(connection, range, null).rows()).isEqualTo(10);
            try (RowCursor<EventRow> rows = database.events(connection, new IdRange(1, 30), range, null)) {
                rows.next(events, 100);
            }
            try (RowCursor<ContentRow> rows = database.contents(connection)) {
                rows.next(contents, 100);
            }
        }
        assertThat(events).extracting(EventRow::id).containsExactly(3L, 6L, 9L, 12L, 15L, 18L, 21L, 24L, 27L, 30L);
        assertThat(events).allSatisfy(row -> {
            assertThat(row.userId()).isNull();
            assertThat(row.device()).isNull();
            assertThat(row.durationMs()).isEqualTo(5);
        });
        assertThat(contents).extracting(ContentRow::id).containsExactlyInAnyOrder("2", "4", "6", "8", "10");
        assertThat(contents).allSatisfy(row -> assertThat(row.publishTs()).isNull());
    }

    @Test
    void without_the_time_of_events_there_is_nothing_to_read() throws Exception {
        sql("""
            CREATE SCHEMA timeless;
            CREATE TABLE timeless.content (LIKE content);
            CREATE TABLE timeless.engagement_events (LIKE engagement_events);
            CREATE PUBLICATION timeless FOR TABLE timeless.content,
              TABLE timeless.engagement_events (id, content_id, event_type)""");
        SourceOptions timeless = options("timeless", source.postgres().password(), "timeless");
        assertThatThrownBy(() -> Backfill.rows(timeless, RangeOptions.of(Instant.parse(FROM), Instant.parse(TO))))
                .isInstanceOf(UnfitSourceException.class)
                .hasMessageStartingWith(
                        "The column event_ts of \"timeless\".\"engagement_events\" does not come through"
                                + " the publication timeless (capture.accept-filtered), and without it there is nothing to read");
    }

    @Test
    void a_wrong_password_is_one_clear_message() throws Exception {
        Path wrong = DIRECTORY.resolve("wrong.password").toAbsolutePath();
        Files.writeString(wrong, "not-the-password-7d1e");
        SourceOptions refused = options("public", SecretRef.inFile("postgres.password", wrong.toString()));

        assertThatThrownBy(() -> Backfill.rows(refused, RangeOptions.of(Instant.parse(FROM), Instant.parse(TO))))
                .isInstanceOf(BackfillException.class)
                .hasMessageContaining("PostgreSQL at " + postgres.jdbcUrl())
                .hasMessageContaining("password authentication failed")
                .hasMessageNotContaining("7d1e");
    }

    @Test
    void a_backfill_that_breaks_off_is_completed_by_the_next_one() throws Exception {
        BackfillOptions options = backfillOptions(source, FROM, TO);
        Topic topic = new Topic();

        topic.room = 1_000;
        assertThatThrownBy(() -> backfill(options, topic, SILENT))
                .isInstanceOf(BackfillException.class)
                .hasMessage("The broker is gone");
        long before = topic.good();
        topic.room = Integer.MAX_VALUE;
        Outcome outcome = backfill(options, topic, SILENT);

        assertThat(before).isBetween(990L, 1_000L);
        assertThat(outcome).isEqualTo(new Outcome(5_402 - before, before));
        assertThat(topic.ids.stream().filter(Topic::isGood)).hasSize(5_402).doesNotHaveDuplicates();
        assertThat(topic.contents).hasSize(3_000);
        assertThat(topic.contents.get("{\"id\":7}")).contains("\"slug\":\"slug-7\"");
    }

    @Test
    void of_a_content_that_changes_meanwhile_the_last_record_is_what_the_table_holds() throws Exception {
        Deque<String> changes = new ArrayDeque<>(List.of(
                "INSERT INTO content VALUES (4000, 'one')",
                "UPDATE content SET slug = 'two' WHERE id = 4000",
                "UPDATE content SET slug = 'three' WHERE id = 4000",
                "DELETE FROM content WHERE id = 4000",
                "INSERT INTO content VALUES (4000, 'four')",
                "UPDATE content SET slug = 'five' WHERE id = 4000"));
        sql(changes.remove());
        sql("INSERT INTO engagement_events VALUES (100000, 4000, 1, 'play', '2026-01-09 09:00:00+00')");
        Topic topic = new Topic();
        String key = "{\"id\":4000}";
        // Somebody changes it whenever it has just been published.
        topic.afterContent = () -> {
            if (topic.contentWrites.get(topic.contentWrites.size() - 1).equals(key) && !changes.isEmpty()) {
                sql(changes.remove());
            }
        };
        try {
            assertThat(backfill(topic, SILENT)).isEqualTo(new Outcome(1, 0));
            assertThat(changes).isEmpty();
            assertThat(topic.contents).hasSize(3_001);
            assertThat(topic.contents.get(key)).contains("\"slug\":\"five\"");
            // Nothing else changed, so that nothing else was published twice.
            assertThat(topic.contentWrites).hasSize(3_000 + 6);

            topic.contentWrites.clear();
            // Of a time when ids were texts.
            topic.contents.put("{\"id\":\"abc\"}", topic.contents.get(key).replace("\"4000\"", "\"abc\""));
            sql("DELETE FROM content WHERE id = 4000");
            assertThat(backfill(topic, SILENT)).isEqualTo(new Outcome(0, 1));
            assertThat(topic.contents).containsEntry(key, "none");
            assertThat(topic.contentWrites).containsExactlyInAnyOrder(key, "{\"id\":\"abc\"}");
        } finally {
            sql("DELETE FROM engagement_events WHERE id = 100000");
            sql("DELETE FROM content WHERE id = 4000");
        }
    }

    @Test
    void rows_that_became_letters_or_were_known_are_told_and_not_waited_for() throws Exception {
        sql("INSERT INTO engagement_events SELECT 100000 + n, 9999, 1, 'play', '2026-01-09 09:00:00+00'"
                + " FROM generate_series(1, 3) n");
        Topic topic = new Topic();
        topic.lost = new IdRange(100_001, 100_003);
        topic.letters.put(100_001L, Reason.UNRESOLVED);
        topic.letters.put(100_003L, Reason.REJECTED);
        Lines told = new Lines();
        try {
            assertThatThrownBy(() -> backfill(topic, SILENT))
                    .isInstanceOf(BackfillException.class)
                    .hasMessageContaining("Of 3 missing rows, all of which the stream has taken in, 1 did not come")
                    .hasMessageContaining("id 100002")
                    .hasMessageContaining("audit --repair");

            topic.lost = new IdRange(100_001, 100_001);
            topic.ids.clear();
            assertThat(backfill(topic, told)).isEqualTo(new Outcome(2, 0));
            assertThat(told.lines).anySatisfy(line -> assertThat(line)
                    .isEqualTo("1 rows became dead letters instead of rows (UNRESOLVED: id 100001); redrive puts"
                            + " them back when their cause is mended"));
        } finally {
            sql("DELETE FROM engagement_events WHERE id BETWEEN 100001 AND 100003");
        }
    }

    private static BackfillOptions backfillOptions(SourceOptions tables, String from, String to) {
        return new BackfillOptions(
                tables,
                RangeOptions.of(Instant.parse(from), Instant.parse(to)),
                null,
                false,
                false,
                Duration.ofMinutes(5),
                Duration.ofSeconds(2),
                new KafkaConnection("none:0", Map.of()),
                "events",
                "contents",
                "letters",
                "group",
                MemorySize.ofMebiBytes(8),
                MemorySize.ofMebiBytes(1),
                3,
                null);
    }

    @Test
    void contents_are_compared_by_what_the_stream_makes_of_them_and_an_empty_table_deletes_none() throws Exception {
        sql("CREATE SCHEMA texts");
        sql("CREATE TABLE texts.content (id UUID PRIMARY KEY, slug TEXT, title TEXT, content_type TEXT,"
                + " length_seconds INTEGER, publish_ts TIMESTAMPTZ)");
        sql("CREATE TABLE texts.engagement_events (LIKE engagement_events)");
        sql("ALTER TABLE texts.engagement_events ALTER content_id TYPE TEXT");
        sql(
                "INSERT INTO texts.content SELECT ('00000000-0000-4000-8000-00000000000' || n)::uuid, 'slug-' || n, NULL, 'video',"
                        + " 60, '2026-01-09 09:00:00+00' FROM generate_series(1, 5) n");
        sql("INSERT INTO texts.engagement_events SELECT n, CASE n WHEN 1 THEN '" + uuid(1) + "' ELSE '{\"x\\' END, 1,"
                + " 'play', '2026-01-09 09:00:00+00' FROM generate_series(1, 2) n");
        sql("INSERT INTO texts.content VALUES ('" + uuid(6) + "', repeat('x', 2000000))");
        SourceOptions texts = options("texts", source.postgres().password());
        Topic topic = new Topic();
        // As another writer may write it: with another op, another form of the time, fields in another order.
        topic.contents.put(
                uuidKey(1),
                "{\"after\":{\"publish_ts\":\"2026-01-09T10:00:00+01:00\",\"length_seconds\":60,\"slug\":\"slug-1\",\"id\":\""
                        + uuid(1) + "\",\"content_type\":\"video\",\"title\":null},\"op\":\"c\"}");
        topic.contents.put(uuidKey(2), topic.contents.get(uuidKey(1)).replace(uuid(1), uuid(2)));
        topic.contents.put(uuidKey(3), Topic.NONE);
        topic.contents.put(uuidKey(4), "nonsense");
        topic.contents.put(uuidKey(7), topic.contents.get(uuidKey(1)).replace(uuid(1), uuid(7)));
        // Under Connect's key, as it may stand there.
        topic.contents.put(CONNECT_KEY, topic.contents.get(uuidKey(1)).replace(uuid(1), uuid(8)));
        topic.contents.put(
                "{\"id\":\"no uuid\"}", topic.contents.get(uuidKey(1)).replace(uuid(1), "no uuid"));
        Lines told = new Lines();

        assertThat(backfill(texts, topic, told)).isEqualTo(new Outcome(2, 0));

        assertThat(topic.ids).containsExactlyInAnyOrder(1L, 2L);
        assertThat(topic.contentWrites)
                .containsExactlyInAnyOrder(
                        uuidKey(2),
                        uuidKey(3),
                        uuidKey(4),
                        uuidKey(5),
                        uuidKey(7),
                        CONNECT_KEY,
                        "{\"id\":\"no uuid\"}");
        assertThat(topic.contents).containsEntry(uuidKey(7), Topic.NONE);
        assertThat(told.lines)
                .contains(
                        "7 contents were published to contents, whose last record of each was not what the table holds"
                                + " (3 of them are deleted there)",
                        "1 contents are larger than the stream or capture would take, and are left out (" + uuid(6)
                                + ")");

        topic.contentWrites.clear();
        sql("DELETE FROM texts.content");
        assertThat(backfill(texts, topic, told)).isEqualTo(new Outcome(0, 2));
        assertThat(topic.contentWrites).isEmpty();
        assertThat(told.lines).anySatisfy(line -> assertThat(line)
                .startsWith("The content table is empty, but contents holds 5 contents: none was deleted."));
    }

    private static final String CONNECT_KEY =
            "{\"schema\":null,\"payload\":{\"id\":\"00000000-0000-4000-8000-000000000008\"}}";

    private static String uuid(int number) {
        return "00000000-0000-4000-8000-00000000000" + number;
    }

    private static String uuidKey(int number) {
        return "{\"id\":\"" + uuid(number) + "\"}";
    }

    private static Outcome backfill(Topic topic, ProgressReport report) throws InterruptedException {
        return backfill(source, topic, report);
    }

    /** Of the day that no other test reads. */
    private static Outcome backfill(SourceOptions tables, Topic topic, ProgressReport report)
            throws InterruptedException {
        return backfill(backfillOptions(tables, "2026-01-09T09:00:00Z", "2026-01-09T10:00:00Z"), topic, report);
    }

    private static Outcome backfill(BackfillOptions options, Topic topic, ProgressReport report)
            throws InterruptedException {
        ManualPause pause = new ManualPause();
        return new Backfill(options, topic, () -> topic, pause, pause::nanoTime).run(report);
    }

    private static void sql(String statement) {
        try (Connection connection = postgres.connect();
                Statement execute = connection.createStatement()) {
            execute.execute(statement);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static final ProgressReport SILENT = new ProgressReport() {
        @Override
        public void line(String text) {}

        @Override
        public void progress(String text) {}
    };

    private static final class Lines implements ProgressReport {
        private final List<String> lines = new ArrayList<>();

        @Override
        public void line(String text) {
            lines.add(text);
        }

        @Override
        public void progress(String text) {}
    }

    /** A topic whose stream takes in at once what keeps the rules, as long as there is room. */
    private static final class Topic implements StreamGateway, WarehouseLookup {
        private final ConcurrentLinkedQueue<Long> ids = new ConcurrentLinkedQueue<>();
        private static final String NONE = "none";
        private final Map<String, String> contents = new ConcurrentHashMap<>();
        private final List<String> contentWrites = new ArrayList<>();
        private final Map<Long, Reason> letters = new ConcurrentHashMap<>();
        /** What the stream has taken in and the warehouse never shows. */
        private volatile IdRange lost = IdRange.EMPTY;

        /** What the warehouse was asked for. */
        private final ConcurrentLinkedQueue<RangeOptions> asked = new ConcurrentLinkedQueue<>();

        private volatile Runnable afterContent = () -> {};
        private volatile int room = Integer.MAX_VALUE;

        @Override
        public synchronized void publish(EventId id, byte[] envelope) {
            if (ids.size() >= room) {
                throw new BackfillException("The broker is gone", null);
            }
            ids.add(id.number());
        }

        @Override
        public void publishContent(byte[] key, byte @Nullable [] envelope) {
            String id = new String(key, UTF_8);
            contents.put(id, envelope == null ? NONE : new String(envelope, UTF_8));
            contentWrites.add(id);
            afterContent.run();
        }

        @Override
        public void contents(EachContent each) {
            ContentDecoder decoder = new ContentDecoder("contents", 1 << 20, Clock.systemUTC());
            DecodedRecord<ContentChange> decoded = new DecodedRecord<>();
            contents.forEach((key, envelope) -> {
                decoder.decode(
                        new ConsumerRecord<>(
                                "contents",
                                0,
                                0,
                                key.getBytes(UTF_8),
                                envelope.equals(NONE) ? null : envelope.getBytes(UTF_8)),
                        decoded);
                if (decoded.kind() == DecodedRecord.Kind.VALUE) {
                    each.take(decoded.value(), key.getBytes(UTF_8));
                }
            });
        }

        @Override
        public void letters(EachLetter each) {
            letters.forEach((id, reason) -> each.take(EventId.of(id), reason));
        }

        @Override
        public void idsIn(RangeOptions range, LongConsumer each) {
            asked.add(range);
            ids.stream().filter(Topic::isGood).filter(id -> !lost.contains(id)).forEach(each::accept);
        }

        @Override
        public long bytesToRead(RangeOptions range) {
            return 0;
        }

        long good() {
            return ids.stream().filter(Topic::isGood).count();
        }

        static boolean isGood(long id) {
            return id != 5 && id != 7;
        }

        @Override
        public Map<Integer, Long> flush() {
            return Map.of();
        }

        @Override
        public Map<Integer, Long> takenIn() {
            return Map.of();
        }

        @Override
        public void close() {}
    }

    private static SourceOptions options(String schema, SecretRef password) {
        return options(schema, password, null);
    }

    private static SourceOptions options(String schema, SecretRef password, @Nullable String publication) {
        return new SourceOptions(
                new PostgresConnection(postgres.jdbcUrl(), postgres.username(), password),
                schema,
                "engagement_events",
                "content",
                publication,
                EventRules.DEFAULT);
    }

    private static IngestOptions ingest() {
        return new IngestOptions(
                new KafkaConnection("none:0", Map.of()),
                "events",
                "content",
                "group",
                MemorySize.ofMebiBytes(1),
                false,
                EventTimeOptions.DEFAULT,
                EventRules.DEFAULT,
                null,
                IngestFormat.AUTO);
    }

    private static StreamExecutionEnvironment environment() {
        Configuration configuration = new Configuration();
        configuration.setString("execution.checkpointing.interval", "20 ms");
        configuration.setString("restart-strategy.type", "fixed-delay");
        configuration.setString("restart-strategy.fixed-delay.attempts", "10");
        configuration.setString("restart-strategy.fixed-delay.delay", "10 ms");
        configuration.setString("pipeline.object-reuse", "true");
        configuration.setString("pipeline.generic-types", "false");
        StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(3, configuration);
        env.setMaxParallelism(128);
        return env;
    }

    /** Keeps ids in state and gives them away at the end; fails twice, behind a checkpoint each time. */
    private static final class Seen extends ProcessFunction<EngagementEvent, EngagementEvent>
            implements CheckpointedFunction, CheckpointListener {

        private static final long serialVersionUID = 1L;

        static final ConcurrentLinkedQueue<Long> IDS = new ConcurrentLinkedQueue<>();
        static final AtomicInteger FAILURES = new AtomicInteger();
        private static final int EVENT_WITHOUT_CHECKPOINT_MILLIS = 200;
        private static final AtomicBoolean FAILING = new AtomicBoolean();

        /** For each failure: that there is a checkpoint of some events to go back to. */
        private static volatile List<CountDownLatch> checkpoints = List.of();

        private final List<Long> ids = new ArrayList<>();
        private transient ListState<Long> state;
        private transient boolean snapshotOfSome;

        static void reset() {
            IDS.clear();
            FAILURES.set(0);
            checkpoints = List.of(new CountDownLatch(1), new CountDownLatch(1));
        }

        @Override
        public void initializeState(FunctionInitializationContext context) throws Exception {
            state = context.getOperatorStateStore().getListState(new ListStateDescriptor<>("ids", Types.LONG));
            for (Long id : state.get()) {
                ids.add(id);
            }
            FAILING.set(false);
        }

        @Override
        public void processElement(EngagementEvent event, Context context, Collector<EngagementEvent> out)
                throws InterruptedException {
            ids.add(event.id());
            int failures = FAILURES.get();
            // Until there is a checkpoint the events come one by one: after each the task may take one.
            if (failures < checkpoints.size()
                    && checkpoints.get(failures).await(EVENT_WITHOUT_CHECKPOINT_MILLIS, TimeUnit.MILLISECONDS)
                    && ids.size() > 50
                    && FAILING.compareAndSet(false, true)) {
                FAILURES.incrementAndGet();
                throw new IllegalStateException("A failure of the test");
            }
            out.collect(event);
        }

        @Override
        public void snapshotState(FunctionSnapshotContext context) throws Exception {
            state.update(ids);
            snapshotOfSome = !ids.isEmpty();
        }

        @Override
        public void notifyCheckpointComplete(long checkpoint) {
            int failures = FAILURES.get();
            if (snapshotOfSome && failures < checkpoints.size()) {
                checkpoints.get(failures).countDown();
            }
        }

        @Override
        public void close() {
            if (!FAILING.get()) {
                IDS.addAll(ids);
            }
        }
    }
}
