package dev.engagement.local.bigquery;

import static dev.engagement.local.bigquery.Client.append;
import static dev.engagement.local.bigquery.Client.event;
import static dev.engagement.local.bigquery.Client.events;
import static dev.engagement.local.bigquery.Client.rows;
import static dev.engagement.local.bigquery.Client.withJson;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import com.google.api.gax.rpc.AlreadyExistsException;
import com.google.api.gax.rpc.ApiException;
import com.google.api.gax.rpc.InvalidArgumentException;
import com.google.api.gax.rpc.NotFoundException;
import com.google.api.gax.rpc.OutOfRangeException;
import com.google.cloud.bigquery.storage.v1.AppendRowsResponse;
import com.google.cloud.bigquery.storage.v1.BigDecimalByteStringEncoder;
import com.google.cloud.bigquery.storage.v1.CreateWriteStreamRequest;
import com.google.cloud.bigquery.storage.v1.Exceptions.AppendSerializationError;
import com.google.cloud.bigquery.storage.v1.Exceptions.OffsetAlreadyExists;
import com.google.cloud.bigquery.storage.v1.Exceptions.OffsetOutOfRange;
import com.google.cloud.bigquery.storage.v1.Exceptions.SchemaMismatchedException;
import com.google.cloud.bigquery.storage.v1.Exceptions.StreamFinalizedException;
import com.google.cloud.bigquery.storage.v1.ProtoRows;
import com.google.cloud.bigquery.storage.v1.StreamWriter;
import com.google.cloud.bigquery.storage.v1.WriteStream;
import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Type;
import com.google.protobuf.Descriptors.Descriptor;
import io.grpc.Status;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The protocol, over gRPC, with Google's client. */
class StorageWriteApiTest {

    private static final AtomicInteger TABLES = new AtomicInteger();

    private static BigQueryEmulator emulator;
    private static Client client;

    private String table;
    private String stream;

    @BeforeAll
    static void start(@TempDir Path directory) {
        emulator = BigQueryEmulator.start(directory, 0, 0);
        emulator.createDataset(Client.PROJECT, Client.DATASET);
        client = new Client(emulator.grpc());
    }

    @AfterAll
    static void stop() {
        client.close();
        emulator.close();
    }

    @BeforeEach
    void createTable() {
        table = "t" + TABLES.incrementAndGet();
        emulator.createTable(Client.PROJECT, Client.DATASET, table, Client.HOURLY);
        stream = client.stream(table);
    }

    @AfterEach
    void mend() {
        emulator.faults().clear();
    }

    private List<String> ids() {
        return emulator.query(Client.PROJECT, "SELECT event_id FROM analytics." + table + " ORDER BY event_id").stream()
                .map(row -> row.get(0))
                .toList();
    }

    @Test
    void rows_are_visible_up_to_the_offset_that_was_flushed() throws Throwable {
        try (StreamWriter writer = client.writer(stream)) {
            assertThat(append(writer, events(1, 3), 0)).isZero();
            assertThat(append(writer, events(4, 3), 3)).isEqualTo(3);
            assertThat(ids()).isEmpty();

            assertThat(client.flush(stream, 3)).isEqualTo(3);
            assertThat(ids()).containsExactly("1", "2", "3", "4");

            assertThat(client.flush(stream, 5)).isEqualTo(5);
            assertThat(ids()).containsExactly("1", "2", "3", "4", "5", "6");

            assertThat(append(writer, events(7, 1), 6)).isEqualTo(6);
            assertThat(client.flush(stream, 6)).isEqualTo(6);
            assertThat(ids()).hasSize(7);
        }
    }

    @Test
    void a_flush_of_what_is_flushed_already_exists_and_changes_nothing() throws Throwable {
        try (StreamWriter writer = client.writer(stream)) {
            append(writer, events(1, 3), 0);
            client.flush(stream, 1);

            assertThatThrownBy(() -> client.flush(stream, 1)).isInstanceOf(AlreadyExistsException.class);
            assertThatThrownBy(() -> client.flush(stream, 0)).isInstanceOf(AlreadyExistsException.class);
            assertThat(ids()).containsExactly("1", "2");
        }
    }

    @Test
    void a_flush_beyond_the_last_row_is_out_of_range() throws Throwable {
        assertThatThrownBy(() -> client.flush(stream, 0)).isInstanceOf(OutOfRangeException.class);
        try (StreamWriter writer = client.writer(stream)) {
            append(writer, events(1, 3), 0);
            assertThatThrownBy(() -> client.flush(stream, 3)).isInstanceOf(OutOfRangeException.class);
            assertThat(ids()).isEmpty();
        }
    }

