package dev.engagement.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EventIdKind;
import dev.engagement.ingest.DecodedRecord;
import dev.engagement.ingest.EventDecoder;
import dev.engagement.ingest.EventRules;
import dev.engagement.ingest.RegisteredDecoders;
import java.io.IOException;
import java.time.Clock;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/** Decoding one event, beside what walking over its JSON tokens costs. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class DecodeBenchmark {

    private static final int EVENTS = 4_096;

    private ConsumerRecord<byte[], byte[]>[] records;
    private ConsumerRecord<byte[], byte[]>[] avroRecords;
    private EventDecoder decoder;
    private EventDecoder avroDecoder;
    private ConsumerRecord<byte[], byte[]>[] textRecords;
    private EventDecoder textDecoder;
    private DecodedRecord<EngagementEvent> decoded;
    private JsonFactory json;

    /** Makes the events. */
    @Setup
    @SuppressWarnings("unchecked") // an array of a generic type
    public void setUp() {
        records = new ConsumerRecord[EVENTS];
        textRecords = new ConsumerRecord[EVENTS];
        for (int i = 0; i < EVENTS; i++) {
            textRecords[i] = new ConsumerRecord<>(
                    "events", i & 15, i, null, BenchEnvelopes.textEvent(i, BenchEnvelopes.micros(i)));
            records[i] = new ConsumerRecord<>("events", i & 15, i, BenchEnvelopes.eventKey(i), BenchEnvelopes.event(i));
        }
        decoder = new EventDecoder("events", 1 << 20, Clock.systemUTC());
        textDecoder = new EventDecoder("events", 1 << 20, new EventRules(EventIdKind.TEXT, true), Clock.systemUTC());
        decoded = new DecodedRecord<>();
        json = new JsonFactory();
        AvroEnvelopes avro = new AvroEnvelopes();
        avroRecords = new ConsumerRecord[EVENTS];
        for (int i = 0; i < EVENTS; i++) {
            avroRecords[i] = new ConsumerRecord<>("events", i & 15, i, BenchEnvelopes.eventKey(i), avro.event(i));
        }
        avroDecoder = RegisteredDecoders.events("events", AvroEnvelopes.ID, avro.schema());
    }

    /** Ours: the event with all its fields, checked. */
    @Benchmark
    @OperationsPerInvocation(EVENTS)
    public void decode(Blackhole hole) {
        for (ConsumerRecord<byte[], byte[]> record : records) {
            decoder.decode(record, decoded);
            hole.consume(decoded.value());
        }
    }

    /** Ours of the same events in Avro. */
    @Benchmark
    @OperationsPerInvocation(EVENTS)
    public void decodeAvro(Blackhole hole) {
        for (ConsumerRecord<byte[], byte[]> record : avroRecords) {
            avroDecoder.decode(record, decoded);
            hole.consume(decoded.value());
        }
    }

    /** The same of events whose ids are texts. */
    @Benchmark
    @OperationsPerInvocation(EVENTS)
    public void decodeTextIds(Blackhole hole) {
        for (ConsumerRecord<byte[], byte[]> record : textRecords) {
            textDecoder.decode(record, decoded);
            hole.consume(decoded.value());
        }
    }

    /** The reference: every token is read and forgotten. */
    @Benchmark
    @OperationsPerInvocation(EVENTS)
    public void parseAndDiscard(Blackhole hole) throws IOException {
        for (ConsumerRecord<byte[], byte[]> record : records) {
            try (JsonParser parser = json.createParser(record.value())) {
                JsonToken last = null;
                for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                    last = token;
                }
                hole.consume(last);
            }
        }
    }
}
