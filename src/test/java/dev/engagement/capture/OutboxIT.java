package dev.engagement.capture;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.JsonNode;
import dev.engagement.capture.CaptureOptions.Start;
import dev.engagement.capture.CaptureStage.Record;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EventId;
import dev.engagement.event.Timestamps;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Capture of the outbox that {@code scripts/sql} makes, between a real PostgreSQL and a real Kafka. */
class OutboxIT extends OnCaptureServers {

    private static final String CONTENT = "11111111-1111-1111-1111-111111111111";

    private static final String INSERT_CONTENT =
            "INSERT INTO %s.content VALUES ('" + CONTENT + "', 's', 'T', 'video', 300, '2026-01-01T00:00:00Z')";

    /** Above one segment of the log, and what a checkpoint of the server leaves. */
    private static final long BOUND_BYTES = 48L << 20;

    @Test
    void contentsFromBeforeTheirLatestStateAndWhatComesSince() throws Exception {
        stage.sql(INSERT_CONTENT);
        long before = stage.insertEvent();
        openOutbox();
        stage.sql("UPDATE %s.content SET title = 'U'");
        stage.sql("UPDATE %s.content SET title = 'V'");
        long waiting = stage.insertEvent();
        // So that they do not stand in the table in the order in which they were written.
        stage.sql("UPDATE %s.outbox_events SET type = type WHERE payload ->> 'title' = 'T'");
        stage.start(Start.INITIAL);
        awaitStreaming();
        long fresh = stage.insertEvent();
        stage.sql("UPDATE %s.content SET id = '22222222-2222-2222-2222-222222222222'");
        stage.sql("DELETE FROM %s.content");
        stage.awaitEvent(fresh);
        stage.await(all -> of(all, stage.contentTopic()).size() >= 8);

        // Contents stand in order by key.
        assertThat(titles("1")).containsExactly("r T", "r U", "r V", "d ", "tombstone ");
        assertThat(titles("2")).containsExactly("c V", "d ", "tombstone ");
        Map<Long, String> events = new TreeMap<>();
        of(stage.records(), stage.eventsTopic()).forEach(record -> events.put(record.eventId(), record.op()));
        assertThat(events).containsEntry(waiting, "r").containsEntry(fresh, "c").doesNotContainKey(before);
        assertThat(stage.letters()).isEmpty();
    }

    /** What became of the content whose id begins so: op and title. */
    private List<String> titles(String begin) {
        return of(stage.records(), stage.contentTopic()).stream()
                .filter(record -> record.key().startsWith("{\"id\":\"" + begin))
                .map(record -> record.op()
                        + ' '
                        + (record.value() == null
                                ? ""
                                : record.value().path("after").path("title").asText()))
                .toList();
    }

    /** Fields and values, whatever zone the writer's session has; a time by what it means. */
    @Test
    void aRowIsTheOneThatItsTableGives() throws Exception {
        openOutbox();
        stage.sql("SET TIME ZONE 'Asia/Kolkata'");
        stage.sql(INSERT_CONTENT);
        stage.sql("INSERT INTO %s.content VALUES (gen_random_uuid(), '', '\"\\é\uD83D\uDE00', NULL, NULL, 'infinity')");
        stage.insertEvent();
        stage.sql("INSERT INTO %s.engagement_events (event_ts) VALUES ('0044-03-15 BC'), ('infinity'),"
                + " ('1850-01-01T00:00:00Z'), ('2026-01-08T14:21:52.000001+13:45'), ('12345-01-01Z')");
        stage.sql("INSERT INTO %s.engagement_events (event_ts, content_id, user_id, device, raw_payload) SELECT now(),"
                + " '" + CONTENT
                + "', gen_random_uuid(), 'a\"b', payload::jsonb FROM (VALUES ('{\"a\": {\"b\": [1.50, true]}}'),"
                + " ('\"te\\\\xt\"'), ('1E2'), ('false'), ('[]')) AS v (payload)");
        stage.outbox(null);
        stage.start(Start.INITIAL);
        Map<String, JsonNode> expected = rows();
        stage.stop();
        stage.dropSlot();
        stage.forget();
        stage.outbox(CaptureSamples.outbox());
        stage.start(Start.INITIAL);
        Map<String, JsonNode> actual = rows();

        assertThat(actual.keySet()).isEqualTo(expected.keySet());
        expected.forEach((key, row) -> {
            JsonNode other = actual.get(key);
            assertThat(other.fieldNames()).toIterable().containsExactlyElementsOf(() -> row.fieldNames());
            row.fields().forEachRemaining(field -> {
                String time = field.getValue().asText();
                JsonNode found = other.path(field.getKey());
                if (!field.getKey().endsWith("_ts")) {
                    assertThat(found).as(key + ' ' + field.getKey()).isEqualTo(field.getValue());
                } else {
                    // What is none within years 1 to 9999 is refused both ways.
                    assertThat(Timestamps.parse(found.asText())).as(key).isEqualTo(Timestamps.parse(time));
                }
            });
        });
        assertThat(stage.letters()).isEmpty();
    }

