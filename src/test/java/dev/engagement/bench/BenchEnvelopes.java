package dev.engagement.bench;

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

    static byte[] event(long id) {
        Random random = new Random(id);
        String ts = Timestamps.format(BASE_MICROS + id * 300);
        String userId = new UUID(random.nextLong(), random.nextLong()).toString();
        String duration = random.nextInt(4) == 0 ? "null" : Integer.toString(random.nextInt(600_000));
        return ("{\"before\":null,\"after\":{\"id\":" + id + ",\"content_id\":\"" + contentId(random.nextInt(CONTENTS))
                        + "\",\"user_id\":\"" + userId + "\",\"event_type\":\"" + TYPES[random.nextInt(4)]
                        + "\",\"event_ts\":\"" + ts + "\",\"duration_ms\":" + duration + ",\"device\":\""
                        + DEVICES[random.nextInt(4)]
                        + "\",\"raw_payload\":\"{\\\"app\\\": \\\"8.2.1\\\", \\\"position\\\": " + random.nextInt(9_999)
                        + ", \\\"referrer\\\": \\\"home\\\"}\"},"
                        + source("engagement_events", id)
                        + ",\"op\":\"c\",\"ts_ms\":" + (1_767_882_112_020L + id / 3) + "}")
                .getBytes(StandardCharsets.UTF_8);
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
