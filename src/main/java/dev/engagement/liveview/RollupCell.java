package dev.engagement.liveview;

import dev.engagement.event.RollupJson;
import dev.engagement.event.RollupRow;
import dev.engagement.event.RollupShape;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One window of one key of a rollup. It holds all that is written of it, so that a window is shown until it is over whatever
 * becomes of the rollup's definition.
 *
 * @param windows {@link LiveViewKeys#windows} without a prefix: the sorted set that it is a member of
 * @param windowEndMillis milliseconds since the epoch, exclusive: its score
 * @param member its JSON; nobody changes the array
 * @param version the greater, the newer
 */
public record RollupCell(String windows, long windowEndMillis, byte[] member, long version) implements LiveValue {

    /** How long after its end a window is shown. */
    public static final Duration SHOWN_FOR = Duration.ofHours(1);

    private static final LiveViewKeys WITHOUT_PREFIX = new LiveViewKeys("");

    /** The window of a row, in that sorted set. */
    public static RollupCell of(RollupRow row, RollupShape shape, String windows) {
        return new RollupCell(windows, row.windowEndMillis(), RollupJson.window(row, shape), row.version());
    }

    /** The sorted set of a row's window. */
    public static String windows(RollupRow row, RollupShape shape) {
        return WITHOUT_PREFIX.windows(shape, row.key());
    }

    /** The {@link #id} of the window that ends at that time in that sorted set. */
    public static String id(String windows, long windowEndMillis) {
        return windows + "@" + windowEndMillis;
    }

    /** When a window is over, milliseconds since the epoch. */
    public static long expiresAtMillis(long windowEndMillis) {
        return windowEndMillis + SHOWN_FOR.toMillis();
    }

    @Override
    public String id() {
        return id(windows, windowEndMillis);
    }

    @Override
    public @Nullable RollupCell aliveAt(long nowMillis) {
        return expiresAtMillis(windowEndMillis) > nowMillis ? this : null;
    }

    @Override
    public int estimatedBytes() {
        // Its id, as long as the name, is held with it.
        return 224 + 4 * windows.length() + member.length;
    }

    @Override
    public void writeTo(Writes out, LiveViewKeys keys, long parts, long nowMillis) {
        if (expiresAtMillis(windowEndMillis) <= nowMillis) {
            out.expired();
        } else {
            out.add(write(keys), parts);
        }
    }

    ScriptedWrite write(LiveViewKeys keys) {
        String key = keys.prefix() + windows;
        return new ScriptedWrite(
                LiveViewScript.ROLLUP,
                List.of(bytes(key), bytes(keys.windowVersions(key))),
                List.of(
                        bytes(Long.toString(version)),
                        bytes(Long.toString(windowEndMillis)),
                        bytes(Long.toString(expiresAtMillis(windowEndMillis))),
                        bytes(keys.metricsUpdates()),
                        member));
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof RollupCell that
                && that.windowEndMillis == windowEndMillis
                && that.version == version
                && that.windows.equals(windows)
                && Arrays.equals(that.member, member);
    }

    @Override
    public int hashCode() {
        return 31 * windows.hashCode() + Long.hashCode(windowEndMillis);
    }

    /** Id and version; not the JSON, which may be large. */
    @Override
    public String toString() {
        return "RollupCell[" + id() + ", version " + version + "]";
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
