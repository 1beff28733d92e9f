package dev.engagement.api.testing;

import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.ScriptedWrite;
import java.nio.charset.StandardCharsets;
import redis.clients.jedis.Jedis;

/**
 * Writes into Redis what the live view shows, as the job does.
 *
 * @param redis where to
 * @param keys under which
 */
public record ShownValues(Jedis redis, LiveViewKeys keys) {

    /** Writes all parts of a value. */
    public void show(LiveValue value) {
        value.writeTo(
                new LiveValue.Writes() {
                    @Override
                    public void add(ScriptedWrite write, long part) {
                        evaluate(write);
                    }

                    @Override
                    public void addToBucket(long minute, String contentId, long events, long part) {
                        redis.zadd(keys.bucket(minute), events, contentId);
                    }

                    @Override
                    public void expired() {
                        throw new AssertionError(value + " is over; it would not be shown");
                    }
                },
                keys,
                LiveValue.ALL_PARTS,
                System.currentTimeMillis());
    }

    /** Makes one write, which has to change something. */
    public void evaluate(ScriptedWrite write) {
        Object outcome =
                redis.eval(write.script().text().getBytes(StandardCharsets.UTF_8), write.keys(), write.arguments());
        if (!Long.valueOf(1).equals(outcome)) {
            throw new AssertionError(write + " changed nothing: Redis answered " + outcome);
        }
    }
}
