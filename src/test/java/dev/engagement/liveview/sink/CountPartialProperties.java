package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.LongRange;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

class CountPartialProperties {

    @Property
    void a_partial_count_comes_back_as_it_was_whatever_the_order_of_its_minutes(
            @ForAll("texts") String contentId,
            @ForAll @LongRange(min = 1, max = Long.MAX_VALUE) long events,
            @ForAll("minutes") List<Long> minutes,
            @ForAll @LongRange(min = 1, max = Long.MAX_VALUE - 64) long inFirst)
            throws IOException {
        long[] eventsInMinute = new long[minutes.size()];
        for (int i = 0; i < eventsInMinute.length; i++) {
            eventsInMinute[i] = i == 0 ? inFirst : i;
        }
        CountPartial partial = new CountPartial(
                contentId, events, minutes.stream().mapToLong(Long::longValue).toArray(), eventsInMinute);

        DataOutputSerializer out = new DataOutputSerializer(64);
        serializer().serialize(partial, out);
        DataInputDeserializer in = new DataInputDeserializer(out.getCopyOfBuffer());
        CountPartial read = serializer().deserialize(in);

        assertThat(read.contentId()).isEqualTo(contentId);
        assertThat(read.events()).isEqualTo(events);
        assertThat(read.minutes()).isEqualTo(partial.minutes());
        assertThat(read.eventsInMinute()).isEqualTo(eventsInMinute);
        assertThat(in.available()).isZero();
    }

    private static TypeSerializer<CountPartial> serializer() {
        return CountPartial.TYPE.createSerializer(new SerializerConfigImpl());
    }

    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.of("", "c1", "é", "\uD83D\uDE00", "6f1c1d0e-0000-4000-8000-000000000001");
    }

    @Provide
    Arbitrary<List<Long>> minutes() {
        // The first and the last minute of all event times, and any number at all.
        return Arbitraries.oneOf(
                        Arbitraries.of(-1_035_593_280L, 4_223_371_679L, 0L, -1L),
                        Arbitraries.longs().between(29_464_690, 29_464_720),
                        Arbitraries.longs())
                .list()
                .ofMaxSize(CountPartials.MAX_MINUTES);
    }
}
