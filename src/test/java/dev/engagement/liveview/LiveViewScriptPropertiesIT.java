package dev.engagement.liveview;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EventJson;
import dev.engagement.local.RedisServer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.NotEmpty;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;

/** The scripts on a real Redis against {@link LiveValue#newerThan}. */
class LiveViewScriptPropertiesIT {

    private static final LiveViewKeys KEYS = new LiveViewKeys("p:");
    private static final long NOW_MICROS = System.currentTimeMillis() * 1_000;

    private static RedisServer server;
    private static Jedis redis;

    @BeforeContainer
    static void start() {
        server = RedisServer.start(Path.of("target/redis/LiveViewScriptPropertiesIT"), 0);
        redis = server.connect();
    }

    @AfterContainer
    static void stop() {
        redis.close();
        server.close();
    }

    @Property(tries = 300)
    void redis_and_java_agree_on_each_write_and_on_what_stays(@ForAll("values") @NotEmpty List<LiveValue> values) {
        redis.flushDB();
        Map<Slot, LiveValue> shown = new HashMap<>();
        for (LiveValue value : values) {
            LiveValue before = shown.get(value.slot());
            boolean newer = before == null || value.newerThan(before);
            if (newer) {
                shown.put(value.slot(), value);
            }
            assertThat(apply(value)).isEqualTo(newer ? WriteOutcome.WRITTEN : WriteOutcome.SUPERSEDED);
        }
        for (LiveValue value : shown.values()) {
            assertShown(value);
        }
    }

    @Property(tries = 100)
    void a_second_pass_in_another_order_changes_nothing(
            @ForAll("values") @NotEmpty List<LiveValue> values, @ForAll Random random) {
        redis.flushDB();
        values.forEach(LiveViewScriptPropertiesIT::apply);
        Map<String, Object> before = dump();

        List<LiveValue> again = new ArrayList<>(values);
        Collections.shuffle(again, random);

        assertThat(again).allSatisfy(value -> assertThat(apply(value)).isEqualTo(WriteOutcome.SUPERSEDED));
        assertThat(dump()).isEqualTo(before);
    }

    static WriteOutcome apply(LiveValue value) {
        ScriptedWrite write = value.write(KEYS);
        byte[] text = write.script().text().getBytes(StandardCharsets.UTF_8);
        return WriteOutcome.of((Long) redis.eval(text, write.keys(), write.arguments()));
    }

    private static void assertShown(LiveValue value) {
        if (value instanceof LiveValue.Last last) {
            assertThat(redis.get(KEYS.last(last.enriched().event().contentId())))
                    .isEqualTo(new String(EventJson.enriched(last.enriched()), StandardCharsets.UTF_8));
            assertThat(redis.pexpireTime(KEYS.last(last.enriched().event().contentId())))
                    .isEqualTo(last.expiresAtMillis());
        } else if (value instanceof LiveValue.Count count) {
            assertThat(redis.get(KEYS.count(count.contentId()))).isEqualTo(Long.toString(count.total()));
            assertThat(redis.pttl(KEYS.count(count.contentId()))).isEqualTo(-1);
        } else if (value instanceof LiveValue.Meta meta) {
            assertThat(redis.hgetAll(KEYS.meta(meta.contentId()))).isEqualTo(fields(meta));
            assertThat(redis.exists(KEYS.metaGrave(meta.contentId()))).isFalse();
        } else if (value instanceof LiveValue.MetaGone gone) {
            assertThat(redis.exists(KEYS.meta(gone.contentId()))).isFalse();
            assertThat(redis.get(KEYS.metaGrave(gone.contentId()))).isEqualTo(Long.toString(gone.version()));
        }
    }

    private static Map<String, String> fields(LiveValue.Meta meta) {
        List<byte[]> arguments = meta.write(KEYS).arguments();
        Map<String, String> fields = new HashMap<>();
        fields.put(LiveValue.VERSION_FIELD, Long.toString(meta.version()));
        for (int i = 1; i < arguments.size(); i += 2) {
            fields.put(text(arguments.get(i)), text(arguments.get(i + 1)));
        }
        return fields;
    }

    private static Map<String, Object> dump() {
        Map<String, Object> all = new HashMap<>();
        for (String key : redis.keys("*")) {
            all.put(key, redis.type(key).equals("hash") ? redis.hgetAll(key) : redis.get(key));
        }
        return all;
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    @Provide
    Arbitrary<List<LiveValue>> values() {
        Arbitrary<String> contents = Arbitraries.of("c1", "ü{2}");
        // Ids where a double cannot tell neighbours apart, of all lengths and both signs.
        Arbitrary<Long> ids = Arbitraries.oneOf(
                Arbitraries.longs().between(-11, 11),
                Arbitraries.longs().between(Long.MAX_VALUE - 3, Long.MAX_VALUE),
                Arbitraries.longs().between(Long.MIN_VALUE, Long.MIN_VALUE + 3),
                Arbitraries.longs().between((1L << 53) - 1, (1L << 53) + 2),
                Arbitraries.longs().between(999_999_998L, 1_000_000_001L),
                Arbitraries.longs());
        Arbitrary<Long> times = Arbitraries.oneOf(
                Arbitraries.longs().between(NOW_MICROS, NOW_MICROS + 2),
                Arbitraries.longs().between(NOW_MICROS - 1_800_000_000L, NOW_MICROS + 2_000_000_000L),
                Arbitraries.longs().between(NOW_MICROS, 253_402_300_799_999_999L - 3_600_000_000L));
        // Texts that look like the fields that hold the version.
        Arbitrary<@Nullable String> texts = Arbitraries.of(
                "web", null, "\"event_ts\":\"9999-01-01T00:00:00.000000Z\"", "{\"event_id\":9", "\\", "é\n", "");
        Arbitrary<@Nullable String> payloads =
                Arbitraries.of("{\"event_ts\":\"9999-12-31T00:00:00.000000Z\"}", null, "[1,\n2]");
        Arbitrary<LiveValue> lasts = Combinators.combine(contents, ids, times, texts, payloads)
                .as((content, id, time, device, payload) ->
                        new LiveValue.Last(Samples.event(content, id, time, device, payload, false)));
        Arbitrary<Long> positive = ids.map(id -> id & Long.MAX_VALUE);
        Arbitrary<LiveValue> counts = Combinators.combine(contents, positive).as(LiveValue.Count::new);
        Arbitrary<LiveValue> metas = Combinators.combine(contents, positive)
                .as((content, version) -> version % 3 == 0
                        ? new LiveValue.MetaGone(content, version)
                        : new LiveValue.Meta(Samples.content(content), version));
        return Arbitraries.oneOf(lasts, counts, metas).list().ofMaxSize(12);
    }
}