    @Test
    void offsets_have_to_follow_each_other_and_the_connection_goes_on_if_not() throws Throwable {
        try (StreamWriter writer = client.writer(stream)) {
            append(writer, events(1, 3), 0);

            assertThatThrownBy(() -> append(writer, events(1, 3), 0))
                    .isInstanceOfSatisfying(OffsetAlreadyExists.class, e -> assertThat(e.getStreamName())
                            .isEqualTo(stream));
            assertThatThrownBy(() -> append(writer, events(3, 3), 2)).isInstanceOf(OffsetAlreadyExists.class);
            assertThatThrownBy(() -> append(writer, events(5, 1), 4)).isInstanceOf(OffsetOutOfRange.class);

            assertThat(append(writer, events(4, 1), 3)).isEqualTo(3);
            client.flush(stream, 3);
            assertThat(ids()).containsExactly("1", "2", "3", "4");
        }
    }

    @Test
    void bad_rows_are_named_and_none_of_their_request_is_appended() throws Throwable {
        try (StreamWriter writer = client.writer(stream)) {
            ProtoRows mixed = rows(event(1), withJson(2, "{\"a\": nope}"), event(3), withJson(4, "[1"));

            assertThatThrownBy(() -> append(writer, mixed, 0))
                    .isInstanceOfSatisfying(AppendSerializationError.class, e -> {
                        assertThat(e.getRowIndexToErrorMessage()).containsOnlyKeys(1, 3);
                        assertThat(e.getRowIndexToErrorMessage().get(1)).contains("raw_payload", "Invalid JSON");
                        assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
                    });

            assertThat(append(writer, rows(event(1), event(3)), 0)).isZero();
            client.flush(stream, 1);
            assertThat(ids()).containsExactly("1", "3");
        }
    }

    @Test
    void a_row_without_a_required_value_is_refused() {
        ByteString noTime = Client.message(Client.EVENT, Map.of("event_id", 1L));
        try (StreamWriter writer = client.writer(stream)) {
            assertThatThrownBy(() -> append(writer, rows(noTime), 0))
                    .isInstanceOfSatisfying(AppendSerializationError.class, e -> assertThat(
                                    e.getRowIndexToErrorMessage().get(0))
                            .contains("event_ts", "REQUIRED"));
        }
    }

    @Test
    void a_form_with_fields_the_table_has_not_is_refused_by_their_names() {
        Map<String, Type> fields = new LinkedHashMap<>(Client.EVENT_FIELDS);
        fields.put("mood", Type.TYPE_STRING);
        Descriptor form = Client.form(fields);
        try (StreamWriter writer = client.writer(stream, form)) {
            ByteString row = Client.message(form, Map.of("event_id", 1L, "event_ts", 1L, "mood", "good"));
            assertThatThrownBy(() -> append(writer, rows(row), 0))
                    .isInstanceOf(SchemaMismatchedException.class)
                    .hasMessageContaining("extra fields: 'mood'");
        }
    }

    @Test
    void a_form_with_a_type_the_column_has_not_is_refused_by_name_and_types() {
        Map<String, Type> fields = new LinkedHashMap<>(Client.EVENT_FIELDS);
        fields.put("content_id", Type.TYPE_INT64);
        Descriptor form = Client.form(fields);
        try (StreamWriter writer = client.writer(stream, form)) {
            ByteString row = Client.message(form, Map.of("event_id", 1L, "event_ts", 1L, "content_id", 1L));
            assertThatThrownBy(() -> append(writer, rows(row), 0))
                    .hasMessageContaining(
                            "The proto field mismatched with BigQuery field at Event.content_id, the proto"
                                    + " field type int64, BigQuery field type STRING");
        }
    }

    @Test
    void a_form_without_a_required_column_is_refused() {
        Descriptor form = Client.form(Client.fields("event_id", Type.TYPE_INT64));
        try (StreamWriter writer = client.writer(stream, form)) {
            assertThatThrownBy(() -> append(writer, rows(Client.message(form, Map.of("event_id", 1L))), 0))
                    .hasMessageContaining("event_ts is missing in the writer's schema");
        }
    }

