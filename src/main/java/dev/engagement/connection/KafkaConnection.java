package dev.engagement.connection;

import java.io.Serializable;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

/**
 * How to reach Kafka.
 *
 * @param bootstrapServers {@code host:port}, comma separated
 * @param properties further client properties ({@code kafka.properties.*}); secrets stand in them only as references of
 *     Kafka's own config providers, such as <code>${file:/run/secrets/kafka.properties:password}</code>
 */
public record KafkaConnection(String bootstrapServers, Map<String, String> properties) implements Serializable {

    private static final long serialVersionUID = 1L;

    public KafkaConnection {
        if (bootstrapServers.isBlank()) {
            throw new IllegalArgumentException(
                    "kafka.bootstrap-servers is empty; it needs host:port, comma separated, for example localhost:9092");
        }
        properties = new TreeMap<>(properties);
    }

    /** The properties of any Kafka client over this connection. */
    public Properties clientProperties() {
        Properties all = new Properties();
        all.putAll(properties);
        all.setProperty("bootstrap.servers", bootstrapServers);
        return all;
    }
}
