package dev.engagement.local.bigquery;

import com.google.api.core.ApiFuture;
import com.google.api.gax.core.NoCredentialsProvider;
import com.google.cloud.bigquery.storage.v1.AppendRowsResponse;
import com.google.cloud.bigquery.storage.v1.BigQueryWriteClient;
import com.google.cloud.bigquery.storage.v1.BigQueryWriteSettings;
import com.google.cloud.bigquery.storage.v1.CreateWriteStreamRequest;
import com.google.cloud.bigquery.storage.v1.FlushRowsRequest;
import com.google.cloud.bigquery.storage.v1.ProtoRows;
import com.google.cloud.bigquery.storage.v1.ProtoSchema;
import com.google.cloud.bigquery.storage.v1.StreamWriter;
import com.google.cloud.bigquery.storage.v1.WriteStream;
import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Type;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Int64Value;
import io.grpc.ManagedChannelBuilder;
import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Google's client, as a writer of the warehouse uses it. */
public final class Client implements AutoCloseable {

    static final String PROJECT = "local";
    static final String DATASET = "analytics";
    static final String FIELDS = """
            "schema": {"fields": [
              {"name": "event_id", "type": "INT64", "mode": "REQUIRED"},
              {"name": "content_id", "type": "STRING"},
              {"name": "event_ts", "type": "TIMESTAMP", "mode": "REQUIRED"},
              {"name": "raw_payload", "type": "JSON"},
              {"name": "engagement_seconds", "type": "NUMERIC"}]}
            """;
    static final String HOURLY =
            "{" + FIELDS + ", \"timePartitioning\": {\"type\": \"HOUR\", \"field\": \"event_ts\"}}";
    static final Instant TIME = Instant.parse("2026-01-08T14:21:52Z");

    private static final int SECONDS = 300;

    private final BigQueryWriteClient client;

    public Client(String grpc) {
        try {
            client = BigQueryWriteClient.create(BigQueryWriteSettings.newBuilder()
                    .setEndpoint(grpc)
                    .setCredentialsProvider(NoCredentialsProvider.create())
                    .setTransportChannelProvider(BigQueryWriteSettings.defaultGrpcTransportProviderBuilder()
                            .setEndpoint(grpc)
                            .setChannelConfigurator(ManagedChannelBuilder::usePlaintext)
                            .build())
                    .build());
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    static String path(String table) {
        return "projects/" + PROJECT + "/datasets/" + DATASET + "/tables/" + table;
    }

    BigQueryWriteClient raw() {
        return client;
    }

    /** A new BUFFERED stream. */
    public String stream(String table) {
        return client.createWriteStream(CreateWriteStreamRequest.newBuilder()
                        .setParent(path(table))
                        .setWriteStream(WriteStream.newBuilder().setType(WriteStream.Type.BUFFERED))
                        .build())
                .getName();
    }

    StreamWriter writer(String stream) {
        return writer(stream, EVENT);
    }

    public StreamWriter writer(String stream, Descriptor form) {
        try {
            return StreamWriter.newBuilder(stream, client)
                    .setWriterSchema(ProtoSchema.newBuilder()
                            .setProtoDescriptor(form.toProto())
                            .build())
                    .build();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    public long flush(String stream, long offset) {
        return client.flushRows(FlushRowsRequest.newBuilder()
                        .setWriteStream(stream)
                        .setOffset(Int64Value.of(offset))
                        .build())
                .getOffset();
    }

    /** Appends and answers the offset; or throws what the client says. */
    public static long append(StreamWriter writer, ProtoRows rows, long offset) throws Throwable {
        return answer(writer.append(rows, offset)).getAppendResult().getOffset().getValue();
    }

    static AppendRowsResponse answer(ApiFuture<AppendRowsResponse> future) throws Throwable {
        try {
            return future.get(SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause();
        } catch (TimeoutException e) {
            throw new AssertionError("No answer for " + SECONDS + " s", e);
        }
    }

    public static Descriptor form(Map<String, Type> fields) {
        DescriptorProto.Builder message = DescriptorProto.newBuilder().setName("Event");
        int number = 1;
        for (Map.Entry<String, Type> field : fields.entrySet()) {
            message.addField(FieldDescriptorProto.newBuilder()
                    .setName(field.getKey())
                    .setNumber(number++)
                    .setType(field.getValue())
                    .setLabel(FieldDescriptorProto.Label.LABEL_OPTIONAL));
        }
        try {
            return FileDescriptor.buildFrom(
                            FileDescriptorProto.newBuilder()
                                    .addMessageType(message)
                                    .build(),
                            new FileDescriptor[0])
                    .getMessageTypes()
                    .get(0);
        } catch (DescriptorValidationException e) {
            throw new IllegalStateException(e);
        }
    }

    static final Map<String, Type> EVENT_FIELDS = fields(
            "event_id", Type.TYPE_INT64,
            "content_id", Type.TYPE_STRING,
            "event_ts", Type.TYPE_INT64,
            "raw_payload", Type.TYPE_STRING,
            "engagement_seconds", Type.TYPE_STRING);
    static final Descriptor EVENT = form(EVENT_FIELDS);

    public static Map<String, Type> fields(Object... namesAndTypes) {
        Map<String, Type> fields = new java.util.LinkedHashMap<>();
        for (int i = 0; i < namesAndTypes.length; i += 2) {
            fields.put((String) namesAndTypes[i], (Type) namesAndTypes[i + 1]);
        }
        return fields;
    }

    public static ByteString message(Descriptor form, Map<String, ?> values) {
        DynamicMessage.Builder message = DynamicMessage.newBuilder(form);
        values.forEach((name, value) -> message.setField(form.findFieldByName(name), value));
        return message.build().toByteString();
    }

    static long micros(Instant time) {
        return Partitioning.micros(time);
    }

    static ByteString event(long id) {
        return event(id, TIME);
    }

    static ByteString event(long id, Instant time) {
        return message(
                EVENT,
                Map.of(
                        "event_id",
                        id,
                        "content_id",
                        "content-" + id % 3,
                        "event_ts",
                        micros(time),
                        "raw_payload",
                        "{\"n\": " + id + "}",
                        "engagement_seconds",
                        "1.5"));
    }

    static ByteString withJson(long id, String json) {
        return message(EVENT, Map.of("event_id", id, "event_ts", micros(TIME), "raw_payload", json));
    }

    static ProtoRows rows(ByteString... rows) {
        return ProtoRows.newBuilder().addAllSerializedRows(List.of(rows)).build();
    }

    /** Events with these ids. */
    static ProtoRows events(long first, int count) {
        List<ByteString> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            rows.add(event(first + i));
        }
        return ProtoRows.newBuilder().addAllSerializedRows(rows).build();
    }

    @Override
    public void close() {
        client.close();
    }
}
