package dev.engagement.capture;

import dev.engagement.connection.registry.RegistryException;
import dev.engagement.connection.registry.SchemaRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.IdentityHashMap;
import java.util.Map;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Schema;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Struct;
import org.jspecify.annotations.Nullable;

/**
 * Rows as Avro in a schema registry's wire format, as Debezium behind an AvroConverter writes them: the magic byte 0, four
 * bytes of the schema's id, the value. Subjects are named for their topics.
 *
 * <p>A schema is registered, or looked up, when its first row comes. Without an answer of the registry that row cannot be
 * written, and none behind it: the exception restarts capture, which repeats them.
 */
final class AvroRows implements RowWriter {

    /** What the registry is asked. */
    interface Registry {
        int register(String subject, String avro) throws RegistryException;

        @Nullable
        Integer find(String subject, String avro) throws RegistryException;

        static Registry of(SchemaRegistry registry) {
            return new Registry() {
                @Override
                public int register(String subject, String avro) throws RegistryException {
                    return registry.register(subject, avro);
                }

                @Override
                public @Nullable Integer find(String subject, String avro) throws RegistryException {
                    return registry.find(subject, avro);
                }
            };
        }
    }

    /** A table changes its columns now and then; its old schemas are of no use. */
    private static final int MAX_SCHEMAS = 64;

    private static final int HEADER_BYTES = 1 + Integer.BYTES;

    private final Registry registry;
    private final boolean autoRegister;
    private final String eventsTopic;
    private final String contentTopic;

    /** By identity: a table has one object for its schema until its columns change, and comparing them costs. */
    private final Map<Schema, Written> written = new IdentityHashMap<>();

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
    private @Nullable BinaryEncoder encoder;

    private record Written(int id, ConnectAvro avro) {}

    AvroRows(Registry registry, boolean autoRegister, String eventsTopic, String contentTopic) {
        this.registry = registry;
        this.autoRegister = autoRegister;
        this.eventsTopic = eventsTopic;
        this.contentTopic = contentTopic;
    }

    @Override
    public byte[] key(CapturedTable table, Struct key) throws IOException {
        return write(key, topic(table) + "-key");
    }

    @Override
    public byte[] value(CapturedTable table, Struct envelope) throws IOException {
        return write(envelope, topic(table) + "-value");
    }

    private String topic(CapturedTable table) {
        return table == CapturedTable.EVENTS ? eventsTopic : contentTopic;
    }

    private byte[] write(Struct struct, String subject) throws IOException {
        Written by = written.get(struct.schema());
        if (by == null) {
            ConnectAvro avro = ConnectAvro.of(struct.schema());
            by = new Written(id(subject, avro.schema().toString()), avro);
            if (written.size() == MAX_SCHEMAS) {
                written.clear();
            }
            written.put(struct.schema(), by);
        }
        bytes.reset();
        bytes.writeBytes(
                ByteBuffer.allocate(HEADER_BYTES).put((byte) 0).putInt(by.id()).array());
        BinaryEncoder out = EncoderFactory.get().directBinaryEncoder(bytes, encoder);
        encoder = out;
        by.avro().write(struct, out);
        return bytes.toByteArray();
    }

    private int id(String subject, String avro) throws RegistryException {
        if (autoRegister) {
            return registry.register(subject, avro);
        }
        Integer id = registry.find(subject, avro);
        if (id == null) {
            throw new RegistryException(
                    "The schema registry has no such schema under the subject " + subject
                            + ". Register it there, or set capture.registry.auto-register to true: " + avro,
                    null);
        }
        return id;
    }
}
