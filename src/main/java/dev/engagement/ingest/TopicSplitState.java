package dev.engagement.ingest;

import dev.engagement.connection.registry.RegisteredSchema;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplitState;
import org.apache.kafka.common.Uuid;

/** How far a partition has been read, of which topic, and by which schemas. For the task thread. */
final class TopicSplitState extends KafkaPartitionSplitState {

    /** Enough for versions that come mixed, and an end to what a checkpoint carries for a producer gone wild. */
    private static final int MAX_SCHEMAS = 32;

    private Uuid topicId;

    /** The one used last is last. */
    private final Map<Long, RegisteredSchema> schemas = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, RegisteredSchema> eldest) {
            return size() > MAX_SCHEMAS;
        }
    };

    private long newestSchema = WireFormat.NO_ID;

    TopicSplitState(KafkaPartitionSplit split) {
        super(split);
        topicId = TopicSplit.topicIdOf(split);
        schemas.putAll(TopicSplit.schemasOf(split));
    }

    void setTopicId(Uuid id) {
        topicId = id;
    }

    /** Says by which schema a record was written. */
    void use(long id, SchemaLookup known) {
        if (id == newestSchema) {
            return;
        }
        newestSchema = id;
        if (schemas.get(id) == null) {
            RegisteredSchema schema = known.find(id);
            if (schema != null) {
                schemas.put(id, schema);
            }
        }
    }

    TopicSplit toTopicSplit() {
        return new TopicSplit(toKafkaPartitionSplit(), topicId, schemas);
    }
}
