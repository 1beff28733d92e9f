package dev.engagement.api.live;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import dev.engagement.event.Integers;
import dev.engagement.liveview.RollupCell;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What there is to tell, and whom: the newest windows and leaderboards, the last changes in their order, the clients.
 * It has no thread and knows no Redis. Thread-safe.
 *
 * <p>Each change has a number. An id is the feed's own random name and a number, so that one of another process, or of
 * this one before it was started anew, is told from one of this feed. While Redis was away changes were missed: whoever
 * comes back with an id from before gets a snapshot, as everybody does who is there.
 */
final class Feed {

    /** A snapshot has so many windows of each event type and size. */
    static final int WINDOWS_SHOWN = 10;

    /** Event types and sizes that are remembered; of more, those that changed last. */
    static final int MAX_METRICS = 256;

    /** Filters whose snapshot is kept until the next change. */
    private static final int MAX_BODIES = 64;

    private static final String NOT_YET = "Redis has not answered yet";

    /**
     * All that is known.
     *
     * @param sequence of the last change that is in it
     */
    record Snapshot(long sequence, LiveMessage message) {}

    /** Windows of one event type and size. */
    record Series(String eventType, String windowSize) {}

    private final String name;
    private final int maxClients;
    private final int maxPending;
    private final Clock clock;
    private final LongSupplier nanos;
    private final Set<Outbox> clients = ConcurrentHashMap.newKeySet();

    // All below is guarded by this.

    private final @Nullable Update[] recent;
    private long sequence;

    /** Nobody can go on from an earlier number. */
    private long continuousSince;

    /** By their ends, in the order in which they changed last. */
    private final Map<Series, NavigableMap<Long, WindowUpdate>> metrics = new LinkedHashMap<>(16, 0.75f, true);

    private final Map<String, Board> boards = new LinkedHashMap<>();
    private final Map<LiveFilter, String> bodies = new HashMap<>();
    private @Nullable String away = NOT_YET;
    private @Nullable String boardsAway;
    private @Nullable Instant changedAt;
    private boolean closed;

    private volatile String heartbeat;

    /**
     * Without clients.
     *
     * @param name of this feed alone, letters and digits
     * @param clock the time that clients are told
     * @param nanos {@link System#nanoTime}, or a test's own: how long a message has been on its way
     */
    Feed(String name, LiveOptions options, Clock clock, LongSupplier nanos) {
        this.name = name;
        this.maxClients = options.maxClients();
        this.maxPending = options.maxPending();
        this.recent = new Update[options.recentMessages()];
        this.clock = clock;
        this.nanos = nanos;
        this.heartbeat = "{" + status() + "}";
    }

    /**
     * A client that is told everything from now on: first a snapshot, or what it has missed, if it says what it has
     * had.
     *
     * @param lastEventId of the last message it has received, as it says; null if it says nothing
     * @param sink to which the first message may be sent before this returns
     */
    Outbox join(LiveFilter filter, @Nullable String lastEventId, LiveSink sink) {
        Outbox client;
        boolean refused;
        synchronized (this) {
            OptionalLong last = resumable(lastEventId);
            client = new Outbox(this, filter, sink, new Conflation(maxPending, last.orElse(sequence)));
            refused = closed || clients.size() >= maxClients;
            if (!refused) {
                if (last.isPresent()) {
                    for (long missed = last.getAsLong() + 1; missed <= sequence; missed++) {
                        Update update = recent[place(missed)];
                        if (update != null) {
                            client.offer(update);
                        }
                    }
                    heartbeat = "{" + status() + "}";
                    client.oweHeartbeat();
                } else {
                    client.oweSnapshot();
                }
                clients.add(client);
            }
        }
        if (refused) {
            client.end("There are as many live clients as there may be; try again later");
        } else {
            client.drain();
        }
        return client;
    }

    /** The number behind which it can go on. */
    private OptionalLong resumable(@Nullable String lastEventId) {
        if (lastEventId == null || !lastEventId.startsWith(name + "-")) {
            return OptionalLong.empty();
        }
        OptionalLong number = Integers.parse(lastEventId.substring(name.length() + 1));
        long oldest = Math.max(continuousSince, sequence - recent.length);
        return number.isPresent() && number.getAsLong() >= oldest && number.getAsLong() <= sequence
                ? number
                : OptionalLong.empty();
    }

    private int place(long number) {
        return (int) (number % recent.length);
    }

    void leave(Outbox client) {
        clients.remove(client);
    }

    /** A window has changed. */
    void show(WindowUpdate window) {
        synchronized (this) {
            changedAt = clock.instant();
            keep(window);
            publish(window.subject(), window.eventType(), false, LiveMessage.METRIC, window.json());
        }
        drainAll();
    }

    /** A leaderboard as it is now, which may be as it was. */
    void show(Board board) {
        synchronized (this) {
            Board before = boards.put(board.by(), board);
            if (before != null && before.content().equals(board.content())) {
                return;
            }
            publish(LiveMessage.LEADERBOARD + " " + board.by(), null, true, LiveMessage.LEADERBOARD, board.json());
        }
        drainAll();
    }