    /** All rows of both tables by their keys. */
    private Map<String, JsonNode> rows() {
        Map<String, JsonNode> rows = new LinkedHashMap<>();
        stage.await(all -> {
            rows.clear();
            all.forEach(record -> rows.put(record.key(), record.value().path("after")));
            return rows.size() >= 13;
        });
        return rows;
    }

    @Test
    void rowsThatAreRemovedByTheTransactionThatWritesThemCount() throws Exception {
        openOutbox();
        stage.start(Start.INITIAL);
        awaitStreaming();
        stage.script("outbox-empty.sql");
        stage.sql("DELETE FROM %s.outbox_events");
        stage.sql(INSERT_CONTENT);
        long id = stage.insertEvent();
        stage.awaitEvent(id);
        stage.await(all -> !of(all, stage.contentTopic()).isEmpty());

        assertThat(stage.query("SELECT count(*) FROM %s.outbox_events")).isEqualTo("0");
        assertThat(stage.letters()).isEmpty();
    }

    @Test
    void theRoleNeedsNoRightOnTheTables() throws Exception {
        openOutbox();
        limitedRole("SELECT");
        assertThatCode(() -> CapturePreflight.check(stage.options(Start.INITIAL)))
                .doesNotThrowAnyException();
        stage.sql(INSERT_CONTENT);
        stage.start(Start.INITIAL);
        awaitStreaming();

        assertThat(stage.query("SELECT has_table_privilege('%1$s_reader', '%1$s.engagement_events', 'SELECT')"
                        + " OR has_table_privilege('%1$s_reader', '%1$s.content', 'SELECT')"))
                .isEqualTo("f");
        assertThat(of(stage.records(), stage.contentTopic())).hasSize(1);
    }

    @Test
    void whatIsNoRowOfEitherTableBecomesALetterThatHoldsItAndCaptureGoesOn() throws Exception {
        openOutbox();
        stage.sql("INSERT INTO %s.outbox_events (aggregatetype, aggregateid, type, payload) VALUES"
                + " ('order', '1', 'created', '{\"id\": 1}')");
        stage.start(Start.INITIAL);
        awaitStreaming();
        stage.sql("INSERT INTO %s.outbox_events (aggregatetype, aggregateid, type, payload) VALUES"
                + " ('engagement_event', '4711', 'created', '{\"eventTs\": 5}'), ('invoice', '1', 'created', '{}')");
        stage.sql("UPDATE %s.outbox_events SET type = 'changed' WHERE aggregatetype = 'invoice'");
        stage.sql("DELETE FROM %s.outbox_events WHERE aggregatetype = 'invoice'");
        stage.awaitEvent(stage.insertEvent());

        List<DeadLetter> letters = List.copyOf(stage.letters());
        assertThat(letters).hasSize(3);
        assertThat(letters).extracting(DeadLetter::id).doesNotHaveDuplicates();
        assertThat(letters)
                .allSatisfy(letter -> {
                    assertThat(letter.reason()).isEqualTo(Reason.UNDECODABLE);
                    assertThat(letter.stage()).isEqualTo("capture");
                    assertThat(letter.source().topic()).isEqualTo(stage.name + ".outbox_events");
                    assertThat(letter.source().partition()).isEqualTo(-1);
                    assertThat(letter.headers()).hasSize(1);
                })
                .satisfiesExactly(
                        letter -> {
                            assertThat(letter.error())
                                    .contains(
                                            "its aggregatetype is 'order'; expected is 'engagement_event' or 'content'");
                            assertThat(letter.payload()).isEqualTo("{\"id\": 1}".getBytes(StandardCharsets.UTF_8));
                        },
                        letter -> {
                            assertThat(letter.error())
                                    .contains("op c")
                                    .contains("it has no id, content_id")
                                    .contains("expected is the row as one JSON object");
                            assertThat(letter.eventId()).isEqualTo(EventId.of(4711));
                            assertThat(letter.payload()).isEqualTo("{\"eventTs\": 5}".getBytes(StandardCharsets.UTF_8));
                        },
                        letter -> assertThat(letter.error()).contains("op u").contains("written once"));
    }

