package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Over the whole corpus, read by one decoder as a reader would: accepted + dead letters + ignored = read. */
class CorpusAccountingTest {

    private static final List<DebeziumCase> CASES = DebeziumCase.all();

    private final EventDecoder eventDecoder =
            new EventDecoder(DebeziumCase.EVENTS_TOPIC, DebeziumCase.MAX_RECORD_BYTES, Clock.systemUTC());
    private final ContentDecoder contentDecoder =
            new ContentDecoder(DebeziumCase.CONTENT_TOPIC, DebeziumCase.MAX_RECORD_BYTES, Clock.systemUTC());
    private final DecodedRecord<EngagementEvent> event = new DecodedRecord<>();
    private final DecodedRecord<ContentChange> content = new DecodedRecord<>();

    @Test
    void accepted_and_dead_letters_and_ignored_are_all_that_was_read() {
        Map<DecodedRecord.Kind, Integer> seen = new EnumMap<>(DecodedRecord.Kind.class);
        Map<String, Integer> expected = new TreeMap<>();
        long offset = 0;
        for (DebeziumCase c : CASES) {
            seen.merge(decode(c, offset++).kind(), 1, Integer::sum);
            expected.merge(c.outcome(), 1, Integer::sum);
        }

        int accepted = seen.getOrDefault(DecodedRecord.Kind.VALUE, 0);
        int deadLetters = seen.getOrDefault(DecodedRecord.Kind.LETTER, 0);
        int ignored = seen.getOrDefault(DecodedRecord.Kind.IGNORED, 0);
        assertThat(accepted + deadLetters + ignored).isEqualTo(CASES.size());
        assertThat(accepted).isEqualTo(expected.get(Outcome.ACCEPTED));
        assertThat(deadLetters).isEqualTo(expected.get(Outcome.DEAD_LETTER));
        assertThat(ignored).isEqualTo(expected.get(Outcome.IGNORED));
    }

    /** A decoder and its holder are reused for every record: nothing of one may show in the next. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void the_order_of_records_changes_no_outcome(long seed) {
        List<DebeziumCase> shuffled = new ArrayList<>(CASES);
        Collections.shuffle(shuffled, new Random(seed));
        DebeziumCase previous = shuffled.get(0);
        for (DebeziumCase c : shuffled) {
            Outcome alone = Outcome.of(DebeziumCorpusTest.decode(c.onEvents(), c.record(0, 7, 11)));
            assertThat(Outcome.of(decode(c, 7)))
                    .as("%s after %s", c.name(), previous.name())
                    .isEqualTo(alone);
            previous = c;
        }
    }

    /** A failure is told apart from every other by where it was read. */
    @Test
    void each_dead_letter_has_its_own_id() {
        List<String> ids = new ArrayList<>();
        long offset = 0;
        for (DebeziumCase c : CASES) {
            DecodedRecord<?> decoded = decode(c, offset++);
            if (decoded.kind() == DecodedRecord.Kind.LETTER) {
                ids.add(decoded.letter().id());
            }
        }
        assertThat(ids).doesNotHaveDuplicates().isNotEmpty();
    }

    private DecodedRecord<?> decode(DebeziumCase c, long offset) {
        ConsumerRecord<byte[], byte[]> record = c.record(0, offset, 11);
        if (c.onEvents()) {
            eventDecoder.decode(record, event);
            return event;
        }
        contentDecoder.decode(record, content);
        return content;
    }
}
