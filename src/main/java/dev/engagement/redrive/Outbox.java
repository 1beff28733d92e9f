package dev.engagement.redrive;

import dev.engagement.deadletter.Reason;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.jspecify.annotations.Nullable;

/**
 * Records and the marks of their letters, in transactions: a letter is marked if and only if its record is in its topic,
 * for whoever reads committed records.
 *
 * <p>There is one transactional id for the letters of one topic. A redrive that starts ends what an older one has open, and
 * fences it: what that one committed before is visible to the new one, and it commits nothing after.
 *
 * <p>A transaction is as short as can be, because readers of the topics wait for its end: all that has to be asked or
 * written elsewhere has been before it begins. One whose redrive died is ended by the broker, after {@link
 * #TRANSACTION_TIMEOUT} and its own round of looking for such, or by the next redrive.
 */
final class Outbox implements AutoCloseable {

    static final Duration TRANSACTION_TIMEOUT = Duration.ofSeconds(20);

    private static final int MAX_LETTERS = 500;
    private static final long MAX_BYTES = 4L << 20;

    /** A value of 16 MiB, which is the most that any of the topics takes. */
    private static final int MAX_REQUEST_BYTES = (16 << 20) + 4096;

    /**
     * What is put back of a letter.
     *
     * @param reason the letter's
     * @param name the letter's, for messages
     * @param record to be sent with the mark, or null if only the mark is
     * @param row where its row is, if no record is sent
     */
    record Item(
            LetterId id,
            Reason reason,
            String name,
            @Nullable ProducerRecord<byte[], byte[]> record,
            Mark.@Nullable InTable row) {

        long bytes() {
            return record == null || record.value() == null ? 0 : record.value().length;
        }
    }

    /** Told what became of letters. */
    interface Outcome {
        void putBack(Item item);

        /** Kafka does not take its record. */
        void refused(Item item, String why);
    }

    private final Producer<byte[], byte[]> producer;
    private final String markTopic;
    private final LongSupplier clock;
    private final Step.Listener steps;
    private final Outcome outcome;
    private final List<Item> waiting = new ArrayList<>();
    private long bytes;

    private Outbox(
            Producer<byte[], byte[]> producer,
            String markTopic,
            LongSupplier clock,
            Step.Listener steps,
            Outcome outcome) {
        this.producer = producer;
        this.markTopic = markTopic;
        this.clock = clock;
        this.steps = steps;
        this.outcome = outcome;
    }

    /**
     * Opens it: from here on no older redrive commits anything.
     *
     * @param kafka client properties
     * @param markTopic where marks go; gives the transactional id its name
     */
    static Outbox open(
            Properties kafka,
            String markTopic,
            LongSupplier clock,
            Function<Properties, Producer<byte[], byte[]>> producers,
            Step.Listener steps,
            Outcome outcome)
            throws RedriveException {
        Properties properties = new Properties();
        properties.putAll(kafka);
        properties.setProperty("transactional.id", "engagement-redrive-" + markTopic);
        properties.setProperty("enable.idempotence", "true");
        properties.setProperty("acks", "all");
        properties.putIfAbsent("transaction.timeout.ms", Long.toString(TRANSACTION_TIMEOUT.toMillis()));
        properties.putIfAbsent("request.timeout.ms", "10000");
        properties.putIfAbsent("delivery.timeout.ms", "15000");
        properties.putIfAbsent("max.request.size", Integer.toString(MAX_REQUEST_BYTES));
        properties.putIfAbsent("compression.type", "lz4");
        Producer<byte[], byte[]> producer = producers.apply(properties);
        try {
            producer.initTransactions();
        } catch (KafkaException e) {
            producer.close(Duration.ZERO);
            throw new RedriveException(
                    "Kafka does not open a transaction (" + e.getMessage()
                            + "). May this client write transactionally, under the id engagement-redrive-" + markTopic
                            + "?",
                    e);
        }
        return new Outbox(producer, markTopic, clock, steps, outcome);
    }

