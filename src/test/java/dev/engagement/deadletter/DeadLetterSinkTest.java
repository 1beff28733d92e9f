package dev.engagement.deadletter;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.SimpleCounter;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.flink.util.UserCodeClassLoader;
import org.junit.jupiter.api.Test;

class DeadLetterSinkTest {

    private static final int LIMIT = 100_000;

    @Test
    void a_letter_that_fits_is_whole() {
        String json = fitting(new byte[1_000], List.of());

        assertThat(json).contains("\"payload_encoding\":\"base64\"").doesNotContain("left out");
    }

    @Test
    void a_letter_too_large_for_the_producer_goes_without_its_payload_and_says_where_it_is() {
        for (int bytes : new int[] {LIMIT, 10 * LIMIT}) {
            String json = fitting(new byte[bytes], List.of());

            assertThat(json.length()).isLessThan(2_000);
            assertThat(json)
                    .contains("\"id\":\"" + letter(new byte[0], List.of()).id() + "\"")
                    .contains("\"offset\":7")
                    .contains("The payload (" + bytes + " bytes) and 0 headers are left out")
                    .contains("too large")
                    .contains("\"payload\":null");
        }
    }

    @Test
    void headers_too_large_for_the_producer_are_left_out_too() {
        String json = fitting(new byte[0], List.of(new DeadLetter.Header("h", new byte[LIMIT])));

        assertThat(json).contains("and 1 headers are left out").contains("\"headers\":[]");
    }

    @Test
    void the_limit_is_the_producer_s_own() {
        Properties producer = new Properties();
        assertThat(DeadLetterSink.limit(producer)).isBetween(DeadLetterSink.MAX_LETTER_BYTES - 1_000, 16 << 20);
        producer.setProperty("max.request.size", "2000000");
        assertThat(DeadLetterSink.limit(producer)).isBetween(1_999_000, 2_000_000);
    }

    @Test
    void letters_are_counted_by_reason_from_zero() throws Exception {
        Map<String, Counter> counters = new TreeMap<>();
        DeadLetterSink.LetterSchema schema =
                new DeadLetterSink.LetterSchema(new DeadLetterOptions("letters", "build"), LIMIT);
        schema.open(new CountersByReason(counters), null);
        assertThat(counters).hasSameSizeAs(Reason.values());

        schema.serialize(letter(new byte[0], List.of()), null, null);
        schema.serialize(letter(new byte[2 * LIMIT], List.of()), null, null);

        counters.forEach((reason, counter) ->
                assertThat(counter.getCount()).as(reason).isEqualTo(reason.equals("reason=OVERSIZE: letters") ? 2 : 0));
    }

    /** Counters by group and name. */
    private record CountersByReason(Map<String, Counter> counters)
            implements SerializationSchema.InitializationContext {
        @Override
        public MetricGroup getMetricGroup() {
            return new UnregisteredMetricsGroup() {
                @Override
                public MetricGroup addGroup(String key, String value) {
                    return new UnregisteredMetricsGroup() {
                        @Override
                        public Counter counter(String name) {
                            return counters.computeIfAbsent(
                                    key + "=" + value + ": " + name, each -> new SimpleCounter());
                        }
                    };
                }
            };
        }

        @Override
        public UserCodeClassLoader getUserCodeClassLoader() {
            throw new UnsupportedOperationException();
        }
    }

    private static String fitting(byte[] payload, List<DeadLetter.Header> headers) {
        return new String(DeadLetterSink.fitting(letter(payload, headers), "build", LIMIT), StandardCharsets.UTF_8);
    }

    private static DeadLetter letter(byte[] payload, List<DeadLetter.Header> headers) {
        return DeadLetter.of(
                Reason.OVERSIZE,
                "decode",
                "too large",
                0,
                new DeadLetter.Source("events", 1, 7, 0),
                null,
                payload,
                headers);
    }
}
