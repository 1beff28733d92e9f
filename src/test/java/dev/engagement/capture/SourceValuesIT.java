package dev.engagement.capture;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.engagement.capture.CaptureOptions.Start;
import dev.engagement.capture.CaptureStage.Record;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.Reason;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TimeZone;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.flink.api.common.JobStatus;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What values and types real databases hold: captured the same from the snapshot and from the log, or refused by row. */
class SourceValuesIT extends OnCaptureServers {

    /** Types that some reader stumbles over, with a value it stumbles over. */
    private static final String[][] ODD = {
        {"numeric", "'Infinity'"},
        {"numeric", "'-Infinity'"},
        {"numeric", "'NaN'"},
        {"numeric", "('1' || repeat('0', 5000) || '.' || repeat('7', 5000))::numeric"},
        {"numeric[]", "'{Infinity,NaN,NULL}'"},
        {"%1$s.odd_number", "'Infinity'"},
        {"%1$s.odd_number[]", "'{-Infinity}'"},
        {"%1$s.odd_row", "ROW('Infinity', '{NaN}', 'x')"},
        {"%1$s.odd_row[]", "ARRAY[ROW('NaN', NULL, '\"')::%1$s.odd_row]"},
        {"%1$s.odd_kind", "'v. Chr.'"},
        {"money", "'-12,345.67'"},
        {"money[]", "'{\"-12,345.67\"}'"},
        {"float8", "'NaN'"},
        {"float4", "'-Infinity'"},
        {"timestamptz", "'infinity'"},
        {"timestamptz", "'4713-01-01 00:00:00 BC'"},
        {"timestamp", "'-infinity'"},
        {"timestamp", "'294276-12-31 23:59:59.999999'"},
        {"timestamptz[]", "'{infinity,-infinity}'"},
        {"date", "'infinity'"},
        {"date", "'0044-03-15 BC'"},
        {"time", "'24:00:00'"},
        {"timetz", "'24:00:00-15:59:59'"},
        {"interval", "'-178000000 years'"},
        {"interval", "'1 year -2 months +3 days -04:05:06.789'"},
        {"interval[]", "'{1 day,-1 month}'"},
        {"tstzrange", "'[0001-01-01,infinity)'"},
        {"point", "'(Infinity,NaN)'"},
        {"path", "'[(0,0),(1,1)]'"},
        {"bit varying", "''"},
        {"bytea", "'\\x00'"},
        {"tsvector", "'a:1'"},
        {"\"char\"", "'x'"},
        {"xid", "'4294967295'"},
        {"oid", "'4294967295'"},
        {"pg_lsn", "'FFFFFFFF/FFFFFFFF'"},
        {"regclass", "'pg_class'"},
        {"jsonpath", "'$.a'"},
    };

    private long insertEvent(String columns, String values) throws Exception {
        return Long.parseLong(stage.query(
                "INSERT INTO %1$s.engagement_events (" + columns + ") VALUES (" + values + ") RETURNING id"));
    }

    private void insertContent(String id) throws Exception {
        stage.sql("INSERT INTO %s.content (id, slug, title, publish_ts) VALUES ('" + id + "', 's', 't', now())");
    }

    private static String contentId(int number) {
        return String.format("00000000-0000-0000-0000-%012d", number);
    }

    private JsonNode event(long id) {
        stage.awaitEvent(id);
        return stage.records().stream()
                .filter(record -> record.topic().equals(stage.eventsTopic()) && record.eventId() == id)
                .findFirst()
                .orElseThrow()
                .value()
                .path("after");
    }

    private List<Record> contents(int number) {
        return stage.records().stream()
                .filter(record -> record.key().equals("{\"id\":\"" + contentId(number) + "\"}"))
                .toList();
    }

    private void awaitContents(int number, int changes) {
        stage.await(all -> contents(number).size() >= changes);
    }

    private DeadLetter letter(String key) {
        Awaitility.await("a letter about " + key)
                .atMost(CaptureStage.TIMEOUT)
                .pollInterval(CaptureStage.POLL)
                .until(() -> stage.letters().stream().anyMatch(letter -> isAbout(letter, key)));
        return stage.letters().stream()
                .filter(letter -> isAbout(letter, key))
                .findFirst()
                .orElseThrow();
    }

