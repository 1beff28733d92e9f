package dev.engagement.capture;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.capture.CaptureOptions.Start;
import dev.engagement.capture.CaptureStage.Record;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.api.common.JobStatus;
import org.junit.jupiter.api.Test;

/**
 * What real shapes of tables leave in Kafka, from PostgreSQL through capture, is what stands in the corpus of messages under
 * {@code src/test/resources/debezium}, where positions and times of the source are the same in all. A message that is not
 * there yet is written by {@code -Ddebezium.write=true}; what must come of it stands beside it by hand.
 */
class RecordedShapesIT extends OnCaptureServers {

    private static final Path CORPUS = Path.of("src/test/resources/debezium");

    @Test
    void aTableWithColumnsOfAllKindsThatChangeWhileCaptureRuns() throws Exception {
        stage.sql("CREATE TYPE %1$s.kind AS ENUM ('product_view', 'Zum Warenkorb')");
        stage.sql("CREATE DOMAIN %1$s.gadget AS text CHECK (value <> '')");
        stage.sql("CREATE DOMAIN %1$s.millis AS integer CHECK (value >= 0)");
        stage.sql(
                "ALTER TABLE %1$s.engagement_events ALTER event_type TYPE %1$s.kind USING event_type::%1$s.kind,"
                        + " ALTER device TYPE %1$s.gadget, ALTER duration_ms TYPE %1$s.millis,"
                        + " ADD \"ID of Old\" text DEFAULT 'X', ADD \"Tag\" text DEFAULT 'Y',"
                        + " ADD \"Order No.\" numeric DEFAULT 1.5,"
                        + " ADD tags text[] DEFAULT '{a,b}', ADD shout text GENERATED ALWAYS AS (upper(raw_payload::text)) STORED");
        insertShopEvent(1001, "'product_view'", "'{\"price\": 12.50, \"sum\": 12345678901234567890.10, \"n\": 1e3}'");
        stage.start(Start.INITIAL);
        await(1001, "r");
        stage.await(all -> stage.slotActive());
        insertShopEvent(1002, "'Zum Warenkorb'", "'{\"price\": 12.50, \"sum\": 12345678901234567890.10, \"n\": 1e3}'");
        stage.sql("ALTER TABLE %s.engagement_events ADD campaign text DEFAULT 'spring', DROP tags, DROP shout");
        stage.sql("ALTER TABLE %s.engagement_events RENAME \"ID of Old\" TO \"Old ID\"");
        stage.sql("ALTER TYPE %s.kind ADD VALUE 'purchase'");
        insertShopEvent(1003, "'purchase'", "'[1, \"\u00fc\", null]'");
        stage.sql("UPDATE %s.engagement_events SET id = 1004 WHERE id = 1003");
        stage.sql("ALTER TABLE %s.engagement_events DROP campaign");
        stage.sql("DELETE FROM %s.engagement_events WHERE id = 1004");

        assertRecorded("event-recorded-snapshot-enum-domain-numeric", await(1001, "r"));
        assertRecorded("event-recorded-enum-domain-numeric", await(1002, "c"));
        assertRecorded("event-recorded-columns-changed", await(1003, "c"));
        assertRecorded("event-recorded-primary-key-changed-delete", await(1003, "d"));
        assertRecorded("event-recorded-primary-key-changed-insert", await(1004, "c"));
        assertRecorded("event-recorded-deleted", await(1004, "d"));
        assertWhole();
    }

    private void insertShopEvent(int id, String type, String payload) throws Exception {
        stage.sql("INSERT INTO %1$s.engagement_events (id, content_id, event_type, event_ts, duration_ms, device,"
                + " raw_payload) VALUES (" + id + ", '6f1c1c52-8f0e-4f5e-9d2c-0d3c2b7a9e11', " + type
                + ", '2026-01-08 15:21:52.5+01', 7000, 'web', " + payload + ")");
    }

    @Test
    void aPartitionedTableThatIsTruncated() throws Exception {
        stage.sql("DROP TABLE %s.engagement_events CASCADE");
        stage.sql("CREATE TABLE %s.engagement_events (id BIGINT, content_id UUID, user_id UUID, event_type TEXT,"
                + " event_ts TIMESTAMPTZ, duration_ms INTEGER, device TEXT, raw_payload JSONB, PRIMARY KEY (id, event_ts))"
                + " PARTITION BY RANGE (event_ts)");
        stage.sql("CREATE TABLE %1$s.\"Events of 2026\" PARTITION OF %1$s.engagement_events"
                + " FOR VALUES FROM ('2026-01-01Z') TO ('2027-01-01Z')");
        stage.sql("ALTER PUBLICATION %1$s_publication ADD TABLE %1$s.engagement_events");
        stage.sql("ALTER PUBLICATION %s_publication SET (publish_via_partition_root = true)");
        insertPlay(1001, "2026-01-08 14:21:52Z");
        stage.start(Start.INITIAL);
        await(1001, "r");
        stage.await(all -> stage.slotActive());
        insertPlay(1002, "2026-01-08 14:21:52Z");
        stage.sql("CREATE TABLE %1$s.later PARTITION OF %1$s.engagement_events"
                + " FOR VALUES FROM ('2027-01-01Z') TO (MAXVALUE)");
        insertPlay(1003, "2027-01-08 14:21:52Z");
        stage.sql("TRUNCATE %s.engagement_events");
        stage.sql("DROP TABLE %s.\"Events of 2026\"");
        insertPlay(1004, "2027-01-08 14:21:52Z");

        assertRecorded("event-recorded-partition-snapshot", await(1001, "r"));
        assertRecorded("event-recorded-partition", await(1002, "c"));
        assertRecorded("event-recorded-partition-made-while-running", await(1003, "c"));
        await(1004, "c");
        assertThat(stage.records())
                .as("nothing comes of a truncation: facts are immutable")
                .extracting(Record::op)
                .containsOnly("r", "c");
        assertWhole();
    }

