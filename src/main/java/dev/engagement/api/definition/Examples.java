package dev.engagement.api.definition;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Answers and bodies as people meet them, for the documents. Each has every field of its definition. */
final class Examples {

    private static final ObjectMapper MAPPER = new ObjectMapper();

    private static final Map<String, String> ANSWERS = Map.ofEntries(
            Map.entry("realtime", """
                    {"event_type":"click","window_size":"30s","entries":[
                      {"window_start":1719392400000,"count":142,"total_value":8563.21,"unique_users":23}],
                     "as_of":"2024-06-26T09:00:31Z","window":30000,"exact":true,"error":null}"""),
            Map.entry("history", """
                    {"event_type":"click","window_size":"30s","entries":[
                      {"window_start":1719392400000,"count":142,"total_value":8563.21,"unique_users":23}],
                     "next_cursor":"MTcxOTM5MjQwMDAwMA",
                     "as_of":"2024-06-26T09:00:31Z","window":30000,"exact":true,"error":null}"""),
            Map.entry("leaderboard", """
                    {"by":"trending","type":null,"places":[
                      {"place":1,"content_id":"7c9e6679-7425-40de-944b-e07fc1f90ae7",
                       "title":"Winter, told by its birds","content_type":"podcast",
                       "score":3.4,"usual":41.5,"change_minute":2,"change_hour":null}],
                     "as_of":"2024-06-26T09:00:30Z","window":600000,"exact":true,"error":null}"""),
            Map.entry("content", """
                    {"content_id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","slug":"winter-birds",
                     "title":"Winter, told by its birds","content_type":"podcast","length_seconds":1800,
                     "publish_ts":"2024-06-20T06:00:00.000000Z",
                     "last_event":{"event_id":4711,"content_id":"7c9e6679-7425-40de-944b-e07fc1f90ae7",
                       "user_id":"0b5b3d6c-6f0c-4c8a-9d0e-6a3f1f6f0a11","event_type":"play",
                       "event_ts":"2024-06-26T09:00:29.120000Z","duration_ms":45000,"device":"ios",
                       "raw_payload":{"value":4.5},"slug":"winter-birds","title":"Winter, told by its birds",
                       "content_type":"podcast","length_seconds":1800,"publish_ts":"2024-06-20T06:00:00.000000Z",
                       "engagement_seconds":45.00,"engagement_pct":2.50},
                     "count":12345,
                     "audience":{"window_start":1719392130000,"window_end":1719392430000,"active_users":57,
                       "seconds":2112.5,"unique_users_exact":true},
                     "minutes":[{"minute":1719392340000,"count":17},{"minute":1719392400000,"count":9}],
                     "completion":{"window_start":1719388800000,"window_end":1719392400000,"started":300,
                       "reached_25":180,"reached_50":120,"reached_75":90,"finished":61,"unique_users_exact":true},
                     "as_of":"2024-06-26T09:00:31Z","window":null,"exact":true,"error":null}"""),
            Map.entry("rollups", """
                    {"rollups":[{"name":"hourly","table":"engagement_hourly","by":["content_type","device"],
                      "window_size":"1h","window_ms":3600000,"slide_ms":3600000,
                      "measures":["count","seconds","unique_users"],"live":true}],
                     "as_of":"2024-06-26T09:00:31Z","window":null,"exact":true,"error":null}"""),
            Map.entry("rollup", """
                    {"rollup":"hourly","window_size":"1h","entries":[
                      {"window_start":1719388800000,"window_end":1719392400000,"content_type":"video","device":"web",
                       "count":7120,"seconds":93512.5,"unique_users":2210,"unique_users_exact":false}],
                     "next_cursor":null,
                     "as_of":"2024-06-26T09:00:31Z","window":3600000,"exact":false,"error":0.016}"""),
            Map.entry("event", """
                    {"event_id":4711,"content_id":"7c9e6679-7425-40de-944b-e07fc1f90ae7",
                     "user_id":"0b5b3d6c-6f0c-4c8a-9d0e-6a3f1f6f0a11","event_type":"play",
                     "event_ts":"2024-06-26T09:00:29.120000Z","duration_ms":45000,"device":"ios",
                     "raw_payload":{"value":4.5},"slug":"winter-birds","title":"Winter, told by its birds",
                     "content_type":"podcast","length_seconds":1800,"publish_ts":"2024-06-20T06:00:00.000000Z",
                     "engagement_seconds":45.00,"engagement_pct":2.50,
                     "as_of":"2024-06-26T09:00:31Z","window":null,"exact":true,"error":null}"""),
            Map.entry("stats", """
                    {"freshness_ms":740,"lag":12,"dead_letters":{"INVALID":3,"UNRESOLVED":1},"circuit":"closed",
                     "last_audit":{"at":"2024-06-26T06:00:00Z","differences":0},
                     "as_of":"2024-06-26T09:00:31Z","window":null,"exact":true,"error":null}"""),
            Map.entry("track", """
                    {"ids":[4711],"repeated":false}"""),
            Map.entry("live", changedWindow()),
            Map.entry("live-metrics", changedWindow()),
            Map.entry("graphql", """
                    {"data":{"leaderboard":{"as_of":"2024-06-26T09:00:30Z",
                      "places":[{"place":1,"title":"Winter, told by its birds","score":3.4}]}},"errors":null}"""));

    private static final Map<String, String> BODIES = Map.of(
            "track", """
                    {"content_id":"7c9e6679-7425-40de-944b-e07fc1f90ae7",
                     "user_id":"0b5b3d6c-6f0c-4c8a-9d0e-6a3f1f6f0a11","event_type":"play",
                     "event_ts":"2024-06-26T09:00:29.120Z","duration_ms":45000,"device":"ios",
                     "payload":{"value":4.5},"event_key":"player-7-000123"}""",
            "graphql", """
                    {"query":"{ leaderboard(by: trending, limit: 5) { as_of places { place title score } } }",
                     "variables":{},"operationName":null}""");

    private Examples() {}

    private static String changedWindow() {
        return """
                {"window_start":1719392400000,"window_end":1719392430000,"count":142,"total_value":8563.21,
                 "unique_users":23,"event_type":"click","window_size":"30s"}""";
    }

    /**
     * What an operation answers.
     *
     * @throws IllegalStateException if nobody wrote an example for it
     */
    static JsonNode answer(String operationId) {
        String text = ANSWERS.get(operationId);
        if (text == null) {
            throw new IllegalStateException("There is no example of what " + operationId + " answers; write one");
        }
        return read(text);
    }

    /** What is sent to an operation, or null if it takes no body. */
    static @Nullable JsonNode body(String operationId) {
        String text = BODIES.get(operationId);
        return text == null ? null : read(text);
    }

    private static JsonNode read(String text) {
        try {
            return MAPPER.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("An example of the documentation is no JSON: " + text, e);
        }
    }
}