    private static boolean isAbout(DeadLetter letter, String key) {
        return letter.headers().stream()
                .anyMatch(header -> header.key().equals(DeadLetter.ROW_KEY)
                        && new String(header.value(), StandardCharsets.UTF_8).equals(key));
    }

    private DeadLetter eventLetter(long id) {
        DeadLetter letter = letter("{\"id\":" + id + "}");
        assertThat(letter.reason()).isEqualTo(Reason.UNDECODABLE);
        assertThat(letter.eventId().number()).isEqualTo(id);
        assertThat(letter.source().topic()).isEqualTo(stage.name + ".engagement_events");
        return letter;
    }

    private void assertNoRestartAndNoLetter() throws Exception {
        assertThat(stage.letters()).isEmpty();
        assertThat(stage.restarts()).isZero();
        assertThat(stage.status()).isEqualTo(JobStatus.RUNNING);
    }

    @Test
    void anEnumWithoutValuesIsNoReasonToFail() throws Exception {
        stage.sql("CREATE TYPE %1$s.not_yet AS ENUM ()");
        stage.sql("CREATE DOMAIN %1$s.not_yet_either AS %1$s.not_yet");
        stage.sql("ALTER TABLE %1$s.content ADD a %1$s.not_yet, ADD b %1$s.not_yet_either, ADD c %1$s.not_yet[]");
        insertContent(contentId(1));
        stage.start(Start.INITIAL);
        stage.awaitChange();
        awaitContents(1, 1);

        stage.sql("CREATE TYPE %1$s.also_not_yet AS ENUM ()");
        stage.sql("ALTER TABLE %1$s.content ADD d %1$s.also_not_yet, ADD e %1$s.also_not_yet[] DEFAULT '{}'");
        stage.sql("ALTER TABLE %1$s.engagement_events ALTER device TYPE %1$s.also_not_yet USING NULL");
        insertContent(contentId(2));
        awaitContents(2, 1);
        assertThat(event(insertEvent("event_type, event_ts", "'play', now()"))
                        .path("device")
                        .isNull())
                .isTrue();
        assertNoRestartAndNoLetter();

        stage.start(Start.INITIAL, stage.stop(), Duration.ofMillis(200));
        stage.awaitChange();
    }

    @Test
    void columnsThatNobodyUsesAreNotRead() throws Exception {
        stage.sql("CREATE DOMAIN %s.odd_number AS numeric");
        stage.sql("CREATE TYPE %s.odd_row AS (a numeric, b numeric[], c text)");
        stage.sql("CREATE TYPE %s.odd_kind AS ENUM ('v. Chr.')");
        addOddColumns("content", "before");
        addOddColumns("engagement_events", "before");
        stage.sql("ALTER TABLE %s.engagement_events REPLICA IDENTITY FULL");
        insertContent(contentId(1));
        long old = insertEvent("event_type, event_ts", "'play', now()");
        stage.start(Start.INITIAL);
        stage.awaitChange();

        addOddColumns("content", "after");
        addOddColumns("engagement_events", "after");
        insertContent(contentId(2));
        stage.sql("UPDATE %s.content SET title = 'u'");
        stage.sql("DELETE FROM %s.content");
        long recent = insertEvent("event_type, event_ts", "'pause', now()");
        stage.sql("UPDATE %s.engagement_events SET duration_ms = 7 WHERE id = " + recent);
        stage.sql("DELETE FROM %s.engagement_events WHERE id = " + recent);

        for (int content = 1; content <= 2; content++) {
            awaitContents(content, 4);
            assertThat(contents(content))
                    .extracting(Record::op)
                    .containsExactly(content == 1 ? "r" : "c", "u", "d", "tombstone");
        }
        Set<String> columns = new TreeSet<>();
        contents(1).get(0).value().path("after").fieldNames().forEachRemaining(columns::add);
        assertThat(columns).containsExactlyInAnyOrderElementsOf(CapturedTable.CONTENT.columns());
        assertThat(event(old).path("event_type").asText()).isEqualTo("play");
        stage.await(all -> all.stream()
                .anyMatch(record -> record.eventId() == recent && record.op().equals("d")));
        assertNoRestartAndNoLetter();
    }

    private void addOddColumns(String table, String prefix) throws Exception {
        List<String> columns = new ArrayList<>();
        for (int i = 0; i < ODD.length; i++) {
            columns.add("ADD " + prefix + i + ' ' + ODD[i][0] + " DEFAULT " + ODD[i][1]);
        }
        stage.sql("ALTER TABLE %1$s." + table + ' ' + String.join(", ", columns));
    }

