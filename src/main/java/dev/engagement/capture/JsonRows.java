package dev.engagement.capture;

import java.util.Map;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Struct;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.json.JsonConverter;

/** Rows as JSON, without Connect's schema wrapper. */
final class JsonRows implements RowWriter {

    /** Connect's converter takes a topic, and makes nothing of it. */
    private static final String ANY_TOPIC = "";

    private final JsonConverter keys = converter(true);
    private final JsonConverter values = converter(false);

    @Override
    public byte[] key(CapturedTable table, Struct key) {
        return keys.fromConnectData(ANY_TOPIC, key.schema(), key);
    }

    @Override
    public byte[] value(CapturedTable table, Struct envelope) {
        return values.fromConnectData(ANY_TOPIC, envelope.schema(), envelope);
    }

    private static JsonConverter converter(boolean key) {
        JsonConverter converter = new JsonConverter();
        converter.configure(Map.of("schemas.enable", "false"), key);
        return converter;
    }
}
