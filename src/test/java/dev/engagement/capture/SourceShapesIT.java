package dev.engagement.capture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.capture.CaptureOptions.Start;
import java.nio.file.Files;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What real databases look like, and what becomes of their tables while capture runs. */
class SourceShapesIT extends OnCaptureServers {

    /** The table of events, partitioned by month, with two partitions and a publication of the root. */
    private void partitionEvents(String primaryKey) throws Exception {
        stage.sql("DROP TABLE %s.engagement_events CASCADE");
        stage.sql("CREATE TABLE %s.engagement_events (id BIGSERIAL, content_id UUID, user_id UUID, event_type TEXT,"
                + " event_ts TIMESTAMPTZ NOT NULL, duration_ms INTEGER, device TEXT, raw_payload JSONB, PRIMARY KEY ("
                + primaryKey + ")) PARTITION BY RANGE (event_ts)");
        stage.sql("CREATE TABLE %1$s.events_old PARTITION OF %1$s.engagement_events"
                + " FOR VALUES FROM (MINVALUE) TO ('2026-01-01Z')");
        stage.sql("CREATE TABLE %1$s.events_new PARTITION OF %1$s.engagement_events"
                + " FOR VALUES FROM ('2026-01-01Z') TO (MAXVALUE)");
        stage.sql("ALTER PUBLICATION %1$s_publication ADD TABLE %1$s.engagement_events");
    }

    private long insertEventAt(String time) throws Exception {
        return Long.parseLong(stage.query("INSERT INTO %s.engagement_events (event_type, event_ts) VALUES ('play', '"
                + time + "') RETURNING id"));
    }

    private String refusal() {
        try {
            CapturePreflight.check(stage.options(Start.INITIAL));
            return "";
        } catch (CaptureSetupException e) {
            return String.valueOf(e.getMessage());
        }
    }

    @Test
    void aPartitionedTableIsReadWhole() throws Exception {
        partitionEvents("id, event_ts");
        stage.sql("ALTER PUBLICATION %s_publication SET (publish_via_partition_root = true)");
        long old = insertEventAt("2025-06-01Z");
        long recent = insertEventAt("2026-06-01Z");

        stage.start(Start.INITIAL);
        stage.awaitEvent(old);
        stage.awaitEvent(recent);
        stage.await(all -> stage.slotActive());
        long later = insertEventAt("2025-06-02Z");
        long latest = insertEventAt("2026-06-02Z");
        stage.awaitEvent(later);
        stage.awaitEvent(latest);

        assertThat(stage.records())
                .extracting(
                        record -> record.value().path("source").path("table").asText())
                .containsOnly("engagement_events");
    }

    @Test
    void aPartitionedTableIsReadWholeByATimeAsItsFirstKey() throws Exception {
        partitionEvents("event_ts, id");
        stage.sql("ALTER PUBLICATION %s_publication SET (publish_via_partition_root = true)");
        long old = insertEventAt("0001-01-01Z");
        long recent = insertEventAt("2026-06-01Z");
        stage.start(Start.INITIAL);
        stage.awaitEvent(old);
        stage.awaitEvent(recent);
    }

    @Test
    void columnsThatDifferOnlyInCaseAreRefusedWithWhatWorks() throws Exception {
        stage.sql("ALTER TABLE %s.engagement_events ADD \"ID\" text, ADD \"Tag\" text, ADD tag text");

        String rename = "ALTER TABLE " + stage.name + ".engagement_events RENAME ";
        assertThat(refusal()).contains(rename + "\"ID\" TO id_2", rename + "tag TO tag_2");
        stage.sql(rename + "\"ID\" TO id_2");
        stage.sql(rename + "tag TO tag_2");
        assertThat(refusal()).isEmpty();
    }

    @Test
    void aPublicationOfPartitionsIsRefusedWithWhatWorks() throws Exception {
        partitionEvents("id, event_ts");

        String viaRoot = "ALTER PUBLICATION " + stage.name + "_publication SET (publish_via_partition_root = true)";
        assertThat(refusal()).contains(viaRoot).doesNotContain("ADD TABLE");
        stage.sql(viaRoot);
        assertThat(refusal()).isEmpty();
    }