    @Test
    void aValueThatCannotBeReadIsALetterAboutItsRow() throws Exception {
        stage.sql("ALTER TABLE %s.engagement_events ALTER duration_ms TYPE numeric");
        stage.sql("ALTER TABLE %s.engagement_events REPLICA IDENTITY FULL");
        stage.sql("ALTER TABLE %s.content ALTER length_seconds TYPE money");
        stage.sql("INSERT INTO %s.content VALUES ('" + contentId(1) + "', 's', 't', NULL, '-12,345.67', now())");
        String columns = "event_type, event_ts, duration_ms";
        long old = insertEvent(columns, "'play', now(), 'Infinity'");
        long good = insertEvent(columns, "'play', now(), 7");
        stage.start(Start.INITIAL);
        stage.awaitChange();

        long recent = insertEvent(columns, "'play', now(), '-Infinity'");
        long notANumber = insertEvent(columns, "'play', now(), 'NaN'");
        stage.sql("INSERT INTO %s.content VALUES ('" + contentId(2) + "', 's', 't', NULL, '1.00', now())");

        assertThat(eventLetter(old).error())
                .contains("The row {\"id\":" + old + "} of " + stage.name + ".engagement_events")
                .contains("its column duration_ms of type numeric holds 'Infinity'");
        assertThat(eventLetter(recent).error()).contains("holds '-Infinity'");
        assertThat(eventLetter(recent).source().offset()).isPositive();
        assertThat(eventLetter(notANumber).error()).contains("holds 'NaN'");
        for (int content = 1; content <= 2; content++) {
            assertThat(letter("{\"id\":\"" + contentId(content) + "\"}").error())
                    .contains("its column length_seconds of type money holds");
        }
        assertThat(event(good).path("duration_ms").isNull()).isFalse();

        // What was wrong before a change says nothing about the row after it.
        stage.sql("UPDATE %s.engagement_events SET duration_ms = 8 WHERE id = " + old);
        stage.sql("DELETE FROM %s.engagement_events WHERE id = " + recent);
        stage.await(all -> all.stream().anyMatch(r -> r.eventId() == old && r.op().equals("u")));
        stage.await(all -> all.stream().anyMatch(r -> r.eventId() == recent && r.op().equals("d")));
        assertThat(stage.letters())
                .extracting(DeadLetter::id)
                .doesNotHaveDuplicates()
                .hasSize(5);
        assertThat(stage.restarts()).isZero();
    }

    /** Every value twice: one row of it before the snapshot, and one after. */
    private void assertTimes(TimeZone zone, String type, Map<String, String> expected) throws Exception {
        stage.sql("ALTER TABLE %s.engagement_events ALTER event_ts TYPE " + type);
        Map<Long, String> ids = new TreeMap<>();
        TimeZone before = TimeZone.getDefault();
        TimeZone.setDefault(zone);
        try {
            for (Map.Entry<String, String> time : expected.entrySet()) {
                ids.put(insertEvent("event_ts", "'" + time.getKey() + "'"), time.getValue());
            }
            stage.start(Start.INITIAL);
            stage.awaitChange();
            for (Map.Entry<String, String> time : expected.entrySet()) {
                ids.put(insertEvent("event_ts", "'" + time.getKey() + "'"), time.getValue());
            }
            Map<Long, String> captured = new TreeMap<>();
            for (long id : ids.keySet()) {
                captured.put(id, event(id).path("event_ts").asText());
            }
            assertThat(captured).isEqualTo(ids);
        } finally {
            TimeZone.setDefault(before);
        }
        assertNoRestartAndNoLetter();
    }