    void add(Item item) throws RedriveException {
        waiting.add(item);
        bytes += item.bytes();
        if (waiting.size() >= MAX_LETTERS || bytes >= MAX_BYTES) {
            flush();
        }
    }

    /** Commits what waits. */
    void flush() throws RedriveException {
        List<Item> batch = List.copyOf(waiting);
        waiting.clear();
        bytes = 0;
        if (batch.isEmpty()) {
            return;
        }
        String refusal = commit(batch);
        if (refusal == null) {
            return;
        }
        if (batch.size() == 1) {
            outcome.refused(batch.get(0), refusal);
            return;
        }
        // One of them was refused, and none is there: each by itself says which.
        for (Item item : batch) {
            String why = commit(List.of(item));
            if (why != null) {
                outcome.refused(item, why);
            }
        }
    }

    /** All of them or none; answers why Kafka does not take one of the records, or null. */
    private @Nullable String commit(List<Item> batch) throws RedriveException {
        try {
            producer.beginTransaction();
            List<@Nullable Future<RecordMetadata>> sent = new ArrayList<>();
            for (Item item : batch) {
                sent.add(item.record() == null ? null : producer.send(item.record()));
            }
            producer.flush();
            List<Mark> marks = new ArrayList<>();
            for (int i = 0; i < batch.size(); i++) {
                marks.add(new Mark(clock.getAsLong(), batch.get(i).reason(), place(batch.get(i), sent.get(i))));
            }
            steps.reached(Step.SENT);
            for (int i = 0; i < batch.size(); i++) {
                byte[] key = batch.get(i).id().toString().getBytes(StandardCharsets.UTF_8);
                var unused = producer.send(
                        new ProducerRecord<>(markTopic, key, marks.get(i).toBytes()));
            }
            producer.flush();
            steps.reached(Step.MARKED);
            producer.commitTransaction();
        } catch (RefusedException e) {
            producer.abortTransaction();
            return e.getMessage();
        } catch (ProducerFencedException | InvalidProducerEpochException e) {
            throw fenced(e);
        } catch (KafkaException e) {
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                if (cause instanceof ProducerFencedException || cause instanceof InvalidProducerEpochException) {
                    throw fenced(e);
                }
                if (isRefusal(cause)) {
                    // Of a record before the one that was being sent.
                    producer.abortTransaction();
                    return refusal(cause);
                }
            }
            throw RedriveException.givenUp(
                    "Kafka did not take the letters that were being put back (" + e.getMessage() + ")", e);
        }
        steps.reached(Step.COMMITTED);
        batch.forEach(outcome::putBack);
        return null;
    }

    private static Mark.Place place(Item item, @Nullable Future<RecordMetadata> sent) throws RefusedException {
        if (sent == null) {
            if (item.row() == null) {
                throw new IllegalStateException("Neither a record nor a row");
            }
            return item.row();
        }
        try {
            RecordMetadata at = sent.get();
            return new Mark.InTopic(at.topic(), at.partition(), at.offset());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new org.apache.kafka.common.errors.InterruptException(e);
        } catch (ExecutionException e) {
            if (isRefusal(e.getCause())) {
                throw new RefusedException(refusal(e.getCause()));
            }
            throw e.getCause() instanceof KafkaException cause ? cause : new KafkaException(e.getCause());
        }
    }

    private static boolean isRefusal(Throwable e) {
        return e instanceof RecordTooLargeException || e instanceof InvalidRecordException;
    }

    private static String refusal(Throwable e) {
        return "Kafka does not take its record: " + e.getMessage();
    }

    private static RedriveException fenced(KafkaException e) {
        return new RedriveException(
                "Another redrive of the same letters was started and goes on in this one's place; this one stops."
                        + " Nothing was put back twice",
                e);
    }

    /** Kafka refuses a record for what it is. */
    private static final class RefusedException extends Exception {
        private static final long serialVersionUID = 1L;

        RefusedException(String message) {
            super(message);
        }
    }

    /** What waits is dropped, an open transaction given up. */
    @Override
    public void close() {
        producer.close(Duration.ofSeconds(5));
    }
}
