package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.google.cloud.bigquery.storage.v1.ProtoRows;
import com.google.cloud.bigquery.storage.v1.StreamWriter;
import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Type;
import com.google.protobuf.Descriptors.Descriptor;
import dev.engagement.local.DestinationCheck.Comparison;
import dev.engagement.local.bigquery.Client;
import dev.engagement.local.testing.InProcessBigQuery;
import dev.engagement.local.testing.SharedServers;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The self-check must not be satisfied with less: a warehouse written from SQL passes, and no tampered one does. */
class WarehouseCheckIT {

    private static final Path DIRECTORY = Path.of("target/it/warehouse-check");
    /** More than a page. */
    private static final int EVENTS = 6_000;

    private static final Map<String, String> COLUMNS = new LinkedHashMap<>();

    static {
        COLUMNS.put("event_id", "INT64");
        for (String column :
                List.of("content_id", "user_id", "event_type", "device", "slug", "title", "content_type")) {
            COLUMNS.put(column, "STRING");
        }
        COLUMNS.put("event_ts", "TIMESTAMP");
        COLUMNS.put("publish_ts", "TIMESTAMP");
        COLUMNS.put("duration_ms", "INT64");
        COLUMNS.put("length_seconds", "INT64");
        COLUMNS.put("raw_payload", "JSON");
        COLUMNS.put("engagement_seconds", "NUMERIC");
        COLUMNS.put("engagement_pct", "NUMERIC");
    }

    private static final Descriptor FORM = Client.form(Client.fields(COLUMNS.entrySet().stream()
            .flatMap(each -> java.util.stream.Stream.of(each.getKey(), type(each.getValue())))
            .toArray()));

    private static SharedServers servers;
    private static PostgresServer postgres;
    private static InProcessBigQuery bigQuery;
    private static LoadGenerator generator;
    private static int tables;

    private final String table = "t" + tables++;
    private final List<Map<String, Object>> rows = new ArrayList<>();

    private static Object type(String column) {
        return column.equals("INT64") || column.equals("TIMESTAMP") ? Type.TYPE_INT64 : Type.TYPE_STRING;
    }

    @BeforeAll
    static void start() throws SQLException, IOException {
        servers = SharedServers.lease(DIRECTORY);
        postgres = servers.postgres();
        bigQuery = servers.bigQuery();
        bigQuery.emulator().createDataset(BigQueryProcess.PROJECT, "analytics");
        generator = LoadGenerator.start(
                new LoadOptions(5, 40, 0, EVENTS, EVENTS, Duration.ZERO), postgres.connect(), Clock.systemUTC());
        await().until(generator::isDone);
    }

    @AfterAll
    static void stop() {
        try {
            generator.close();
        } finally {
            servers.close();
        }
    }

    private static final String WAREHOUSE = """
            SELECT e.id AS event_id, content_id::text, user_id::text, event_type, device, slug, title, content_type,
              (extract(epoch FROM event_ts) * 1000000)::bigint AS event_ts,
              (extract(epoch FROM publish_ts) * 1000000)::bigint AS publish_ts,
              duration_ms::bigint, length_seconds::bigint, raw_payload::text,
              (duration_ms / 1000.0)::text AS engagement_seconds,
              round(duration_ms / 1000.0 / length_seconds, 2)::text AS engagement_pct
            FROM engagement_events e JOIN content c ON c.id = content_id ORDER BY e.id""";