    @Test
    void a_request_that_is_too_large_ends_its_connection() throws Throwable {
        ByteString large = withJson(1, "\"" + "x".repeat(BigQueryEmulator.MAX_REQUEST_BYTES) + "\"");
        try (StreamWriter writer = client.writer(stream)) {
            assertThatThrownBy(() -> append(writer, rows(large), 0))
                    .hasMessageContaining("AppendRows request too large");
        }
        try (StreamWriter writer = client.writer(stream)) {
            assertThat(append(writer, events(1, 1), 0)).isZero();
        }
    }

    @Test
    void a_stream_that_never_was_is_not_found() {
        String unknown = Client.path(table) + "/streams/unknown";
        assertThatThrownBy(() -> client.flush(unknown, 0)).isInstanceOf(NotFoundException.class);
        assertThatThrownBy(() -> client.raw().getWriteStream(unknown)).isInstanceOf(NotFoundException.class);
        try (StreamWriter writer = client.writer(unknown)) {
            assertThat(statusOf(catchThrowable(() -> append(writer, events(1, 1), 0))))
                    .isEqualTo(Status.Code.NOT_FOUND);
        }
    }

    @Test
    void a_table_that_never_was_is_not_found() {
        assertThatThrownBy(() -> client.stream("nowhere"))
                .isInstanceOf(NotFoundException.class)
                .hasMessageContaining("nowhere");
    }

    @Test
    void streams_are_buffered_ones_only() {
        assertThatThrownBy(() -> client.raw()
                        .createWriteStream(CreateWriteStreamRequest.newBuilder()
                                .setParent(Client.path(table))
                                .setWriteStream(WriteStream.newBuilder().setType(WriteStream.Type.PENDING))
                                .build()))
                .isInstanceOf(InvalidArgumentException.class)
                .hasMessageContaining("BUFFERED");
    }

    @Test
    void a_finalized_stream_takes_no_rows_and_no_flush() throws Throwable {
        try (StreamWriter writer = client.writer(stream)) {
            append(writer, events(1, 2), 0);
            assertThat(client.raw().finalizeWriteStream(stream).getRowCount()).isEqualTo(2);

            assertThatThrownBy(() -> append(writer, events(3, 1), 2))
                    .isInstanceOf(StreamFinalizedException.class)
                    .hasMessageContaining("Stream has been finalized");
            assertThatThrownBy(() -> client.flush(stream, 1)).isInstanceOf(InvalidArgumentException.class);
            assertThat(ids()).isEmpty();
        }
    }

    @Test
    void answers_come_in_the_order_of_the_requests() throws Throwable {
        try (StreamWriter writer = client.writer(stream)) {
            List<Future<AppendRowsResponse>> answers = new java.util.ArrayList<>();
            for (int i = 0; i < 200; i++) {
                answers.add(writer.append(events(i, 1), i));
            }
            for (int i = 0; i < 200; i++) {
                assertThat(answers.get(i)
                                .get(5, TimeUnit.MINUTES)
                                .getAppendResult()
                                .getOffset()
                                .getValue())
                        .isEqualTo(i);
            }
        }
    }

    @Test
    void what_was_appended_survives_a_new_connection() throws Throwable {
        try (StreamWriter writer = client.writer(stream)) {
            append(writer, events(1, 2), 0);
        }
        try (StreamWriter writer = client.writer(stream)) {
            assertThat(append(writer, events(3, 1), 2)).isEqualTo(2);
        }
        client.flush(stream, 2);
        assertThat(ids()).containsExactly("1", "2", "3");
    }

    @Test
    void the_schema_is_told_with_the_stream_and_again_when_it_changes() throws Throwable {
        WriteStream created = client.raw()
                .createWriteStream(
                        Client.path(table),
                        WriteStream.newBuilder()
                                .setType(WriteStream.Type.BUFFERED)
                                .build());
        assertThat(created.getTableSchema().getFieldsCount()).isEqualTo(5);

        try (StreamWriter writer = client.writer(stream)) {
            append(writer, events(1, 1), 0);
            String wider = "{" + Client.FIELDS.replace("]}", ", {\"name\": \"mood\", \"type\": \"STRING\"}]}") + "}";
            Rest.patch(emulator, table, wider);

            AppendRowsResponse answer = Client.answer(writer.append(events(2, 1), 1));

            assertThat(answer.getUpdatedSchema().getFieldsCount()).isEqualTo(6);
            client.flush(stream, 1);
            assertThat(emulator.query(Client.PROJECT, "SELECT event_id, mood FROM analytics." + table + " ORDER BY 1"))
                    .containsExactly(java.util.Arrays.asList("1", null), java.util.Arrays.asList("2", null));
        }
    }