    @Test
    void anOutboxOfOthersIsTakenAsItIs() throws Exception {
        stage.sql("CREATE TABLE %s.\"Outbox\" (\"eventId\" BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
                + " route VARCHAR(50), key TEXT, kind VARCHAR(50), body TEXT)");
        stage.sql("CREATE PUBLICATION %1$s_outbox FOR TABLE %1$s.\"Outbox\", %1$s.heartbeat");
        stage.outbox(new OutboxOptions(
                "Outbox",
                "eventId",
                "route",
                "key",
                "kind",
                "body",
                "created_at",
                "Engagement",
                "Article",
                List.of("Order"),
                List.of("removed"),
                "engagement",
                false));
        assertThatThrownBy(() -> CapturePreflight.check(stage.options(Start.INITIAL)))
                .hasMessageContaining("has no column created_at")
                .hasMessageContaining("or set capture.start=latest");
        stage.start(Start.LATEST);
        Awaitility.await("the slot")
                .atMost(CaptureStage.TIMEOUT)
                .pollInterval(CaptureStage.POLL)
                .until(stage::slotActive);
        stage.sql("INSERT INTO %s.\"Outbox\" (route, key, kind, body) VALUES ('Order', '1', 'OrderPlaced', 'x'),"
                + " ('Article', 'a', 'ArticlePublished', '{\"id\":\"a\",\"slug\":\"s\",\"title\":\"T\",\"content_type\":null,"
                + "\"length_seconds\":1,\"publish_ts\":\"2026-01-01T00:00:00Z\"}'),"
                + " ('Article', 'a', 'ArticleRemoved', ''),"
                + " ('Engagement', 'e', 'Played', '{\"id\":16,\"content_id\":\"a\",\"user_id\":null,\"event_type\":\"play\","
                + "\"event_ts\":\"2026-01-01T00:00:00Z\",\"duration_ms\":1,\"device\":null,\"raw_payload\":null}')");
        stage.await(all -> all.size() >= 4);

        assertThat(stage.records())
                .extracting(Record::key, Record::op)
                .containsExactlyInAnyOrder(
                        tuple("{\"id\":\"a\"}", "c"),
                        tuple("{\"id\":\"a\"}", "d"),
                        tuple("{\"id\":\"a\"}", "tombstone"),
                        tuple("{\"id\":16}", "c"));
        assertThat(stage.letters()).isEmpty();
    }

    @Test
    void aMessageStandsForARow() throws Exception {
        openOutbox();
        stage.start(Start.INITIAL);
        awaitStreaming();
        stage.query("SELECT pg_logical_emit_message(true, 'engagement', jsonb_build_object('aggregatetype', 'content',"
                + " 'aggregateid', '" + CONTENT + "', 'type', 'created', 'payload', '{\"id\": \"" + CONTENT
                + "\", \"slug\": \"s\", \"title\": \"é\", \"content_type\": null, \"length_seconds\": 1,"
                + " \"publish_ts\": \"2026-01-01T00:00:00Z\"}'::jsonb)::text)");
        stage.query("SELECT pg_logical_emit_message(true, 'somebody', 'else')");
        stage.query("SELECT pg_logical_emit_message(true, 'engagement', 'broken')");
        stage.awaitEvent(stage.insertEvent());
        stage.await(all -> !of(all, stage.contentTopic()).isEmpty());
        String savepoint = stage.stop();
        // The first that comes after a quiet time, and nothing else.
        stage.query(
                "SELECT pg_logical_emit_message(true, 'engagement', '{\"aggregatetype\": \"content\", \"aggregateid\":"
                        + " \"" + CONTENT + "\", \"type\": \"deleted\"}')");
        stage.start(Start.INITIAL, savepoint, Duration.ofMillis(200));
        stage.await(all -> of(all, stage.contentTopic()).size() >= 3);

        assertThat(of(stage.records(), stage.contentTopic()))
                .extracting(Record::op)
                .containsExactly("c", "d", "tombstone");
        JsonNode created = of(stage.records(), stage.contentTopic()).get(0).value();
        assertThat(created.path("after").path("title").asText()).isEqualTo("é");
        assertThat(created.path("source").path("table").asText()).isEqualTo("content");
        assertThat(stage.letters()).singleElement().satisfies(letter -> {
            assertThat(letter.error()).contains("it is a message and no row of the outbox: it is not readable as JSON");
            assertThat(letter.payload()).isEqualTo("broken".getBytes(StandardCharsets.UTF_8));
        });
    }