    @BeforeEach
    void theWarehouseAsItShouldBe() throws Exception {
        rows.clear();
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery(WAREHOUSE)) {
            ResultSetMetaData meta = result.getMetaData();
            while (result.next()) {
                Map<String, Object> row = new HashMap<>();
                for (int i = 1; i <= meta.getColumnCount(); i++) {
                    if (result.getObject(i) != null) {
                        row.put(meta.getColumnLabel(i), result.getObject(i));
                    }
                }
                rows.add(row);
            }
        }
    }

    /** Writes what the test has made of the rows. */
    private WarehouseCheck check(Function<UUID, List<ContentRow>> versions) throws Throwable {
        var definition = new ObjectMapper().createObjectNode();
        var fields = definition.putObject("schema").putArray("fields");
        COLUMNS.forEach((name, type) -> fields.addObject().put("name", name).put("type", type));
        bigQuery.emulator().createTable(BigQueryProcess.PROJECT, "analytics", table, definition.toString());
        try (Client client = new Client(bigQuery.grpc())) {
            String stream = client.stream(table);
            List<ByteString> bytes =
                    rows.stream().map(row -> Client.message(FORM, row)).toList();
            try (StreamWriter writer = client.writer(stream, FORM)) {
                long offset = Client.append(
                        writer,
                        ProtoRows.newBuilder().addAllSerializedRows(bytes).build(),
                        0);
                assertThat(offset).isZero();
            }
            assertThat(client.flush(stream, rows.size() - 1)).isEqualTo(rows.size() - 1);
        }
        return new WarehouseCheck(
                postgres,
                sql -> bigQuery.query(BigQueryProcess.PROJECT, sql.replace(WarehouseCheck.TABLE, "analytics." + table)),
                versions);
    }

    private List<Comparison> different() throws Throwable {
        return check(generator::versions).compare().stream()
                .filter(comparison -> !comparison.isEqual())
                .toList();
    }

    private Map<String, Object> row(int index) {
        return rows.get(index);
    }

    private String id(int index) {
        return row(index).get("event_id").toString();
    }

    private static List<String> differing(List<Comparison> comparisons) {
        return comparisons.stream().flatMap(each -> each.differing().stream()).toList();
    }

    @Test
    void aWarehouseEqualToTheSourcePasses() throws Throwable {
        WarehouseCheck check = check(generator::versions);
        assertThat(check.arrived()).isEqualTo(EVENTS);
        assertThat(check.compare())
                .allMatch(Comparison::isEqual)
                .extracting(Comparison::source)
                .contains("6000");
    }

    @Test
    void jsonIsComparedByItsMeaning() throws Throwable {
        int index = indexOfPayload();
        row(index).put("raw_payload", row(index).get("raw_payload").toString().replace(":", " :  "));
        assertThat(different()).isEmpty();
    }

    @Test
    void aChangedPayloadIsNamed() throws Throwable {
        int index = indexOfPayload();
        String id = id(index);
        row(index).put("raw_payload", "{\"other\": 1}");
        assertThat(differing(different())).singleElement().asString().startsWith(id + ": raw_payload is");
    }

    @Test
    void aMissingRowIsNamed() throws Throwable {
        String id = id(5_500);
        rows.remove(5_500);
        List<Comparison> different = different();
        assertThat(differing(different)).containsExactly(id + ": is missing");
        assertThat(different).extracting(Comparison::what).contains("rows", "distinct event_id");
    }

    @Test
    void aDoubledRowIsNamed() throws Throwable {
        rows.add(new HashMap<>(row(3)));
        List<Comparison> different = different();
        assertThat(differing(different)).containsExactly(id(3) + ": stands there 2 times");
        assertThat(different).extracting(Comparison::what).contains("rows").doesNotContain("distinct event_id");
    }

    @Test
    void aRowThatReplacesAnotherIsNamedThoughTheCountIsRight() throws Throwable {
        String lost = id(7);
        rows.set(7, new HashMap<>(row(8)));
        List<Comparison> different = different();
        assertThat(differing(different)).containsExactly(lost + ": is missing", id(8) + ": stands there 2 times");
        assertThat(different)
                .extracting(Comparison::what)
                .contains("distinct event_id")
                .doesNotContain("rows");
    }

    @Test
    void aRowThatTheSourceHasNotIsNamed() throws Throwable {
        Map<String, Object> stranger = new HashMap<>(row(3));
        stranger.put("event_id", 10_000_000L);
        rows.add(stranger);
        assertThat(differing(different())).containsExactly("10000000: is not in the source");
    }

    @Test
    void aChangedFactIsNamed() throws Throwable {
        row(10).put("event_ts", (Long) row(10).get("event_ts") + 1);
        row(11).put("device", "toaster");
        row(12).remove("user_id");
        row(12).put("event_type", "swipe");
        assertThat(differing(different()))
                .anySatisfy(each -> assertThat(each).startsWith(id(10) + ": event_ts is "))
                .anySatisfy(each -> assertThat(each).startsWith(id(11) + ": device is "))
                .anySatisfy(each -> assertThat(each).startsWith(id(12) + ": ").contains("event_type is "))
                .hasSize(3);
    }

    @Test
    void wrongEngagementIsNamed() throws Throwable {
        List<Integer> timed = indexesWith("engagement_pct");
        row(timed.get(0)).put("engagement_pct", "12345.67");
        row(timed.get(1)).remove("engagement_pct");
        row(timed.get(2)).put("engagement_seconds", "0.0005");
        List<Comparison> different = different();
        assertThat(differing(different))
                .anySatisfy(each -> assertThat(each).startsWith(id(timed.get(0)) + ": the content and engagement_pct"))
                .anySatisfy(each -> assertThat(each).startsWith(id(timed.get(1)) + ": the content and engagement_pct"))
                .anySatisfy(each -> assertThat(each).startsWith(id(timed.get(2)) + ": engagement_seconds is"))
                .hasSize(3);
        assertThat(different).extracting(Comparison::what).contains("sum of engagement_seconds");
    }

    @Test
    void aRowMayShowItsContentAsItWasBeforeAnEditAndNotAsItNeverWas() throws Throwable {
        UUID content = UUID.fromString(row(20).get("content_id").toString());
        row(20).put("title", "Before");
        row(21).put("title", "Never");
        List<ContentRow> known = generator.versions(content);
        ContentRow now = known.get(known.size() - 1);
        ContentRow before =
                new ContentRow(content, now.slug(), "Before", now.contentType(), now.lengthSeconds(), now.publishTs());
        WarehouseCheck check = check(id -> id.equals(content) ? List.of(before, now) : generator.versions(id));
        assertThat(differing(check.compare()))
                .singleElement()
                .asString()
                .startsWith(id(21))
                .contains("were never as in BigQuery");
    }

    private int indexOfPayload() {
        return indexesWith("raw_payload").get(0);
    }

    private List<Integer> indexesWith(String column) {
        List<Integer> found = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            if (row(i).containsKey(column)) {
                found.add(i);
            }
        }
        return found;
    }
}
