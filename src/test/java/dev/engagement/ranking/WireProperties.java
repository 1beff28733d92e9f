package dev.engagement.ranking;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.Standings;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/** Content ids and what crosses the network come back as they were. */
class WireProperties {

    @Provide
    Arbitrary<String> ids() {
        Arbitrary<String> uuids = Combinators.combine(Arbitraries.longs(), Arbitraries.longs())
                .as((high, low) -> new UUID(high, low).toString());
        // Around the borders of UTF-8's lengths and of surrogates.
        Arbitrary<String> texts = Arbitraries.of(
                        "a",
                        "b",
                        "\u007F",
                        "\u0080",
                        "\u07FF",
                        "\u0800",
                        "\uD7FF",
                        "\uE000",
                        "\uFFFF",
                        "\uD800\uDC00",
                        "\uDBFF\uDFFF")
                .list()
                .ofMaxSize(4)
                .map(parts -> String.join("", parts));
        Arbitrary<String> nearlyUuids = Combinators.combine(
                        uuids, Arbitraries.integers().between(0, 35), Arbitraries.of('A', 'g', '-', ' ', '0', '\u0160'))
                .as((uuid, at, with) -> uuid.substring(0, at) + with + uuid.substring(at + 1));
        return Arbitraries.oneOf(uuids, texts, nearlyUuids, Arbitraries.longs().map(Object::toString));
    }

    @Property
    void ids_come_back(@ForAll("ids") String id) throws Exception {
        DataOutputSerializer out = new DataOutputSerializer(16);
        ContentIds.write(id, out);
        assertThat(ContentIds.read(new DataInputDeserializer(out.getCopyOfBuffer())))
                .isEqualTo(id);
    }

    @Property
    void a_uuid_takes_17_bytes(@ForAll long high, @ForAll long low) throws Exception {
        DataOutputSerializer out = new DataOutputSerializer(16);
        ContentIds.write(new UUID(high, low).toString(), out);
        assertThat(out.length()).isEqualTo(17);
    }

    @Property
    void ids_are_ordered_by_their_utf8_bytes(@ForAll("ids") String left, @ForAll("ids") String right) {
        int expected =
                Arrays.compareUnsigned(left.getBytes(StandardCharsets.UTF_8), right.getBytes(StandardCharsets.UTF_8));
        assertThat(Integer.signum(ContentIds.ORDER.compare(left, right))).isEqualTo(Integer.signum(expected));
        assertThat(Long.compare(ContentIds.start(left), ContentIds.start(right)))
                .isIn(0, Integer.signum(expected));
    }

    @Provide
    Arbitrary<List<long[]>> panes() {
        Arbitrary<Long> counts = Arbitraries.longs().between(0, Long.MAX_VALUE);
        return Combinators.combine(Arbitraries.longs(), counts, counts, counts)
                .as((second, events, measured, millis) -> new long[] {second, events, measured, millis})
                .list()
                .ofMaxSize(40);
    }

    @Property
    void partials_come_back(@ForAll("ids") String id, @ForAll("panes") List<long[]> panes) throws Exception {
        long[] numbers = panes.stream().flatMapToLong(Arrays::stream).toArray();
        RankingPartial partial = new RankingPartial(id, panes.size(), Arrays.copyOf(numbers, numbers.length + 4));

        RankingPartial copy = RankingStage.copy(RankingPartial.TYPE, partial);

        assertThat(copy).hasToString(partial.toString());
        assertThat(copy.key()).isEqualTo(partial.key());
    }

    @Property
    void shard_standings_come_back(
            @ForAll long end,
            @ForAll("ids") String first,
            @ForAll("ids") String second,
            @ForAll("panes") List<long[]> panes)
            throws Exception {
        List<Standings.Place> places = new ArrayList<>();
        panes.forEach(pane -> places.add(new Standings.Place(first, pane[1])));
        List<Standings.Place> alone = List.of(new Standings.Place(second, Long.MAX_VALUE));

        ShardStandings copy = RankingStage.copy(
                ShardStandings.TYPE, new ShardStandings(end, 3, 128, TopN.of(places), TopN.of(alone)));

        assertThat(copy.slideEndMillis()).isEqualTo(end);
        assertThat(copy.subtask()).isEqualTo(3);
        assertThat(copy.parallelism()).isEqualTo(128);
        assertThat(RankingStage.places(copy.byEvents())).isEqualTo(places);
        assertThat(RankingStage.places(copy.byEngagement())).isEqualTo(alone);
    }

    @Property
    void shard_standings_of_version_1_are_read(@ForAll("ids") String first, @ForAll("ids") String second)
            throws Exception {
        DataOutputSerializer out = new DataOutputSerializer(64);
        out.writeByte(1);
        out.writeLong(60_000);
        out.writeByte(3);
        out.writeByte(4);
        out.writeByte(2);
        ContentIds.write(first, out);
        out.writeByte(9);
        ContentIds.write(second, out);
        out.writeByte(7);
        out.writeByte(0);

        ShardStandings read = RankingStage.serializer(ShardStandings.TYPE)
                .deserialize(new DataInputDeserializer(out.getCopyOfBuffer()));

        assertThat(read.slideEndMillis()).isEqualTo(60_000);
        assertThat(read.subtask()).isEqualTo(3);
        assertThat(read.parallelism()).isEqualTo(4);
        assertThat(RankingStage.places(read.byEvents()))
                .containsExactly(new Standings.Place(first, 9), new Standings.Place(second, 7));
        assertThat(RankingStage.places(read.byEngagement())).isEmpty();
    }

    @Property
    void a_pane_remembers_what_was_appended(@ForAll("panes") List<long[]> entries) {
        Pane pane = new Pane(1);
        int index = 0;
        for (long[] entry : entries) {
            // Sums of a second are far below what the log's head can hold.
            pane.append(index++, entry[1] >>> 1 | 1, Math.min(entry[1] >>> 1 | 1, entry[2]), entry[3]);
        }
        Pane.Cursor cursor = pane.read();
        for (int i = 0; i < entries.size(); i++) {
            long[] entry = entries.get(i);
            long measured = Math.min(entry[1] >>> 1 | 1, entry[2]);
            assertThat(cursor.next()).isTrue();
            assertThat(cursor.index).isEqualTo(i);
            assertThat(cursor.events).isEqualTo(entry[1] >>> 1 | 1);
            assertThat(cursor.measured).isEqualTo(measured);
            assertThat(cursor.millis).isEqualTo(measured == 0 ? 0 : entry[3]);
        }
        assertThat(cursor.next()).isFalse();
    }
}