    private static final Map<String, String> TIMES = Map.ofEntries(
            Map.entry("0001-01-01 00:00:00Z", "0001-01-01T00:00:00Z"),
            Map.entry("0001-12-31 23:59:59.999999Z BC", "0000-12-31T23:59:59.999999Z"),
            Map.entry("0044-03-15 12:00:00Z BC", "-0043-03-15T12:00:00Z"),
            Map.entry("0005-02-29 00:00:00Z BC", "-0004-02-29T00:00:00Z"),
            Map.entry("4713-01-02 00:00:00Z BC", "-4712-01-02T00:00:00Z"),
            Map.entry("1500-02-28 00:00:00Z", "1500-02-28T00:00:00Z"),
            Map.entry("1582-10-04 23:00:00Z", "1582-10-04T23:00:00Z"),
            Map.entry("1582-10-10 00:00:00Z", "1582-10-10T00:00:00Z"),
            Map.entry("1582-10-15 00:00:00Z", "1582-10-15T00:00:00Z"),
            Map.entry("1883-11-18 17:00:00.5Z", "1883-11-18T17:00:00.5Z"),
            Map.entry("1937-06-30 23:40:28Z", "1937-06-30T23:40:28Z"),
            Map.entry("1937-07-01 00:00:00+00:19:32", "1937-06-30T23:40:28Z"),
            Map.entry("2026-03-29 01:30:00Z", "2026-03-29T01:30:00Z"),
            Map.entry("2026-10-25 00:30:00.000001Z", "2026-10-25T00:30:00.000001Z"),
            Map.entry("9999-12-31 23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
            Map.entry("10000-01-01 00:00:00Z", "+10000-01-01T00:00:00Z"),
            Map.entry("294276-12-31 23:59:59.999999Z", "+294276-12-31T23:59:59.999999Z"),
            Map.entry("infinity", "infinity"),
            Map.entry("-infinity", "-infinity"));

    @Test
    void aTimeIsTheSameBothWaysInAmsterdam() throws Exception {
        assertTimes(TimeZone.getTimeZone("Europe/Amsterdam"), "timestamptz", TIMES);
    }

    @Test
    void aTimeIsTheSameBothWaysInNewYork() throws Exception {
        assertTimes(TimeZone.getTimeZone("America/New_York"), "timestamptz", TIMES);
    }

    @Test
    void aTimeIsTheSameBothWaysInUtc() throws Exception {
        assertTimes(TimeZone.getTimeZone("UTC"), "timestamptz", TIMES);
    }

    @Test
    void aTimeWithoutZoneIsOneInUtcBothWays() throws Exception {
        assertTimes(
                TimeZone.getTimeZone("Europe/Amsterdam"),
                "timestamp",
                Map.of(
                        "0044-03-15 00:00:00 BC", "-0043-03-15T00:00:00Z",
                        "0001-01-01 00:00:00", "0001-01-01T00:00:00Z",
                        "1582-10-10 00:00:00", "1582-10-10T00:00:00Z",
                        "1937-07-01 00:00:00", "1937-07-01T00:00:00Z",
                        "2026-03-29 02:30:00.000001", "2026-03-29T02:30:00.000001Z",
                        "infinity", "infinity",
                        "-infinity", "-infinity"));
    }

    @Test
    void aDateIsTheSameBothWays() throws Exception {
        // Days since 1970: '…'::date - '1970-01-01'::date.
        assertTimes(
                TimeZone.getTimeZone("America/New_York"),
                "date",
                Map.of(
                        "0044-03-15 BC",
                        "-735160",
                        "0001-01-01",
                        "-719162",
                        "1582-10-10",
                        "-141432",
                        "2026-03-29",
                        "20541"));
    }

    @Test
    void aColumnWhoseTypeWasReplacedWhileStoppedIsWhole() throws Exception {
        stage.sql("CREATE TYPE %1$s.kind AS ENUM ('play', 'pause')");
        stage.sql("CREATE TYPE %1$s.gadget AS ENUM ('web', 'tv')");
        stage.sql("CREATE DOMAIN %1$s.who AS text");
        stage.sql("CREATE DOMAIN %1$s.millis AS integer");
        stage.sql("ALTER TABLE %1$s.engagement_events ALTER event_type TYPE %1$s.kind USING event_type::%1$s.kind,"
                + " ALTER device TYPE %1$s.gadget USING NULL, ALTER user_id TYPE %1$s.who USING NULL,"
                + " ALTER duration_ms TYPE %1$s.millis");
        stage.start(Start.INITIAL);
        stage.awaitChange();
        String savepoint = stage.stop();

        String columns = "event_type, event_ts, device, user_id, duration_ms";
        long before = insertEvent("event_type, event_ts, device, user_id", "'play', now(), 'web', 'somebody'");
        long withNumber = insertEvent(columns, "'pause', now(), 'tv', 'she', 7000");
        // An enum that is replaced, one with a value of another name, a type that is dropped and made again, and one
        // that the column leaves.
        stage.sql("CREATE TYPE %1$s.kind2 AS ENUM ('play', 'finish', 'pause')");
        stage.sql("ALTER TABLE %1$s.engagement_events ALTER event_type TYPE %1$s.kind2"
                + " USING event_type::text::%1$s.kind2");
        stage.sql("DROP TYPE %1$s.kind");
        stage.sql("ALTER TYPE %1$s.kind2 RENAME TO kind");
        stage.sql("ALTER TYPE %1$s.gadget RENAME VALUE 'web' TO 'browser'");
        stage.sql("ALTER TABLE %1$s.engagement_events ALTER user_id TYPE text");
        stage.sql("DROP DOMAIN %1$s.who");
        stage.sql("CREATE DOMAIN %1$s.who AS integer");
        stage.sql("ALTER TABLE %1$s.engagement_events ALTER duration_ms TYPE integer");
        stage.sql("DROP DOMAIN %1$s.millis");
        long between = insertEvent(columns, "'finish', now(), 'browser', 'he', 8000");
        stage.sql("ALTER TABLE %1$s.engagement_events ALTER event_type TYPE text");
        long after = insertEvent(columns, "'click', now(), 'tv', 'it', 9000");
        stage.start(Start.INITIAL, savepoint, Duration.ofMillis(200));

        assertThat(event(before).path("event_type").asText()).isEqualTo("play");
        assertThat(event(before).path("user_id").asText()).isEqualTo("somebody");
        assertThat(event(before).path("device").asText()).isIn("web", "browser");
        assertThat(event(between).path("event_type").asText()).isEqualTo("finish");
        assertThat(event(between).path("duration_ms").asInt()).isEqualTo(8000);
        assertThat(event(after).path("event_type").asText()).isEqualTo("click");
        assertThat(eventLetter(withNumber).error())
                .contains("its column duration_ms of type unknown holds '7000'")
                .contains("its type has been dropped since");
        // Rows from before the savepoint, which were captured once already, may come again and be refused, too.
        assertThat(stage.letters())
                .extracting(letter -> letter.eventId().number())
                .doesNotContain(before, between, after);
    }

    @Test
    void aRowThatCameWithoutAColumnInUseIsALetter() throws Exception {
        stage.start(Start.INITIAL);
        stage.awaitChange();
        String savepoint = stage.stop();
        stage.sql("ALTER TABLE %s.engagement_events RENAME event_type TO etype");
        long without = insertEvent("etype, event_ts", "'play', now()");
        stage.sql("ALTER TABLE %s.engagement_events RENAME etype TO event_type");
        stage.start(Start.INITIAL, savepoint, Duration.ofMillis(200));
        assertThat(eventLetter(without).error()).contains("it came without event_type");
        assertThat(event(insertEvent("event_type, event_ts", "'play', now()"))
                        .path("event_type")
                        .asText())
                .isEqualTo("play");
    }

    @Test
    void noDefaultTakesThePlaceOfNothing() throws Exception {
        stage.sql("ALTER TABLE %s.engagement_events ALTER device SET DEFAULT 'web', ALTER duration_ms SET DEFAULT 5");
        String columns = "event_type, event_ts, device, duration_ms";
        long old = insertEvent(columns, "'play', now(), NULL, NULL");
        stage.start(Start.INITIAL);
        stage.awaitChange();
        long recent = insertEvent(columns, "'play', now(), NULL, NULL");
        for (long id : new long[] {old, recent}) {
            assertThat(event(id).path("device").isNull()).isTrue();
            assertThat(event(id).path("duration_ms").isNull()).isTrue();
        }
    }

    @Test
    void whatAnUpdateLeftAsItWasIsNotTakenForNothing() throws Exception {
        stage.sql("ALTER TABLE %s.content ALTER title SET STORAGE EXTERNAL");
        stage.sql("INSERT INTO %s.content (id, slug, title, publish_ts) VALUES ('" + contentId(1)
                + "', 's', repeat('t', 9000), now())");
        stage.start(Start.INITIAL);
        stage.awaitChange();
        stage.sql("UPDATE %s.content SET slug = 'other'");
        awaitContents(1, 2);
        assertThat(contents(1).get(1).value().path("after").path("title").asText())
                .isEqualTo("__debezium_unavailable_value");
    }
}