    @Test
    void nothingIsLostThoughItFailsAgainAndAgainAndRowsAreRemovedMeanwhile() throws Exception {
        openOutbox();
        stage.outbox(CaptureSamples.outbox(true));
        // Every oversize row fails the job once, in the midst of whatever is under way.
        Set<EventId> failed = new HashSet<>();
        stage.onLetter(letter -> {
            if (failed.add(letter.eventId())) {
                throw new IllegalStateException("a test's failure");
            }
        });
        stage.start(Start.INITIAL);
        awaitStreaming();
        for (int failure = 1; failure <= 4; failure++) {
            int target = failure;
            for (int i = 0; i < 30; i++) {
                stage.sql("INSERT INTO %s.engagement_events (event_type, event_ts)"
                        + " SELECT 'play', now() FROM generate_series(1, " + (i % 3 == 0 ? 200 : 1) + ")");
            }
            stage.sql("INSERT INTO %s.engagement_events (event_type, event_ts, raw_payload)"
                    + " VALUES ('play', now(), to_jsonb(repeat('x', 30000)))");
            Awaitility.await("failure " + target)
                    .atMost(CaptureStage.TIMEOUT)
                    .pollInterval(CaptureStage.POLL)
                    .until(() -> failed.size() >= target);
            stage.awaitEvent(stage.insertEvent());
        }
        Awaitility.await("rows are removed, but for those of which there are letters alone")
                .atMost(CaptureStage.TIMEOUT)
                .until(() ->
                        stage.query("SELECT count(*) FROM %s.outbox_events").equals("4"));

        Set<Long> written = ids("SELECT id FROM %s.engagement_events WHERE length(raw_payload::text) IS NULL"
                + " OR length(raw_payload::text) < 30000");
        stage.records().forEach(record -> written.remove(record.eventId()));
        assertThat(written).as("written and not captured").isEmpty();
        assertThat(stage.restarts()).isGreaterThanOrEqualTo(4);
    }

    @Test
    void whatNoCheckpointCoversIsNotRemoved() throws Exception {
        openOutbox();
        stage.outbox(CaptureSamples.outbox(true));
        stage.start(Start.INITIAL);
        awaitStreaming();
        String savepoint = stage.stop();
        String left = stage.query("SELECT count(*) FROM %s.outbox_events");
        stage.start(Start.INITIAL, savepoint, Duration.ofHours(1));
        long id = stage.insertEvent();
        stage.awaitEvent(id);
        String beat = stage.query("SELECT max(beat_at) FROM %s.heartbeat");
        Awaitility.await("heartbeats, and as many chances to remove something")
                .atMost(CaptureStage.TIMEOUT)
                .until(() -> stage.query(
                                "SELECT max(beat_at) > '" + beat + "'::timestamptz + interval '2 s' FROM %s.heartbeat")
                        .equals("t"));

        assertThat(stage.query("SELECT count(*) FROM %s.outbox_events"))
                .isEqualTo(Long.toString(Long.parseLong(left) + 1));
    }

    @Test
    void anIdleOutboxBesideABusyTableKeepsNoLog() throws Exception {
        openOutbox();
        stage.start(Start.INITIAL);
        awaitStreaming();
        String begin = stage.query("SELECT pg_current_wal_lsn()");
        for (int round = 0; round < 12; round++) {
            stage.sql("INSERT INTO %s.elsewhere SELECT repeat(md5(random()::text), 30) FROM generate_series(1, 10000)");
            String lsn = stage.query("SELECT pg_current_wal_lsn()");
            awaitConfirmed(lsn);
            Awaitility.await("little log is kept in round " + round)
                    .atMost(CaptureStage.TIMEOUT)
                    .pollInterval(CaptureStage.POLL)
                    .until(() -> {
                        // What lets a slot give log away is that the server notes which transactions run.
                        stage.sql("CHECKPOINT");
                        return Long.parseLong(stage.query("SELECT (pg_current_wal_lsn() - restart_lsn)::bigint FROM"
                                        + " pg_replication_slots WHERE slot_name = '%s_slot'"))
                                < BOUND_BYTES;
                    });
        }

        assertThat(Long.parseLong(stage.query("SELECT (pg_current_wal_lsn() - '" + begin + "')::bigint")))
                .as("written meanwhile")
                .isGreaterThan(2 * BOUND_BYTES);
    }

