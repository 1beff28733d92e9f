package dev.engagement.api.live;

import dev.engagement.api.read.Reads;
import dev.engagement.api.read.UnavailableException;
import dev.engagement.connection.Backoff;
import dev.engagement.connection.Pause;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Tells changes to all clients: windows by one subscription of Redis, leaderboards by one look a second, a heartbeat
 * every 10 s. Three threads, however many clients there are.
 *
 * <p>While Redis is away, clients keep their connections: each is told at once that what it has is stale, and why, and
 * gets a snapshot when Redis is there again. A client that comes back with the id of its last message goes on behind
 * it, unless that is too long ago or Redis was away meanwhile: then it gets a snapshot. With another filter than before
 * it has to come without an id. One that does not read gets the newest of each subject whenever it does, and is sent
 * away after a minute.
 *
 * <pre>{@code
 * LiveHub hub = LiveHub.open(LiveOptions.of(redis), reads, Clock.systemUTC());
 * LiveClient client = hub.join(LiveFilter.ofTypes("click,play"), lastEventId, sink);
 * … client.close();   // when its connection has ended
 * hub.close();
 * }</pre>
 */
public final class LiveHub implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(LiveHub.class);

    /** What leaderboards are by. */
    private static final List<String> BOARDS = List.of("events", "seconds", "trending");

    private static final Duration HEARTBEAT_INTERVAL = Duration.ofSeconds(10);

    private static final Duration BOARD_INTERVAL = Duration.ofSeconds(1);

    /** How long a client may take for one message. */
    private static final Duration SEND_TIMEOUT = Duration.ofMinutes(1);

    private static final Backoff RECONNECT = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(5));

    /** Signs of life that are asked for within the timeout. */
    private static final int PINGS_PER_TIMEOUT = 3;

    private static final String NO_ANSWER = "Redis does not answer";

    private final LiveOptions options;
    private final LiveRedis redis;
    private final Boards boards;
    private final Pause pause;
    private final Feed feed;
    private final LongAdder left = new LongAdder();
    private final ScheduledExecutorService beats = Executors.newSingleThreadScheduledExecutor(daemon("live-beat"));
    private final ScheduledExecutorService looks = Executors.newSingleThreadScheduledExecutor(daemon("live-boards"));
    private final Thread listener = new Thread(this::listen, "live-redis");

    private volatile @Nullable Subscription subscription;
    private volatile boolean closed;

    /** Of the thread that looks at the boards. */
    private boolean looked;

    private LiveHub(LiveOptions options, Boards boards, Clock clock, Pause pause) {
        this.options = options;
        this.redis = new LiveRedis(options.redis(), options.redisTimeout());
        this.boards = boards;
        this.pause = pause;
        this.feed = new Feed(UUID.randomUUID().toString().substring(0, 8), options, clock, System::nanoTime);
        listener.setDaemon(true);
    }

    /**
     * Begins. Redis need not be there: until it is, clients are told so.
     *
     * @param reads that answer {@code leaderboard}; the caller closes them, after the hub
     * @param clock the time that clients are told
     */
    public static LiveHub open(LiveOptions options, Reads reads, Clock clock) {
        return open(options, new ReadBoards(reads.byOperation()), clock, Pause.real());
    }

    /** As {@link #open(LiveOptions, Reads, Clock)}, with other leaderboards and other pauses between attempts. */
    static LiveHub open(LiveOptions options, Boards boards, Clock clock, Pause pause) {
        LiveHub hub = new LiveHub(options, boards, clock, pause);
        hub.begin();
        return hub;
    }

    private void begin() {
        listener.start();
        long beat = HEARTBEAT_INTERVAL.toMillis();
        var unusedBeat = beats.scheduleAtFixedRate(guarded(this::beat), beat, beat, TimeUnit.MILLISECONDS);
        long ping = options.redisTimeout().toMillis() / PINGS_PER_TIMEOUT;
        var unusedPing = beats.scheduleWithFixedDelay(guarded(this::ping), ping, ping, TimeUnit.MILLISECONDS);
        var unusedLook =
                looks.scheduleWithFixedDelay(guarded(this::look), 0, BOARD_INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
    }

    /**
     * A client that is told everything from now on, until its connection ends or the hub is closed.
     *
     * @param filter what it wants to be told
     * @param lastEventId id of the last message that it has received, as it says; null if it says nothing
     * @param sink to which the first message may be sent before this returns
     */
    public LiveClient join(LiveFilter filter, @Nullable String lastEventId, LiveSink sink) {
        return feed.join(filter, lastEventId, sink);
    }

    /** How many clients there are. */
    public int clients() {
        return feed.clients();
    }

    /** Whether something is missing in what clients are told, because Redis or a leaderboard's store is away. */
    public boolean isStale() {
        return feed.isStale();
    }

    /**
     * Messages of the channel, since the start, that no client is told: windows of other rollups, and what is no
     * window.
     */
    public long leftOut() {
        return left.sum();
    }

    /** Ends all connections. Blocks for the options' timeout at most, twice. */
    @Override
    public void close() {
        closed = true;
        beats.shutdownNow();
        looks.shutdownNow();
        Subscription open = subscription;
        if (open != null) {
            open.close();
        }
        listener.interrupt();
        feed.close();
        try {
            listener.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void beat() {
        feed.beat();
        feed.endStuck(SEND_TIMEOUT);
    }

    private void ping() {
        Subscription open = subscription;
        if (open != null) {
            try {
                open.ping();
            } catch (JedisException gone) {
                // The one who reads finds it closed, and makes a new one.
                open.close();
            }
        }
    }

    private void look() {
        if (looked && feed.clients() == 0) {
            return;
        }
        looked = true;
        String why = null;
        for (String by : BOARDS) {
            try {
                feed.show(boards.board(by));
            } catch (UnavailableException e) {
                LOG.debug("The leaderboard by {} cannot be read", by, e);
                why = "The leaderboard by " + by + " is old: " + e.store() + " does not answer";
            }
        }
        feed.boardsAway(why);
    }

    private void listen() {
        int failures = 0;
        while (!closed) {
            try (Subscription opened = redis.subscribe()) {
                subscription = opened;
                if (closed) {
                    return;
                }
                // What was published meanwhile waits in the socket, and comes after: each window ends up as it was
                // written last.
                feed.connected(redis.newestWindows(series()));
                LOG.info(
                        "Live clients are told the changes in Redis {}",
                        options.redis().server());
                failures = 0;
                while (!closed) {
                    tell(opened.next());
                }
            } catch (RuntimeException e) {
                // Whatever it is, a Jedis exception or a secret that is not there: this thread is the only one that
                // listens.
                if (closed) {
                    return;
                }
                failures++;
                if (failures == 1) {
                    LOG.warn(
                            "Live clients miss changes: Redis {}: {}",
                            options.redis().server(),
                            e.getMessage());
                }
                feed.away(NO_ANSWER);
            } finally {
                subscription = null;
            }
            try {
                pause.of(Duration.ofMillis(RECONNECT.delayMillis(
                        Math.max(1, failures), ThreadLocalRandom.current().nextDouble())));
            } catch (InterruptedException e) {
                // Only close() interrupts.
                return;
            }
        }
    }

    private Set<Feed.Series> series() {
        Set<Feed.Series> all = new LinkedHashSet<>(feed.series());
        for (String eventType : options.eventTypes()) {
            for (String windowSize : options.windowSizes()) {
                all.add(new Feed.Series(eventType, windowSize));
            }
        }
        return all;
    }

    private void tell(@Nullable String message) {
        if (message == null) {
            return;
        }
        WindowUpdate window = WindowUpdate.parse(message);
        if (window != null && (window.isMetric() || options.rollups().contains(String.valueOf(window.rollup())))) {
            feed.show(window);
        } else {
            left.increment();
        }
    }

    /** What throws is not done again by an executor; this is, and is heard of. */
    private static Runnable guarded(Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (RuntimeException e) {
                LOG.error("What is told to live clients may be incomplete", e);
            }
        };
    }

    private static ThreadFactory daemon(String name) {
        return task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        };
    }
}