    @Test
    void partitionsPublishedOneByOneAreRefusedWithWhatWorks() throws Exception {
        partitionEvents("id, event_ts");
        stage.sql("ALTER PUBLICATION %1$s_publication SET TABLE %1$s.events_old, %1$s.events_new, %1$s.content,"
                + " %1$s.heartbeat");
        for (int step = 0; step < 2; step++) {
            String advice = refusal();
            assertThat(advice).as("step " + step).contains("ALTER PUBLICATION");
            stage.sql(advice.substring(advice.indexOf("ALTER PUBLICATION")));
        }
        assertThat(refusal()).isEmpty();
    }

    @Test
    void tablesThatInheritAndTablesOutsideTheLogAreRefused() throws Exception {
        stage.sql("CREATE TABLE %1$s.child () INHERITS (%1$s.content)");
        stage.sql("ALTER PUBLICATION %1$s_publication DROP TABLE %1$s.engagement_events");
        stage.sql("ALTER TABLE %s.engagement_events SET UNLOGGED");
        assertThat(refusal())
                .contains("Other tables inherit from " + stage.name + ".content")
                .contains("ALTER TABLE " + stage.name + ".engagement_events SET LOGGED");
    }

    @Test
    void rowsThatAreHiddenFromTheRoleAreRefused() throws Exception {
        stage.sql("ALTER TABLE %s.content ENABLE ROW LEVEL SECURITY");
        assertThat(refusal()).as("a superuser sees all rows").isEmpty();
        stage.sql("CREATE ROLE %s_reader LOGIN REPLICATION PASSWORD 'x'");
        stage.sql("GRANT USAGE ON SCHEMA %1$s TO %1$s_reader");
        stage.sql("GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA %1$s TO %1$s_reader");
        stage.username(stage.name + "_reader", Files.writeString(directory.resolve("reader"), "x"));
        assertThat(refusal()).contains("ALTER ROLE " + stage.name + "_reader BYPASSRLS");
    }

    @Test
    void aRowFilterIsRefusedUnlessItIsMeant() throws Exception {
        String content = stage.name + ".content";
        stage.sql("ALTER PUBLICATION %1$s_publication SET TABLE %1$s.engagement_events, %1$s.heartbeat,"
                + " %1$s.content WHERE (content_type IS NULL)");
        String advice = refusal();
        assertThat(advice)
                .contains("leaves out rows of " + content + " (only WHERE (content_type IS NULL))")
                .contains("capture.accept-filtered=true");
        stage.acceptFiltered(true);
        assertThat(refusal()).isEmpty();
        stage.acceptFiltered(false);
        stage.sql(advice.substring(advice.indexOf("BEGIN;"), advice.indexOf("COMMIT")) + "COMMIT");
        assertThat(refusal()).isEmpty();
    }

    @Test
    void aListOfColumnsIsRefusedIfItLeavesOutOneInUse() throws Exception {
        stage.sql("ALTER TABLE %s.content ADD nobody_uses_it TEXT");
        String list = "ALTER PUBLICATION %1$s_publication SET TABLE %1$s.engagement_events, %1$s.heartbeat,"
                + " %1$s.content (id, slug, title, publish_ts, length_seconds";
        stage.sql(list + ", content_type)");
        assertThat(refusal()).isEmpty();
        stage.sql(list + ")");
        assertThat(refusal()).contains("leaves out columns of " + stage.name + ".content (content_type)");
        stage.acceptFiltered(true);
        assertThat(refusal()).isEmpty();
    }

    @Test
    void aTableWithoutAColumnInUseIsRefusedUnlessItIsMeant() throws Exception {
        stage.sql("ALTER TABLE %s.engagement_events RENAME device TO gadget");
        assertThat(refusal())
                .contains("The table " + stage.name + ".engagement_events has no column device, which is in use");
        stage.acceptFiltered(true);
        assertThat(refusal()).isEmpty();
        long id = insertEventAt("2026-06-01Z");
        stage.start(Start.INITIAL);
        stage.awaitEvent(id);
        stage.awaitChange();
        assertThat(stage.letters()).isEmpty();
    }