    @Test
    void whatIsMissingIsSaidWithTheSqlThatMendsIt() throws Exception {
        openOutbox();
        String outbox = stage.name + ".outbox_events";
        stage.sql("ALTER PUBLICATION %1$s_outbox DROP TABLE %1$s.heartbeat");
        assertThat(refusal()).contains("does not contain " + stage.name + ".heartbeat: ALTER PUBLICATION");
        stage.sql("ALTER PUBLICATION %1$s_outbox ADD TABLE %1$s.heartbeat");
        stage.sql("ALTER PUBLICATION %s_outbox SET (publish = 'insert')");
        assertThat(refusal()).contains("leaves out some changes");
        stage.sql("ALTER PUBLICATION %s_outbox SET (publish = 'insert, update')");
        assertThatCode(() -> CapturePreflight.check(stage.options(Start.INITIAL)))
                .as("deletes do not count")
                .doesNotThrowAnyException();
        stage.sql("ALTER TABLE %s.outbox_events RENAME COLUMN payload TO body");
        stage.acceptFiltered(true);
        assertThat(refusal())
                .contains("The outbox " + outbox + " has no column payload")
                .contains("capture.outbox.…-column");
        stage.acceptFiltered(false);
        stage.sql("ALTER TABLE %s.outbox_events RENAME COLUMN body TO payload");
        limitedRole("SELECT");
        stage.outbox(CaptureSamples.outbox(true));
        assertThat(refusal()).contains("GRANT DELETE ON " + outbox + " TO " + stage.name + "_reader");
        stage.sql("GRANT DELETE ON %1$s.outbox_events TO %1$s_reader");
        assertThatCode(() -> CapturePreflight.check(stage.options(Start.INITIAL)))
                .doesNotThrowAnyException();
        stage.sql("ALTER TABLE %s.outbox_events DROP COLUMN created_at");
        assertThat(refusal()).contains("or leave capture.outbox.purge out").contains("or set capture.start=latest");
    }

    @Test
    void aStateOfTheTablesIsRefusedByTheOutboxAndTheOtherWayRound() throws Exception {
        openOutbox();
        stage.outbox(null);
        stage.start(Start.INITIAL);
        awaitStreaming();
        String ofTables = stage.stop();
        stage.outbox(CaptureSamples.outbox());
        stage.start(Start.INITIAL, ofTables, Duration.ofMillis(200));
        assertThat(stage.failure())
                .contains("This state is one of capture.source=tables, and capture.source is outbox now")
                .contains("it goes on at its slot " + stage.slot());

        long between = stage.insertEvent();
        stage.start(Start.LATEST);
        stage.awaitEvent(between);
        awaitStreaming();
        String ofOutbox = stage.stop();
        stage.outbox(null);
        stage.start(Start.INITIAL, ofOutbox, Duration.ofMillis(200));
        assertThat(stage.failure())
                .contains("This state is one of capture.source=outbox, and capture.source is tables now");
    }

    private String refusal() {
        try {
            CapturePreflight.check(stage.options(Start.INITIAL));
            return "";
        } catch (CaptureSetupException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private void openOutbox() throws Exception {
        stage.script("outbox.sql");
        stage.outbox(CaptureSamples.outbox());
    }

    /** Captures as a role that may do that to the outbox, and nothing at all to the tables. */
    private void limitedRole(String rights) throws Exception {
        stage.sql("CREATE ROLE %s_reader LOGIN REPLICATION PASSWORD 'x'");
        stage.sql("GRANT USAGE ON SCHEMA %1$s TO %1$s_reader");
        stage.sql("GRANT " + rights + " ON %1$s.outbox_events TO %1$s_reader");
        stage.sql("GRANT SELECT, INSERT, UPDATE ON %1$s.heartbeat TO %1$s_reader");
        stage.username(stage.name + "_reader", Files.writeString(directory.resolve("reader"), "x"));
    }

    /** The snapshot is over, changes come, and a completed checkpoint holds all of them. */
    private void awaitStreaming() throws Exception {
        stage.awaitChange();
        String before = stage.query("SELECT pg_current_wal_insert_lsn()");
        stage.insertEvent();
        awaitConfirmed(before);
    }

    private void awaitConfirmed(String lsn) {
        Awaitility.await("slot confirmed beyond " + lsn)
                .atMost(CaptureStage.TIMEOUT)
                .until(() ->
                        stage.slotColumn("confirmed_flush_lsn > '" + lsn + "'").equals("t"));
    }

    private Set<Long> ids(String sql) throws Exception {
        Set<Long> ids = new HashSet<>();
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(String.format(sql, stage.name))) {
            while (row.next()) {
                ids.add(row.getLong(1));
            }
        }
        return ids;
    }

    private static List<Record> of(List<Record> records, String topic) {
        return records.stream().filter(record -> record.topic().equals(topic)).toList();
    }
}
