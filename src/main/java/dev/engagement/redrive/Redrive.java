package dev.engagement.redrive;

import dev.engagement.connection.TopicReader;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterJson;
import dev.engagement.deadletter.Reason;
import dev.engagement.rowstore.RowStoreRefusedException;
import dev.engagement.warehouse.MissingRows;
import dev.engagement.warehouse.WarehouseOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * Puts dead letters back: a loop of a Kafka client, and no Flink job.
 *
 * <pre>{@code
 * var result = new Redrive(options, warehouseOptions, System.out::println).run();
 * System.exit(result.couldNot() == 0 ? 0 : 1);
 * }</pre>
 *
 * <p><b>Guarantee.</b> Each letter is put back once. Its record and its mark are one Kafka transaction ({@link Outbox}), and
 * marks are read after older redrives have been fenced, so a redrive that is started twice, at once or one after the other,
 * or that dies between any two of its steps, changes nothing that was done. A row of the warehouse is written before its
 * letter is marked, and only if it is not there, so a repetition finds it.
 *
 * <p>Only letters are looked at that are there at the start. A record that fails again once it is back becomes a letter of
 * its own, because it stands elsewhere: the next redrive counts it as one that came back, and puts it back anew.
 *
 * <p>The letters are read twice: first where they are, some 150 bytes each, then one after the other with their payloads.
 */
public final class Redrive {

    private static final Duration BETWEEN_REPORTS = Duration.ofSeconds(5);

    /**
     * What became of the letters.
     *
     * @param putBack so many are back, or would be
     * @param couldNot so many are not, each named with why
     */
    public record Result(long putBack, long couldNot) {}

    private final RedriveOptions options;
    private final @Nullable WarehouseOptions warehouse;
    private final Consumer<String> out;
    private final Clock clock;
    private final Function<Properties, Producer<byte[], byte[]>> producers;
    private final Step.Listener steps;

    private final Properties kafka;
    private final RedriveReport report;
    private @Nullable MissingRows rows;
    /** Letters that were put back, or are about to be. */
    private long tried;

    /** What a dry run's rows would cost. */
    private long bytesToRead;

    private long rowsToWrite;

    private long nextReportNanos;

