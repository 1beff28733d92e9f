package dev.engagement.api.read;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.api.definition.Parameters;
import dev.engagement.event.Integers;
import dev.engagement.liveview.LiveViewKeys;
import java.math.BigDecimal;
import java.time.Clock;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * {@code event}: an enriched event out of the event cache, which is a hash of texts, or out of the warehouse if that is
 * asked for, in the form that the job delivers.
 */
final class EventRead implements Read {

    private final RedisStore redis;
    private final LiveViewKeys keys;
    private final WarehouseFallback fallback;
    private final Clock clock;

    EventRead(RedisStore redis, LiveViewKeys keys, WarehouseFallback fallback, Clock clock) {
        this.redis = redis;
        this.keys = keys;
        this.fallback = fallback;
        this.clock = clock;
    }

    @Override
    public Answer answer(Parameters parameters) throws NotFoundException, UnavailableException {
        long id = parameters.number("id");
        boolean looksIntoWarehouse = parameters.text("fallback").equals("warehouse");
        if (looksIntoWarehouse) {
            // Whatever the cache has: who asks so is told at the first time and not after an hour.
            fallback.check();
        }
        Map<String, String> fields = redis.ask(pipeline -> pipeline.hgetAll(keys.event(id)));
        if (fields.isEmpty() && looksIntoWarehouse) {
            fields = fallback.find(id);
        }
        if (fields.isEmpty()) {
            throw looksIntoWarehouse
                    ? new NotFoundException(
                            "The event " + id + " is neither in the event cache nor in the warehouse",
                            "ask for one that the job has written there; it does so at each checkpoint")
                    : new NotFoundException(
                            "The event " + id + " is not in the event cache",
                            "ask for one of the last hour; the job keeps them there with liveview.event-cache=true");
        }
        ObjectNode body = AnswerJson.newObject();
        body.put("event_id", id);
        text(body, fields, "content_id");
        text(body, fields, "user_id");
        text(body, fields, "event_type");
        text(body, fields, "event_ts");
        integer(body, fields, "duration_ms");
        text(body, fields, "device");
        payload(body, fields.get("raw_payload"));
        text(body, fields, "slug");
        text(body, fields, "title");
        text(body, fields, "content_type");
        integer(body, fields, "length_seconds");
        text(body, fields, "publish_ts");
        decimal(body, fields, "engagement_seconds");
        decimal(body, fields, "engagement_pct");
        return Answer.ofNow(AnswerJson.finish(body, clock.instant(), null, true));
    }

    private static void text(ObjectNode body, Map<String, String> fields, String name) {
        body.put(name, fields.get(name));
    }

    private static void integer(ObjectNode body, Map<String, String> fields, String name) {
        OptionalLong number = Integers.parse(fields.get(name));
        if (number.isPresent()) {
            body.put(name, number.getAsLong());
        } else {
            body.putNull(name);
        }
    }

    private static void decimal(ObjectNode body, Map<String, String> fields, String name) {
        String digits = fields.get(name);
        JsonNode value = digits == null ? null : AnswerJson.value(digits);
        body.put(name, value == null || !value.isNumber() ? (BigDecimal) null : value.decimalValue());
    }

    /** What the source says as it is; null if it is no JSON, which the job does not write. */
    private static void payload(ObjectNode body, @Nullable String text) {
        JsonNode value = text == null ? null : AnswerJson.value(text);
        if (value == null || value.isMissingNode()) {
            body.putNull("raw_payload");
        } else {
            body.set("raw_payload", value);
        }
    }
}