    private void publish(String subject, @Nullable String eventType, boolean forAll, String event, String json) {
        sequence++;
        Update update = new Update(sequence, subject, eventType, forAll, new LiveMessage(id(sequence), event, json));
        recent[place(sequence)] = update;
        bodies.clear();
        for (Outbox client : clients) {
            client.offer(update);
        }
    }

    private void keep(WindowUpdate window) {
        String eventType = window.eventType();
        String windowSize = window.windowSize();
        if (!window.isMetric() || eventType == null || windowSize == null) {
            return;
        }
        NavigableMap<Long, WindowUpdate> windows =
                metrics.computeIfAbsent(new Series(eventType, windowSize), series -> new TreeMap<>());
        windows.put(window.endMillis(), window);
        if (windows.size() > WINDOWS_SHOWN) {
            windows.pollFirstEntry();
        }
        if (metrics.size() > MAX_METRICS) {
            metrics.remove(metrics.keySet().iterator().next());
        }
    }

    /** The event types and sizes that have had a window. */
    synchronized List<Series> series() {
        return new ArrayList<>(metrics.keySet());
    }

    /**
     * Redis is there, and from now on every change is told by {@link #show}; what was before is not known.
     *
     * @param shown the windows that it shows
     */
    void connected(Collection<WindowUpdate> shown) {
        synchronized (this) {
            away = null;
            metrics.clear();
            shown.forEach(this::keep);
            // A number of its own: it is not the state that the number before stands for.
            sequence++;
            continuousSince = sequence;
            bodies.clear();
            clients.forEach(Outbox::oweSnapshot);
        }
        drainAll();
    }

    /** Redis is away, and changes are missed. Everybody is told at once. */
    void away(String why) {
        synchronized (this) {
            if (why.equals(away)) {
                return;
            }
            away = why;
        }
        beat();
    }

    /** Whether the leaderboards can be read: null, or why not. */
    void boardsAway(@Nullable String why) {
        synchronized (this) {
            if (why == null ? boardsAway == null : why.equals(boardsAway)) {
                return;
            }
            boardsAway = why;
        }
        beat();
    }

    /** Whether something is missing in what clients are told. */
    synchronized boolean isStale() {
        return away != null || boardsAway != null;
    }

    /** Tells everybody the time. */
    void beat() {
        synchronized (this) {
            heartbeat = "{" + status() + "}";
            clients.forEach(Outbox::oweHeartbeat);
        }
        drainAll();
    }

    /** The last heartbeat. */
    String heartbeat() {
        return heartbeat;
    }

    /** Ends the connections of clients that have been receiving one message for that long. */
    void endStuck(Duration timeout) {
        long now = nowNanos();
        for (Outbox client : clients) {
            if (client.isStuck(now, timeout.toNanos())) {
                client.end("Nothing was read for " + timeout.toSeconds() + " s");
            }
        }
    }

    /** Ends all connections; nobody can join any more. */
    void close() {
        synchronized (this) {
            closed = true;
        }
        clients.forEach(client -> client.end("The server is going away; come back in a moment"));
    }

    int clients() {
        return clients.size();
    }

    /** Of no clock that people set: a jump of it would end everybody. */
    long nowNanos() {
        return nanos.getAsLong();
    }

    String id(long number) {
        return name + "-" + number;
    }

    synchronized Snapshot snapshot(LiveFilter filter) {
        if (bodies.size() >= MAX_BODIES) {
            bodies.clear();
        }
        String body = bodies.computeIfAbsent(filter, this::body);
        return new Snapshot(
                sequence, new LiveMessage(id(sequence), LiveMessage.SNAPSHOT, "{" + status() + "," + body + "}"));
    }

    private String body(LiveFilter filter) {
        long now = clock.millis();
        String windows = metrics.values().stream()
                .flatMap(each -> each.values().stream())
                .filter(window -> filter.wants(window.eventType()))
                // What Redis has forgotten is not shown either.
                .filter(window -> RollupCell.expiresAtMillis(window.endMillis()) > now)
                .map(WindowUpdate::json)
                .collect(Collectors.joining(","));
        String places = boards.values().stream().map(Board::json).collect(Collectors.joining(","));
        return "\"metrics\":[" + windows + "],\"leaderboards\":[" + places + "]";
    }

    private String status() {
        String why = away != null ? away : boardsAway;
        return "\"as_of\":" + quoted(clock.instant().toString()) + ",\"stale\":" + (why != null) + ",\"why\":"
                + (why == null ? "null" : quoted(why)) + ",\"updated_at\":"
                + (changedAt == null ? "null" : quoted(changedAt.toString()));
    }

    private static String quoted(String text) {
        return "\"" + new String(JsonStringEncoder.getInstance().quoteAsString(text)) + "\"";
    }

    private void drainAll() {
        clients.forEach(Outbox::drain);
    }
}
