package dev.engagement.bench;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.Timestamps;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.UUID;

/** Envelopes as Flink CDC writes them, the same for the same number. */
final class BenchEnvelopes {

    static final int CONTENTS = 10_000;

    private static final long BASE_MICROS = 1_767_882_112_000_000L;
    private static final String[] TYPES = {"play", "pause", "finish", "click"};
    private static final String[] DEVICES = {"web", "ios", "android", "tv"};

    private BenchEnvelopes() {}

    static String contentId(int number) {
        return new UUID(0x5eed_0000_0000_4000L | number, 0x8000_0000_0000_0000L | number * 31L).toString();
    }

    static byte[] eventKey(long id) {
        return ("{\"id\":" + id + "}").getBytes(StandardCharsets.UTF_8);
    }

    /** When the event of a number happened, unless its maker says otherwise: 3,333 a second. */
    static long micros(long id) {
        return BASE_MICROS + id * 300;
    }

    /** The same under an id that is a text: a UUID, of no order. */
    static byte[] textEvent(long id, long eventMicros) {
        String text = new UUID(id * 0x9E3779B97F4A7C15L, id * 0xBF58476D1CE4E5B9L).toString();
        return new String(event(id, eventMicros), StandardCharsets.UTF_8)
                .replace("{\"id\":" + id + ",", "{\"id\":\"" + text + "\",")
                .getBytes(StandardCharsets.UTF_8);
    }

    static byte[] event(long id) {
        return event(id, micros(id));
    }

    static byte[] event(long id, long eventMicros) {
        return event(id, eventMicros, Popularity.UNIFORM);
    }

    static byte[] event(long id, long eventMicros, Popularity popularity) {
        Facts facts = facts(id, popularity);
        String duration = facts.durationMs == EngagementEvent.NO_DURATION ? "null" : Integer.toString(facts.durationMs);
        return ("{\"before\":null,\"after\":{\"id\":" + id + ",\"content_id\":\"" + contentId(facts.content)
                        + "\",\"user_id\":\"" + facts.userId + "\",\"event_type\":\"" + TYPES[facts.type]
                        + "\",\"event_ts\":\"" + Timestamps.format(eventMicros) + "\",\"duration_ms\":" + duration
                        + ",\"device\":\"" + DEVICES[facts.device]
                        + "\",\"raw_payload\":\"{\\\"app\\\": \\\"8.2.1\\\", \\\"position\\\": " + facts.position
                        + ", \\\"referrer\\\": \\\"home\\\"}\"},"
                        + source("engagement_events", id)
                        + ",\"op\":\"c\",\"ts_ms\":" + (1_767_882_112_020L + id / 3) + "}")
                .getBytes(StandardCharsets.UTF_8);
    }

    /**
     * What the event of a number says.
     *
     * @param content number of a content
     * @param type index into the types
     * @param device index into the devices
     * @param position in the payload
     */
    record Facts(UUID userId, int durationMs, int content, int type, int device, int position) {}

    static Facts facts(long id) {
        return facts(id, Popularity.UNIFORM);
    }

    private static Facts facts(long id, Popularity popularity) {
        Random random = new Random(id);
        UUID userId = new UUID(random.nextLong(), random.nextLong());
        int durationMs = random.nextInt(4) == 0 ? EngagementEvent.NO_DURATION : random.nextInt(600_000);
        return new Facts(
                userId,
                durationMs,
                popularity.content(random),
                random.nextInt(TYPES.length),
                random.nextInt(DEVICES.length),
                random.nextInt(9_999));
    }

    static byte[] contentKey(int number) {
        return ("{\"id\":\"" + contentId(number) + "\"}").getBytes(StandardCharsets.UTF_8);
    }

    static byte[] content(int number) {
        return ("{\"before\":null,\"after\":{\"id\":\"" + contentId(number) + "\",\"slug\":\"slug-" + number
                        + "\",\"title\":\"Title of number " + number
                        + "\",\"content_type\":\"podcast\",\"length_seconds\":" + (60 + number % 3_600)
                        + ",\"publish_ts\":\"2026-01-01T00:00:00Z\"}," + source("content", number)
                        + ",\"op\":\"r\",\"ts_ms\":1767882112020}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private static String source(String table, long number) {
        return "\"source\":{\"version\":\"1.9.8.Final\",\"connector\":\"postgresql\",\"name\":\"postgres_cdc_source\","
                + "\"ts_ms\":" + (1_767_882_112_000L + number / 3)
                + ",\"snapshot\":\"false\",\"db\":\"engagement\",\"sequence\":\"[\\\"" + (24_023_000 + number)
                + "\\\",\\\"" + (24_023_128 + number) + "\\\"]\",\"schema\":\"public\",\"table\":\"" + table
                + "\",\"txId\":" + (700 + number) + ",\"lsn\":" + (24_023_128 + number) + ",\"xmin\":null}";
    }
}
