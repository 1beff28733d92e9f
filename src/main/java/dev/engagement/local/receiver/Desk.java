package dev.engagement.local.receiver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.event.EventId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.LongAdder;

/**
 * What all exchanges of a receiver share: what arrived, what was refused, and how to behave.
 *
 * @param worker for what takes its time: later answers, and reading the file
 * @param failed posts refused by behaviour
 * @param malformed posts refused because they are none
 * @param badSignatures posts refused for their signature
 * @param redirected requests that followed a redirect, which a sender must not do
 */
record Desk(
        Arrivals arrivals,
        Signatures signatures,
        Behaviours behaviours,
        ScheduledExecutorService worker,
        LongAdder failed,
        LongAdder malformed,
        LongAdder badSignatures,
        LongAdder redirected) {

    static final String BEHAVIOUR = "/behaviour";
    static final String REDIRECTED = "/redirected";

    static final ObjectMapper MAPPER = new ObjectMapper();

    private static final int USUAL_LIMIT = 1000;
    private static final int MOST = 100_000;

    Desk(Arrivals arrivals, Signatures signatures, Behaviours behaviours, ScheduledExecutorService worker) {
        this(
                arrivals,
                signatures,
                behaviours,
                worker,
                new LongAdder(),
                new LongAdder(),
                new LongAdder(),
                new LongAdder());
    }

    byte[] stats() {
        Arrivals.Totals totals = arrivals.totals();
        return text(MAPPER.createObjectNode()
                .put("received", totals.posts())
                .put("distinct", totals.distinct())
                .put("duplicates", totals.posts() - totals.distinct())
                .put("events", totals.events())
                .put("distinctEvents", totals.distinctEvents())
                .put("misnamed", totals.misnamed())
                .put("failed", failed.sum())
                .put("malformed", malformed.sum())
                .put("badSignatures", badSignatures.sum())
                .put("redirected", redirected.sum()));
    }

    byte[] received(String query) throws IOException, Refused {
        Map<String, Long> asked = numbers(query, List.of("after", "limit"));
        long after = asked.getOrDefault("after", 0L);
        List<Arrivals.Arrival> page =
                arrivals.after(Math.max(0, after), limit(asked.getOrDefault("limit", (long) USUAL_LIMIT)));
        ObjectNode answer = MAPPER.createObjectNode();
        ArrayNode posts = answer.putArray("received");
        for (Arrivals.Arrival each : page) {
            ObjectNode post = posts.addObject()
                    .put("index", each.index())
                    .put("time", Instant.ofEpochMilli(each.time()).toString())
                    .put("webhook_id", each.webhookId());
            ArrayNode ids = post.putArray("event_ids");
            for (EventId id : each.eventIds()) {
                if (id.text() == null) {
                    ids.add(id.number());
                } else {
                    ids.add(id.text());
                }
            }
        }
        return text(answer.put(
                "next", page.isEmpty() ? after : page.get(page.size() - 1).index()));
    }

    byte[] eventIds(String query) throws Refused {
        Map<String, Long> asked = numbers(query, List.of("from", "to", "limit"));
        int limit = limit(asked.getOrDefault("limit", (long) MOST));
        long to = asked.getOrDefault("to", Long.MAX_VALUE);
        List<LongBits.Run> runs = arrivals.eventIds(asked.getOrDefault("from", Long.MIN_VALUE), to, limit);
        ObjectNode answer = MAPPER.createObjectNode();
        ArrayNode ids = answer.putArray("ids");
        runs.forEach(run -> ids.addArray().add(run.first()).add(run.last()));
        long reached = runs.isEmpty() ? to : runs.get(runs.size() - 1).last();
        if (runs.size() == limit && reached < to) {
            answer.put("next", reached + 1);
        } else {
            answer.putNull("next");
        }
        return text(answer);
    }

    private static int limit(long asked) throws Refused {
        if (asked < 1 || asked > MOST) {
            throw new Refused(400, "limit is " + asked + "; it needs to be 1 to " + MOST);
        }
        return (int) asked;
    }

    /** The parameters of a query, all of which are whole numbers. */
    private static Map<String, Long> numbers(String query, List<String> known) throws Refused {
        Map<String, Long> numbers = new HashMap<>();
        for (String parameter : query.isEmpty() ? new String[0] : query.split("&")) {
            int equals = parameter.indexOf('=');
            String name = equals < 0 ? parameter : parameter.substring(0, equals);
            if (!known.contains(name)) {
                throw new Refused(400, "There is no parameter '" + name + "'; there are " + String.join(", ", known));
            }
            try {
                numbers.put(name, Long.parseLong(parameter.substring(equals + 1)));
            } catch (NumberFormatException e) {
                throw new Refused(400, name + " needs a whole number");
            }
        }
        return numbers;
    }

    static byte[] error(String message) {
        return text(MAPPER.createObjectNode().put("error", message));
    }

    static byte[] text(JsonNode json) {
        return json.toString().getBytes(StandardCharsets.UTF_8);
    }
}