    /**
     * A redrive.
     *
     * @param warehouse where rows are, or null if no REJECTED letters are put back
     * @param out takes lines of text for a person
     */
    public Redrive(RedriveOptions options, @Nullable WarehouseOptions warehouse, Consumer<String> out) {
        this(
                options,
                warehouse,
                out,
                Clock.systemUTC(),
                properties -> new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer()),
                step -> {});
    }

    Redrive(
            RedriveOptions options,
            @Nullable WarehouseOptions warehouse,
            Consumer<String> out,
            Clock clock,
            Function<Properties, Producer<byte[], byte[]>> producers,
            Step.Listener steps) {
        if (warehouse == null && options.needsWarehouse()) {
            throw new IllegalArgumentException("REJECTED letters need the warehouse");
        }
        this.options = options;
        this.warehouse = warehouse;
        this.out = out;
        this.clock = clock;
        this.producers = producers;
        this.steps = steps;
        this.kafka = options.kafka().clientProperties();
        this.report = new RedriveReport(options.selection().reasons());
    }

    /**
     * Puts back what was asked for.
     *
     * @throws RedriveException if it had to be given up
     */
    public Result run() throws RedriveException, InterruptedException {
        try {
            if (options.dryRun()) {
                putBack(null);
            } else {
                // Before anything is read: what an older redrive has committed can be seen from here on, and it commits
                // nothing more.
                try (Outbox outbox =
                        Outbox.open(kafka, options.topics().redriven(), clock::millis, producers, steps, outcome())) {
                    putBack(outbox);
                }
            }
        } catch (KafkaException e) {
            throw RedriveException.givenUp(
                    "Kafka at " + options.kafka().bootstrapServers() + " does not answer as it should ("
                            + e.getMessage() + ")",
                    e);
        } catch (IOException e) {
            throw RedriveException.givenUp(String.valueOf(e.getMessage()), e);
        }
        if (options.dryRun() && rowsToWrite > 0) {
            out.accept(String.format(
                    Locale.ROOT,
                    "Cost: BigQuery reads %.3f GB (by its dry run), for each of %,d REJECTED rows the ids and times of its"
                            + " partition",
                    bytesToRead / 1e9,
                    rowsToWrite));
        }
        out.accept(report.text(options.dryRun()));
        return new Result(report.putBack(), report.couldNot());
    }

    private void putBack(@Nullable Outbox outbox) throws RedriveException, IOException, InterruptedException {
        if (warehouse != null && options.needsWarehouse()) {
            rows = connect(warehouse);
        }
        LetterIndex index;
        Set<LetterId> marked = new HashSet<>();
        Set<Mark.InTopic> putThere = new HashSet<>();
        try (TopicReader reader = TopicReader.open(options.kafka())) {
            index = new LetterIndex(options.selection());
            LongAdder read = new LongAdder();
            var unused = reader.read(options.topics().deadLetters(), Map.of(), Map.of(), record -> {
                index.add(record);
                read.increment();
                progress("letters read", read.sum());
            });
            for (LetterIndex.Unreadable unreadable : index.unreadable()) {
                report.unreadable();
                unreadable(unreadable.partition(), unreadable.offset(), unreadable.why());
            }
            var unusedEnds = reader.read(
                    options.topics().redriven(), Map.of(), Map.of(), record -> mark(record, index, marked, putThere));
        }
        List<LetterIndex.Found> wanted = index.inOrder();
        for (LetterIndex.Found letter : wanted) {
            report.found(letter.reason());
            if (!options.again() && marked.contains(letter.id())) {
                report.already(letter.reason());
            }
        }
        if (!options.again()) {
            wanted = wanted.stream()
                    .filter(letter -> !marked.contains(letter.id()))
                    .toList();
        }
        try (RedriveRouter router = RedriveRouter.of(options, clock)) {
            putBack(wanted, router, putThere, outbox);
        }
        if (outbox != null) {
            outbox.flush();
        }
    }

    private static void mark(
            ConsumerRecord<byte[], byte[]> record,
            LetterIndex index,
            Set<LetterId> marked,
            Set<Mark.InTopic> putThere) {
        LetterId id = record.key() == null ? null : LetterId.of(new String(record.key(), StandardCharsets.ISO_8859_1));
        if (id == null) {
            return;
        }
        if (record.value() == null) {
            // Somebody took the mark off, to have the letter put back once more.
            marked.remove(id);
            return;
        }
        if (index.find(id) != null) {
            marked.add(id);
        }
        Mark.InTopic to = Mark.recordOf(record.value());
        if (to != null) {
            putThere.add(to);
        }
    }

    /** Reads the letters again, with all that is in them, until one is the last that may be put back. */
    private void putBack(
            List<LetterIndex.Found> wanted, RedriveRouter router, Set<Mark.InTopic> putThere, @Nullable Outbox outbox)
            throws RedriveException, IOException, InterruptedException {
        TreeMap<Integer, List<Long>> offsets = wanted.stream()
                .collect(Collectors.groupingBy(
                        LetterIndex.Found::partition,
                        TreeMap::new,
                        Collectors.mapping(LetterIndex.Found::offset, Collectors.toList())));
        // A few of the largest letters at a time.
        Map<String, String> few = Map.of("fetch.max.bytes", Integer.toString(16 << 20), "max.poll.records", "100");
        LongAdder looked = new LongAdder();
        String ofAll = String.format(Locale.ROOT, "letters looked at, of %,d", wanted.size());
        try (TopicReader reader = TopicReader.open(options.kafka(), few)) {
            for (Map.Entry<Integer, List<Long>> inPartition : offsets.entrySet()) {
                TopicPartition partition = new TopicPartition(options.topics().deadLetters(), inPartition.getKey());
                boolean isMoreWanted = reader.<Exception>readAt(partition, inPartition.getValue(), (offset, record) -> {
                    if (record == null) {
                        throw new RedriveException(
                                "The letter at " + partition + " offset " + offset
                                        + " was there a moment ago and is gone: does "
                                        + options.topics().deadLetters() + " delete or compact its records?",
                                null);
                    }
                    looked.increment();
                    boolean more = one(record, router, putThere, outbox);
                    progress(ofAll, looked.sum());
                    return more;
                });
                if (!isMoreWanted) {
                    break;
                }
            }
        } catch (RedriveException | IOException | InterruptedException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("Nothing else is thrown where a letter is looked at", e);
        }
        report.leftForLater(wanted.size() - looked.sum());
    }

    /** Answers whether another one may be put back. */
    private boolean one(
            ConsumerRecord<byte[], byte[]> record,
            RedriveRouter router,
            Set<Mark.InTopic> putThere,
            @Nullable Outbox outbox)
            throws RedriveException, IOException, InterruptedException {
        DeadLetter letter;
        try {
            letter = DeadLetterJson.read(record.value());
        } catch (DeadLetterJson.UnreadableLetterException e) {
            report.unreadable();
            unreadable(record.partition(), record.offset(), e.getMessage());
            return true;
        }
        LetterId id = LetterId.of(letter.id());
        if (id == null) {
            throw new IllegalStateException("The index holds only ids that it can read");
        }
        DeadLetter.Source source = letter.source();
        if (putThere.contains(new Mark.InTopic(source.topic(), source.partition(), source.offset()))) {
            report.cameBack();
        }
        Placement placement = router.of(letter);
        if (placement instanceof Placement.Nowhere nowhere) {
            couldNot(letter.reason(), nameOf(letter), nowhere.why());
        } else if (placement instanceof Placement.InTable row) {
            row(letter, id, row, outbox);
        } else if (placement instanceof Placement.InTopic back) {
            tried++;
            if (outbox == null) {
                report.putBack(letter.reason());
            } else {
                outbox.add(new Outbox.Item(id, letter.reason(), nameOf(letter), back.record(), null));
                if (back.atOnce()) {
                    outbox.flush();
                }
            }
        }
        Integer limit = options.selection().limit();
        return limit == null || tried < limit;
    }

    /** The row first, then the mark: what dies in between leaves a row that the next one finds. */
    private void row(DeadLetter letter, LetterId id, Placement.InTable row, @Nullable Outbox outbox)
            throws RedriveException, IOException, InterruptedException {
        MissingRows missing = rows;
        if (missing == null) {
            throw new IllegalStateException("REJECTED letters need the warehouse");
        }
        try {
            if (!missing.isBehind(letter)) {
                couldNot(
                        letter.reason(),
                        nameOf(letter),
                        "the job has shown no rows since it was refused, so a failure might take it back to this event, and"
                                + " the row be there twice. Start again after its next checkpoint; or say"
                                + " --accept-warehouse-duplicates");
                return;
            }
            if (outbox == null) {
                missing.check(row.enrichedJson());
                bytesToRead += missing.bytesToRead(row.enrichedJson());
                rowsToWrite++;
                report.putBack(letter.reason());
            } else {
                missing.insert(letter.id(), row.enrichedJson());
                steps.reached(Step.ROW_WRITTEN);
                outbox.add(new Outbox.Item(
                        id, letter.reason(), nameOf(letter), null, new Mark.InTable(missing.table(), row.eventId())));
            }
            tried++;
        } catch (MissingRows.RefusedRowException e) {
            couldNot(letter.reason(), nameOf(letter), "the warehouse refuses its row: " + e.getMessage());
        }
    }

    private static MissingRows connect(WarehouseOptions warehouse) throws RedriveException, InterruptedException {
        try {
            return MissingRows.of(warehouse);
        } catch (IOException | RowStoreRefusedException e) {
            throw new RedriveException(String.valueOf(e.getMessage()), e);
        }
    }

    private Outbox.Outcome outcome() {
        return new Outbox.Outcome() {
            @Override
            public void putBack(Outbox.Item item) {
                report.putBack(item.reason());
            }

            @Override
            public void refused(Outbox.Item item, String why) {
                couldNot(item.reason(), item.name(), why);
            }
        };
    }

    private void couldNot(Reason reason, String name, String why) {
        report.couldNot(reason);
        out.accept("Could not put back " + name + ": " + why);
    }

    private void unreadable(int partition, long offset, @Nullable String why) {
        out.accept("No letter: " + options.topics().deadLetters() + " partition " + partition + " offset " + offset
                + ": " + why);
    }

    private static String nameOf(DeadLetter letter) {
        DeadLetter.Source source = letter.source();
        return letter.reason() + " letter " + letter.id()
                + (letter.eventId() == null ? "" : " of event " + letter.eventId())
                + " (" + source.topic() + (source.partition() < 0 ? "" : " partition " + source.partition())
                + (source.partition() < 0 ? " LSN " : " offset ") + source.offset() + ")";
    }

    private void progress(String what, long done) {
        long now = System.nanoTime();
        if (nextReportNanos == 0) {
            nextReportNanos = now + BETWEEN_REPORTS.toNanos();
        } else if (now - nextReportNanos >= 0) {
            out.accept(String.format(Locale.ROOT, "… %,d %s", done, what));
            nextReportNanos = now + BETWEEN_REPORTS.toNanos();
        }
    }
}
