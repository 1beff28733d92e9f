package dev.engagement.ingest;

import dev.engagement.connection.registry.RegisteredSchema;
import dev.engagement.connection.registry.RegistryException;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets a record through once the schemas it needs are known, or the registry has answered that it does not know them. While
 * the registry does not answer, the record waits, and so does what stands behind it in its partition: to go on without an
 * answer would make a dead letter of a good record.
 *
 * <p>That an id is not known is believed for a while only: a registry may learn it. For the fetcher thread, which may wait;
 * the counters may be read by any.
 */
final class SchemaGate {

    private static final Logger LOG = LoggerFactory.getLogger(SchemaGate.class);

    /** Long enough that a question without an answer does not take the time of the partitions that can go on. */
    static final long PAUSE_AFTER_NO_ANSWER_MILLIS = 5_000;

    static final long UNKNOWN_FOR_MILLIS = 30_000;

    /** A producer gone wild may write any number of ids. */
    private static final int MAX_UNKNOWN = 1_000;

    private static final Object ADMITTED = new Object();

    /** The one question that is asked of a registry. */
    @FunctionalInterface
    interface Registry {
        /** The schema of an id; null if the registry does not know it. */
        @Nullable
        RegisteredSchema schema(long id) throws RegistryException;
    }

    private final Registry registry;
    private final WireFormat wire;
    private final KnownSchemas schemas;
    private final boolean withKeys;
    private final Clock clock;

    private final ById<Object> admitted = new ById<>();

    /** Until when an id is taken for one that the registry does not know. */
    private final Map<Long, Long> unknownUntil = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Long> eldest) {
            return size() > MAX_UNKNOWN;
        }
    };

    private long askAgainAtMillis;
    private boolean unanswered;
    private final AtomicLong failures = new AtomicLong();

    /** @param withKeys whether keys are read, too */
    SchemaGate(Registry registry, WireFormat wire, KnownSchemas schemas, boolean withKeys, Clock clock) {
        this.registry = registry;
        this.wire = wire;
        this.schemas = schemas;
        this.withKeys = withKeys;
        this.clock = clock;
    }

    /** Whether the record can be decoded now; asks the registry if it may be asked. */
    boolean admits(ConsumerRecord<byte[], byte[]> record) {
        byte[] value = record.value();
        byte[] key = record.key();
        return (value == null || admits(value, record)) && (!withKeys || key == null || admits(key, record));
    }

    private boolean admits(byte[] bytes, ConsumerRecord<byte[], byte[]> record) {
        long id = wire.idOf(bytes);
        if (id == WireFormat.NO_ID || admitted.get(id) != null) {
            return true;
        }
        if (schemas.find(id) != null) {
            admitted.put(id, ADMITTED);
            return true;
        }
        long now = clock.millis();
        if (now < unknownUntil.getOrDefault(id, Long.MIN_VALUE)) {
            return true;
        }
        if (now < askAgainAtMillis) {
            return false;
        }
        try {
            RegisteredSchema schema = registry.schema(id);
            if (unanswered) {
                unanswered = false;
                LOG.info("The schema registry answers again; {} is read on", record.topic());
            }
            if (schema == null) {
                unknownUntil.remove(id);
                unknownUntil.put(id, now + UNKNOWN_FOR_MILLIS);
            } else {
                unknownUntil.remove(id);
                schemas.add(id, schema);
                admitted.put(id, ADMITTED);
            }
            return true;
        } catch (RegistryException e) {
            failures.incrementAndGet();
            askAgainAtMillis = clock.millis() + PAUSE_AFTER_NO_ANSWER_MILLIS;
            LOG.warn(
                    "{}. Partition {} of {} waits at offset {} for the schema of id {}, and is tried again every {} s",
                    e.getMessage(),
                    record.partition(),
                    record.topic(),
                    record.offset(),
                    id,
                    PAUSE_AFTER_NO_ANSWER_MILLIS / 1_000);
            unanswered = true;
            return false;
        }
    }

    /** Whether what was not let through may be tried again. */
    boolean isDue() {
        return clock.millis() >= askAgainAtMillis;
    }

    /** How many questions were not answered. */
    long failures() {
        return failures.get();
    }
}
