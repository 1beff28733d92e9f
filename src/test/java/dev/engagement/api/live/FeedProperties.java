package dev.engagement.api.live;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;

/**
 * Clients that read when they like, break off, and come back with the id of what they have received last: in the end
 * each has what everybody has who was always there.
 */
class FeedProperties {

    private static final ObjectMapper JSON = new ObjectMapper();

    private static final List<String> TYPES = List.of("click", "play");
    private static final List<String> BOARDS = List.of("events", "seconds");

    /** No more than a snapshot shows of a type. */
    private static final int WINDOWS = 4;

    @Property(tries = 1_000)
    void nobody_misses_anything_however_slow_and_however_often_away(@ForAll long seed) {
        Random random = new Random(seed);
        World world = new World(random);
        for (int i = 0; i < 3; i++) {
            world.clients.add(world.new Client());
        }
        for (int step = random.nextInt(150); step >= 0; step--) {
            world.step();
        }
        world.clients.forEach(World.Client::readAll);
        world.clients.forEach(World.Client::check);
    }

    /** A feed, what is true, and clients. */
    private static final class World {

        private final Random random;
        private final Feed feed;
        private final List<Client> clients = new ArrayList<>();

        /** By event type and number of the window, its count; by leaderboard, its only place. */
        private final Map<String, Long> truth = new TreeMap<>();

        private long count;

        World(Random random) {
            this.random = random;
            this.feed = new Feed(
                    "feed",
                    Samples.options(1 + random.nextInt(8), 1 + random.nextInt(20)),
                    new ManualClock(Instant.ofEpochMilli(Samples.START)),
                    () -> 0);
            feed.connected(List.of());
        }

        void step() {
            Client client = clients.get(random.nextInt(clients.size()));
            switch (random.nextInt(12)) {
                case 0, 1, 2, 3 -> feed.show(change());
                case 4 -> {
                    String by = BOARDS.get(random.nextInt(BOARDS.size()));
                    truth.put(by, ++count);
                    feed.show(Samples.board(by, Long.toString(count)));
                }
                case 5 -> feed.beat();
                case 6 -> client.comeBack();
                case 7 -> {
                    if (random.nextInt(4) == 0) {
                        missSome();
                    }
                }
                default -> client.read();
            }
        }

        private WindowUpdate change() {
            String type = TYPES.get(random.nextInt(TYPES.size()));
            int number = random.nextInt(WINDOWS);
            truth.put(type + number, ++count);
            return Samples.update(type, number, count);
        }

        /** Redis is away, and nobody is told what changes. */
        private void missSome() {
            feed.away("Redis does not answer");
            for (int missed = random.nextInt(3); missed > 0; missed--) {
                change();
            }
            List<WindowUpdate> shown = new ArrayList<>();
            for (String type : TYPES) {
                for (int number = 0; number < WINDOWS; number++) {
                    Long known = truth.get(type + number);
                    if (known != null) {
                        shown.add(Samples.update(type, number, known));
                    }
                }
            }
            feed.connected(shown);
        }

        private final class Client {

            private final LiveFilter filter = random.nextBoolean()
                    ? LiveFilter.ALL
                    : new LiveFilter(Set.of(TYPES.get(random.nextInt(TYPES.size()))));
            private final Map<String, Long> view = new TreeMap<>();
            private RecordingSink sink = RecordingSink.slow();
            private @Nullable String lastId;

            Client() {
                feed.join(filter, null, sink);
            }

            void comeBack() {
                // What is on its way is lost.
                if (sink.hasUnread()) {
                    sink.breakOff();
                } else {
                    feed.beat();
                    sink.breakOff();
                }
                sink = RecordingSink.slow();
                feed.join(filter, lastId, sink);
            }

            void read() {
                if (!sink.hasUnread()) {
                    return;
                }
                LiveMessage message = sink.last();
                lastId = message.id();
                JsonNode json = parse(message.json());
                switch (message.event()) {
                    case LiveMessage.SNAPSHOT -> {
                        view.clear();
                        json.path("metrics").forEach(this::window);
                        json.path("leaderboards").forEach(this::board);
                    }
                    case LiveMessage.METRIC -> window(json);
                    case LiveMessage.LEADERBOARD -> board(json);
                    default -> {}
                }
                sink.read();
            }

            private void window(JsonNode window) {
                long number = (window.path("window_start").asLong() - Samples.START) / 10_000;
                view.put(
                        window.path("event_type").asText() + number,
                        window.path("count").asLong());
            }

            private void board(JsonNode board) {
                view.put(board.path("by").asText(), board.path("places").path(0).asLong());
            }

            void readAll() {
                while (sink.hasUnread()) {
                    read();
                }
            }

            void check() {
                Map<String, Long> wanted = new TreeMap<>(truth);
                wanted.keySet()
                        .removeIf(subject ->
                                !BOARDS.contains(subject) && !filter.wants(subject.substring(0, subject.length() - 1)));
                assertThat(view).isEqualTo(wanted);
            }
        }
    }

    private static JsonNode parse(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new AssertionError(json, e);
        }
    }
}