    @Test
    void a_table_takes_no_more_than_ten_thousand_partitions() throws Throwable {
        Instant first = Instant.parse("2020-01-01T00:00:00Z");
        ByteString[] full = new ByteString[Partitioning.MAX_PARTITIONS];
        for (int i = 0; i < full.length; i++) {
            full[i] = event(i, first.plus(Duration.ofHours(i)));
        }
        try (StreamWriter writer = client.writer(stream)) {
            append(writer, rows(full), 0);

            assertThatThrownBy(() -> append(writer, rows(event(1, first.minusSeconds(1))), full.length))
                    .hasMessageContaining("Too many partitions")
                    .hasMessageContaining("10001");
            assertThat(append(writer, rows(event(1, first)), full.length)).isEqualTo(full.length);
        }
    }

    @Test
    void rows_refused_one_by_one_for_what_their_columns_cannot_hold() throws Throwable {
        ByteString tooFine = Client.message(
                Client.EVENT, Map.of("event_id", 1L, "event_ts", 1L, "engagement_seconds", "0.1234567891"));
        ByteString tooLate = Client.message(Client.EVENT, Map.of("event_id", 2L, "event_ts", Long.MAX_VALUE));
        try (StreamWriter writer = client.writer(stream)) {
            assertThatThrownBy(() -> append(writer, rows(tooFine, tooLate, event(3)), 0))
                    .isInstanceOfSatisfying(AppendSerializationError.class, e -> {
                        assertThat(e.getRowIndexToErrorMessage()).containsOnlyKeys(0, 1);
                        assertThat(e.getRowIndexToErrorMessage().get(0))
                                .contains("Invalid NUMERIC value: 0.1234567891");
                        assertThat(e.getRowIndexToErrorMessage().get(1)).contains("timestamp out of range");
                    });
        }
    }

    @Test
    void every_type_comes_back_as_it_was_sent() throws Throwable {
        String typed = "typed";
        emulator.createTable(Client.PROJECT, Client.DATASET, typed, """
                {"schema": {"fields": [
                  {"name": "i", "type": "INT64"}, {"name": "s", "type": "STRING"}, {"name": "t", "type": "TIMESTAMP"},
                  {"name": "j", "type": "JSON"}, {"name": "n", "type": "NUMERIC"}, {"name": "m", "type": "NUMERIC"},
                  {"name": "b", "type": "BOOL"}, {"name": "f", "type": "FLOAT64"}, {"name": "d", "type": "DATE"}]}}
                """);
        Descriptor form = Client.form(Client.fields(
                "d", Type.TYPE_INT32,
                "f", Type.TYPE_DOUBLE,
                "b", Type.TYPE_BOOL,
                "m", Type.TYPE_BYTES,
                "n", Type.TYPE_STRING,
                "j", Type.TYPE_STRING,
                "t", Type.TYPE_INT64,
                "s", Type.TYPE_STRING,
                "i", Type.TYPE_SINT64));
        String max = "99999999999999999999999999999.999999999";
        ByteString min = BigDecimalByteStringEncoder.encodeToNumericByteString(new BigDecimal("-" + max));
        ByteString full = Client.message(
                form,
                Map.of(
                        "i",
                        Long.MIN_VALUE,
                        "s",
                        "Grüße, '\"世界\"' 🙂",
                        "t",
                        -1L,
                        "j",
                        "{\"b\": [1, 2.5e3, \"\\u00e9\"], \"a\": null}",
                        "n",
                        max,
                        "m",
                        min,
                        "b",
                        true,
                        "f",
                        0.1,
                        "d",
                        -1));
        String into = client.stream(typed);
        try (StreamWriter writer = client.writer(into, form)) {
            append(writer, rows(full, Client.message(form, Map.of())), 0);
        }
        client.flush(into, 1);

        assertThat(emulator.query(Client.PROJECT, "SELECT * FROM analytics.typed ORDER BY i DESC"))
                .containsExactly(
                        List.of(
                                Long.toString(Long.MIN_VALUE),
                                "Grüße, '\"世界\"' 🙂",
                                "-1.0E-6",
                                "{\"b\": [1, 2.5e3, \"\\u00e9\"], \"a\": null}",
                                max,
                                "-" + max,
                                "true",
                                "0.1",
                                "1969-12-31"),
                        java.util.Collections.nCopies(9, null));
    }

    static Status.Code statusOf(Throwable failure) {
        return failure instanceof ApiException api
                ? Status.Code.valueOf(api.getStatusCode().getCode().name())
                : Status.fromThrowable(failure).getCode();
    }
}
