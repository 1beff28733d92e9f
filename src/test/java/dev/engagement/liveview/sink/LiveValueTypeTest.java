package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.event.Content;
import dev.engagement.event.Standings.Place;
import dev.engagement.event.types.testing.GoldenBytes;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveValue.Board;
import dev.engagement.liveview.RollupCell;
import dev.engagement.liveview.Samples;
import dev.engagement.liveview.Tally;
import dev.engagement.writeback.DirtySet;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LiveValueTypeTest {

    private static final long SLIDE_END = 1_767_882_112_000L;

    static List<GoldenBytes<?>> cases() {
        return List.of(
                golden("last", Samples.last("c-ü", 16, 1_767_882_112_345_678L)),
                golden(
                        "tally",
                        Tally.none("c").plus(300).plusInMinute(29_464_701, 2).plusInMinute(29_464_703, 128)),
                golden("tally-bare", Tally.none("").plus(0)),
                golden(
                        "tally-before-the-epoch",
                        Tally.none("c")
                                .plus(Long.MAX_VALUE)
                                .plusInMinute(-1_035_593_280L, 1)
                                .plusInMinute(-1, 3)
                                .plusInMinute(1, 4)),
                golden("meta", new LiveValue.Meta(Samples.content("c"), 1L << 40)),
                golden("meta-bare", new LiveValue.Meta(new Content("c", null, null, null, null, null), 0)),
                golden("meta-gone", new LiveValue.MetaGone("c-ü", 300, SLIDE_END)),
                golden("meta-gone-without-a-time", new LiveValue.MetaGone("c", 3, -1)),
                golden(
                        "board-by-events",
                        new Board(
                                Board.Kind.EVENTS,
                                SLIDE_END,
                                List.of(new Place("b", Long.MAX_VALUE), new Place("ü", 1)))),
                golden("board-by-engagement-empty", new Board(Board.Kind.ENGAGEMENT, SLIDE_END, List.of())),
                golden(
                        "rollup-cell",
                        new RollupCell(
                                "metric:click-ü:30s",
                                SLIDE_END,
                                "{\"window_end\":1767882112000,\"event_type\":\"click-ü\"}"
                                        .getBytes(StandardCharsets.UTF_8),
                                1_000_000_000_003L)),
                new GoldenBytes<>(
                        "live-dirty", DirtySet.TYPE, new DirtySet(false, List.of("c1", "c-ü", ""), "run-id/epoch")),
                new GoldenBytes<>("live-dirty-everything", DirtySet.TYPE, new DirtySet(true, List.of(), "")));
    }

    private static GoldenBytes<LiveValue> golden(String name, LiveValue value) {
        return new GoldenBytes<>("live-" + name, LiveValueType.LIVE_VALUE, value);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void version_1_is_read(GoldenBytes<?> one) throws IOException {
        one.assertThatVersion1IsRead();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void a_newer_version_is_refused_with_the_way_out(GoldenBytes<?> one) throws IOException {
        one.assertThatANewerVersionIsRefused();
    }

    @Test
    void a_tally_is_a_few_bytes() throws IOException {
        Tally tally = Tally.none("c1").plus(300).plusInMinute(29_464_701, 2).plusInMinute(29_464_702, 7);

        // Version, kind, text of two, total of two, two minutes: four bytes, then one; two counts.
        assertThat(golden("tally", tally).written()).hasSize(1 + 1 + 3 + 2 + 1 + 4 + 1 + 2);
    }

    @Test
    void an_unknown_kind_is_damage() {
        TypeSerializer<LiveValue> serializer = LiveValueType.LIVE_VALUE.createSerializer(new SerializerConfigImpl());

        assertThatThrownBy(() -> serializer.deserialize(new DataInputDeserializer(new byte[] {1, 99})))
                .hasMessageContaining("Unknown kind of live value 99");
    }
}