    @Test
    void aReplicaIdentityWithoutThePrimaryKeyIsRefused() throws Exception {
        stage.sql("CREATE UNIQUE INDEX by_slug ON %s.content (slug)");
        for (String other : new String[] {"USING INDEX by_slug", "NOTHING"}) {
            stage.sql("ALTER TABLE %s.content REPLICA IDENTITY " + other);
            String advice = refusal();
            assertThat(advice).as(other).contains("The replica identity of " + stage.name + ".content is not");
            stage.sql(advice.substring(advice.indexOf("ALTER TABLE")));
            assertThat(refusal()).isEmpty();
        }
        for (String fine : new String[] {"FULL", "USING INDEX content_pkey"}) {
            stage.sql("ALTER TABLE %s.content REPLICA IDENTITY " + fine);
            assertThat(refusal()).as(fine).isEmpty();
        }
        partitionEvents("id, event_ts");
        stage.sql("ALTER PUBLICATION %s_publication SET (publish_via_partition_root = true)");
        stage.sql("ALTER TABLE %s.events_old REPLICA IDENTITY NOTHING");
        assertThat(refusal()).contains("The replica identity of " + stage.name + ".events_old is not");
    }

    @Test
    void aGeneratedColumnInUseIsRefusedWithTheWayOut() throws Exception {
        stage.sql("ALTER TABLE %s.content ADD nobody_uses_it TEXT GENERATED ALWAYS AS (title || '!') STORED");
        assertThat(refusal()).isEmpty();
        stage.sql("ALTER TABLE %s.content DROP slug, ADD slug TEXT GENERATED ALWAYS AS (lower(title)) STORED");
        String advice = refusal();
        assertThat(advice).contains("The column slug of " + stage.name + ".content is generated");
        stage.sql(advice.substring(advice.indexOf("ALTER TABLE"), advice.indexOf(", after which")));
        assertThat(refusal()).isEmpty();
    }

    @Test
    void tablesThatAreSwappedWhileCaptureRunsStopIt() throws Exception {
        stage.start(Start.INITIAL);
        stage.awaitChange();
        stage.sql("BEGIN; ALTER TABLE %1$s.content RENAME TO content_old;"
                + " CREATE TABLE %1$s.content (LIKE %1$s.content_old INCLUDING ALL); COMMIT");

        assertThat(stage.failure())
                .contains("SuppressRestartsException")
                .contains("The table " + stage.name + ".content is another one than was captured so far")
                .contains("ALTER PUBLICATION " + stage.name + "_publication ADD TABLE " + stage.name + ".content")
                .contains("flink run -d engagement-job.jar capture --capture.start latest")
                .containsPattern("backfill --from 20\\S+Z --to 20\\S+Z");

        stage.sql("ALTER PUBLICATION %1$s_publication ADD TABLE %1$s.content");
        stage.start(Start.LATEST);
        stage.awaitEvent(stage.insertEvent());
    }

    @Test
    void tablesThatWereSwappedWhileCaptureWasStoppedAreNotTakenForTheOldOnes() throws Exception {
        stage.start(Start.INITIAL);
        stage.awaitChange();
        String savepoint = stage.stop();
        stage.sql("ALTER TABLE %s.engagement_events RENAME TO events_before");
        stage.sql("CREATE TABLE %1$s.engagement_events (LIKE %1$s.events_before INCLUDING ALL)");
        stage.sql("ALTER PUBLICATION %1$s_publication ADD TABLE %1$s.engagement_events");

        stage.start(Start.INITIAL, savepoint, Duration.ofMillis(200));

        assertThat(stage.failure())
                .contains("The table " + stage.name + ".engagement_events is another one than was captured so far")
                .containsPattern("backfill --from 20\\S+Z --to 20\\S+Z");
    }

    @Test
    void whatTheSourceLosesWhileCaptureRunsStopsIt() throws Exception {
        String publication = "ALTER PUBLICATION %1$s_publication ";
        String[][] losses = {
            {
                "ALTER TABLE %1$s.engagement_events RENAME device TO gadget",
                "has no column device",
                "ALTER TABLE %1$s.engagement_events RENAME gadget TO device"
            },
            {
                publication + "DROP TABLE %1$s.engagement_events",
                "does not contain",
                publication + "ADD TABLE %1$s.engagement_events"
            },
            {
                "ALTER TABLE %1$s.content REPLICA IDENTITY NOTHING",
                "replica identity",
                "ALTER TABLE %1$s.content REPLICA IDENTITY DEFAULT"
            },
            {
                publication + "SET (publish = 'insert')",
                "leaves out some changes",
                publication + "SET (publish = 'insert, update, delete, truncate')"
            },
        };
        for (int i = 0; i < losses.length; i++) {
            stage.start(i == 0 ? Start.INITIAL : Start.LATEST);
            stage.awaitChange();
            stage.sql(losses[i][0]);
            assertThat(stage.failure()).contains(losses[i][1]).contains("Capture has stopped for good");
            stage.sql(losses[i][2]);
        }
    }
}
