package dev.engagement.api.read;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.api.definition.Parameters;
import dev.engagement.event.Integers;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.RollupDefinition;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.Response;

/** {@code content}: all that the live view has of one content. */
final class ContentRead implements Read {

    private static final List<String> AUDIENCE = List.of("active_users", "seconds");
    private static final List<String> COMPLETION =
            List.of("started", "reached_25", "reached_50", "reached_75", "finished");

    /** A job that is that far behind the clock still says who is there. */
    private static final long MAX_LAG_MILLIS = 60_000;

    private final RedisStore redis;
    private final LiveViewKeys keys;
    private final LiveWindows live;
    private final ContentMinutes minutes;
    private final Clock clock;
    private final @Nullable RollupDefinition audience;
    private final @Nullable RollupDefinition completion;

    ContentRead(
            RedisStore redis,
            LiveViewKeys keys,
            LiveWindows live,
            ContentMinutes minutes,
            List<RollupDefinition> rollups,
            Clock clock) {
        this.redis = redis;
        this.keys = keys;
        this.live = live;
        this.minutes = minutes;
        this.clock = clock;
        this.audience = byContent(rollups, AUDIENCE);
        this.completion = byContent(rollups, COMPLETION);
    }

    /** The first rollup by content alone that the live view shows and that has those measures. */
    private static @Nullable RollupDefinition byContent(List<RollupDefinition> rollups, List<String> columns) {
        for (RollupDefinition rollup : rollups) {
            List<String> measures =
                    rollup.measures().stream().map(Measure::column).toList();
            if (rollup.live()
                    && rollup.eventKey().size() == 1
                    && rollup.eventKey().get(0).source() == KeyPart.Source.CONTENT_ID
                    && measures.containsAll(columns)) {
                return rollup;
            }
        }
        return null;
    }

    /** What is shown of it. */
    private record Shown(
            Map<String, String> meta,
            @Nullable String last,
            @Nullable String count,
            List<String> audience,
            List<String> completion,
            List<@Nullable Double> minutes) {}

    @Override
    public Answer answer(Parameters parameters) throws NotFoundException, UnavailableException {
        String id = parameters.text("id");
        long now = clock.millis();
        List<Long> shownMinutes = ContentMinutes.shown(now);
        Shown shown = redis.ask(pipeline -> shown(pipeline, id, shownMinutes, now));
        ObjectNode last = AnswerJson.object(shown.last());
        OptionalLong count = Integers.parse(shown.count());
        if (shown.meta().isEmpty() && last == null && count.isEmpty()) {
            throw new NotFoundException(
                    "There is no content of that id, or nothing was heard of it yet",
                    "ask for a content_id of /leaderboard");
        }
        RollupWindow audienceNow = newest(shown.audience(), audience);
        RollupWindow completed = newest(shown.completion(), completion);

        ObjectNode body = AnswerJson.newObject();
        body.put("content_id", id);
        body.put("slug", shown.meta().get("slug"));
        body.put("title", shown.meta().get("title"));
        body.put("content_type", shown.meta().get("content_type"));
        OptionalLong length = Integers.parse(shown.meta().get("length_seconds"));
        body.put("length_seconds", length.isPresent() ? Long.valueOf(length.getAsLong()) : null);
        body.put("publish_ts", shown.meta().get("publish_ts"));
        body.set("last_event", last);
        body.put("count", count.isPresent() ? Long.valueOf(count.getAsLong()) : null);
        putWindow(body, "audience", audienceNow, audience, AUDIENCE);
        putMinutes(body.putArray("minutes"), shown, id, shownMinutes, now);
        putWindow(body, "completion", completed, completion, COMPLETION);
        boolean exact = (audienceNow == null || audienceNow.exact()) && (completed == null || completed.exact());
        return Answer.ofNow(AnswerJson.finish(body, clock.instant(), null, exact));
    }

    private Supplier<Shown> shown(AbstractPipeline pipeline, String id, List<Long> shownMinutes, long now) {
        Response<Map<String, String>> meta = pipeline.hgetAll(keys.meta(id));
        Response<String> last = pipeline.get(keys.last(id));
        Response<String> count = pipeline.get(keys.count(id));
        // The window that has all who are there now is the first that has not ended yet; of a job that is a little
        // behind, the last one that it knows.
        Response<List<String>> audienceNow = audience == null
                ? null
                : pipeline.zrevrangeByScore(
                        live.set(audience, List.of(id)),
                        "(" + (now + audience.slideMillis()),
                        Long.toString(now - MAX_LAG_MILLIS),
                        0,
                        1);
        Response<List<String>> completed =
                completion == null ? null : pipeline.zrevrange(live.set(completion, List.of(id)), 0, 0);
        List<Response<Double>> scores = new ArrayList<>();
        for (long minute : shownMinutes) {
            scores.add(pipeline.zscore(keys.bucket(minute), id));
        }
        return () -> new Shown(
                meta.get(),
                last.get(),
                count.get(),
                audienceNow == null ? List.of() : audienceNow.get(),
                completed == null ? List.of() : completed.get(),
                scores.stream().map(Response::get).toList());
    }

    private static @Nullable RollupWindow newest(List<String> members, @Nullable RollupDefinition rollup) {
        return rollup == null || members.isEmpty() ? null : RollupWindow.of(members.get(0), rollup);
    }

    private static void putWindow(
            ObjectNode body,
            String name,
            @Nullable RollupWindow window,
            @Nullable RollupDefinition rollup,
            List<String> columns) {
        if (window == null || rollup == null) {
            body.putNull(name);
        } else {
            body.set(name, window.json(rollup, columns));
        }
    }

    private void putMinutes(ArrayNode list, Shown shown, String id, List<Long> shownMinutes, long now) {
        NavigableMap<Long, Long> events = minutes.remembered(id, now);
        for (int i = 0; i < shownMinutes.size(); i++) {
            Double score = shown.minutes().get(i);
            if (score != null && score > 0) {
                events.put(shownMinutes.get(i), Math.round(score));
            }
        }
        events.forEach((minute, count) -> {
            ObjectNode each = list.addObject();
            each.put("minute", minute * ContentMinutes.MINUTE_MILLIS);
            each.put("count", count);
        });
    }
}