    private void insertPlay(int id, String time) throws Exception {
        stage.sql("INSERT INTO %1$s.engagement_events (id, content_id, event_type, event_ts) VALUES (" + id
                + ", '6f1c1c52-8f0e-4f5e-9d2c-0d3c2b7a9e11', 'play', '" + time + "')");
    }

    @Test
    void timesWithoutAZone() throws Exception {
        stage.sql("ALTER TABLE %s.engagement_events ALTER event_ts TYPE timestamp");
        stage.start(Start.INITIAL);
        stage.awaitChange();
        insertPlay(1001, "2026-01-08 14:21:52.000001");

        assertRecorded("event-recorded-time-without-zone", await(1001, "c"));
        assertWhole();
    }

    @Test
    void timesThatAreNone() throws Exception {
        stage.start(Start.INITIAL);
        stage.awaitChange();
        insertPlay(1001, "0044-03-15 12:00:00Z BC");
        insertPlay(1002, "infinity");
        insertPlay(1003, "-infinity");

        assertRecorded("event-recorded-time-before-christ", await(1001, "c"));
        assertRecorded("event-recorded-time-infinity", await(1002, "c"));
        assertRecorded("event-recorded-time-minus-infinity", await(1003, "c"));
        assertWhole();
    }

    @Test
    void contentsOfWhichTheTextIsLargeAndTheKeyChanges() throws Exception {
        stage.sql("ALTER TABLE %s.content ALTER title SET STORAGE EXTERNAL, ALTER publish_ts TYPE timestamp");
        stage.sql("INSERT INTO %s.content VALUES ('" + CONTENT + "', 's', repeat('t', 9000), 'video', 300,"
                + " '2026-01-08 14:21:52')");
        stage.start(Start.INITIAL);
        stage.awaitChange();
        stage.sql("UPDATE %s.content SET slug = 'other', publish_ts = 'infinity'");
        stage.sql("UPDATE %s.content SET id = '" + OTHER_CONTENT
                + "', title = 'short', publish_ts = '2026-01-08 14:21:52'");

        assertRecorded("content-recorded-large-title-untouched", awaitContent(CONTENT, "u"));
        assertRecorded("content-recorded-primary-key-changed-delete", awaitContent(CONTENT, "d"));
        assertThat(awaitContent(CONTENT, "tombstone").value()).isNull();
        assertRecorded("content-recorded-primary-key-changed-insert", awaitContent(OTHER_CONTENT, "c"));
        assertWhole();
    }

    private static final String CONTENT = "6f1c1c52-8f0e-4f5e-9d2c-0d3c2b7a9e11";
    private static final String OTHER_CONTENT = "6f1c1c52-8f0e-4f5e-9d2c-0d3c2b7a9e12";

    private Record await(long id, String op) {
        return found(stage.eventsTopic(), id, "", op);
    }

    private Record awaitContent(String id, String op) {
        return found(stage.contentTopic(), 0, id, op);
    }

    private Record found(String topic, long eventId, String keyPart, String op) {
        return stage.await(all -> all.stream().anyMatch(record -> isIt(record, topic, eventId, keyPart, op))).stream()
                .filter(record -> isIt(record, topic, eventId, keyPart, op))
                .findFirst()
                .orElseThrow();
    }

    private static boolean isIt(Record record, String topic, long eventId, String keyPart, String op) {
        return record.topic().equals(topic)
                && record.eventId() == eventId
                && record.key().contains(keyPart)
                && record.op().equals(op);
    }

    private void assertWhole() throws Exception {
        assertThat(stage.letters()).isEmpty();
        assertThat(stage.restarts()).isZero();
        assertThat(stage.status()).isEqualTo(JobStatus.RUNNING);
    }

    private static void assertRecorded(String name, Record record) throws IOException {
        ObjectNode value = record.value().deepCopy();
        ObjectNode source = (ObjectNode) value.get("source");
        // A row of a snapshot has no times and places of its own.
        place(source, "ts_ms", 1_767_882_112_123L);
        place(source, "lsn", 24_023_184L);
        place(source, "txId", 755L);
        if (source.path("sequence").isTextual()) {
            source.put("sequence", "[\"24023128\",\"24023184\"]");
        }
        source.put("db", "engagement").put("schema", "Any Schema");
        place(value, "ts_ms", 1_767_882_112_345L);
        byte[] written = CaptureStage.JSON.writeValueAsBytes(value);
        Path file = CORPUS.resolve(name + ".json");
        if (Boolean.getBoolean("debezium.write") && Files.notExists(file)) {
            Files.write(file, written);
        }
        assertThat(new String(written, StandardCharsets.UTF_8)).as(name).isEqualTo(Files.readString(file));
    }

    private static void place(ObjectNode in, String field, long number) {
        JsonNode found = in.path(field);
        if (found.isNumber() && found.asLong() != 0) {
            in.put(field, number);
        }
    }
}
