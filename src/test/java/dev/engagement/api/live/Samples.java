package dev.engagement.api.live;

import dev.engagement.connection.SecretRef;
import dev.engagement.liveview.LiveViewOptions;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/** Windows and options. */
final class Samples {

    /** A multiple of 30 s. */
    static final long START = 1_767_882_090_000L;

    private static final long WINDOW_MILLIS = 30_000;

    private Samples() {}

    /** A window as the job writes it; of one number the later ones begin later. */
    static String window(String eventType, int number, long count) {
        long start = START + number * 10_000L;
        return "{\"window_start\":" + start + ",\"window_end\":" + (start + WINDOW_MILLIS) + ",\"count\":" + count
                + ",\"total_value\":4.50,\"unique_users\":2,\"event_type\":\"" + eventType
                + "\",\"window_size\":\"30s\",\"unique_users_exact\":true}";
    }

    static WindowUpdate update(String eventType, int number, long count) {
        WindowUpdate update = WindowUpdate.parse(window(eventType, number, count));
        if (update == null) {
            throw new AssertionError("No window");
        }
        return update;
    }

    static Board board(String by, String places) {
        return new Board(by, "{\"by\":\"" + by + "\",\"places\":[" + places + "]}", places);
    }

    /** No server is asked. */
    static LiveOptions options(int maxPending, int recent) {
        return options("redis://127.0.0.1:1", "", 2_000, maxPending, recent, Duration.ofSeconds(5));
    }

    static LiveOptions options(
            String url, String prefix, int maxClients, int maxPending, int recent, Duration redisTimeout) {
        return new LiveOptions(
                new LiveViewOptions(URI.create(url), SecretRef.none(), prefix),
                List.of("play", "pause", "finish", "click"),
                List.of("30s"),
                Set.of("hourly"),
                maxClients,
                maxPending,
                recent,
                redisTimeout);
    }
}
