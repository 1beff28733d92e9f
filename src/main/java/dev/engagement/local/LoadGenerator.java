package dev.engagement.local;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Clock;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Writes a {@link Workload} into the source tables: so many events a second, counted from the start and not from the
 * last tick, so that a slow moment is caught up and the rate holds over time. One transaction per tick. After
 * {@code events} events it never writes again, neither events nor contents.
 *
 * <p>Runs on a thread of its own; its figures may be read from any. A database error ends it ({@link #failure}): whether
 * a failed commit took place is unknown, and a second try could double rows.
 */
public final class LoadGenerator implements AutoCloseable {

    private static final String UPSERT_CONTENT = """
            INSERT INTO content (id, slug, title, content_type, length_seconds, publish_ts) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET slug = EXCLUDED.slug, title = EXCLUDED.title,
              content_type = EXCLUDED.content_type, length_seconds = EXCLUDED.length_seconds,
              publish_ts = EXCLUDED.publish_ts""";
    private static final String INSERT_EVENT = """
            INSERT INTO engagement_events (content_id, user_id, event_type, event_ts, duration_ms, device, raw_payload)
            VALUES (?, ?, ?, ?, ?, ?, CAST(? AS JSONB))""";

    private static final long TICK_MILLIS = 20;
    private static final int MAX_BATCH = 2_000;
    private static final long CLOSE_LIMIT_SECONDS = 60;

    private final LoadOptions options;
    private final Workload workload;
    private final Connection connection;
    private final Clock clock;
    private final Map<UUID, List<ContentRow>> contentVersions;
    private final ScheduledExecutorService executor;
    private @Nullable ScheduledFuture<?> ticking;
    /** Written before the first tick is scheduled. */
    private long startedAt;

    private long paced;
    private long bursts;
    private long written;
    private volatile long created;
    private volatile boolean done;
    private volatile @Nullable SQLException failure;

    private LoadGenerator(
            LoadOptions options,
            Workload workload,
            Map<UUID, List<ContentRow>> contentVersions,
            long written,
            Connection connection,
            Clock clock) {
        this.options = options;
        this.workload = workload;
        this.contentVersions = contentVersions;
        this.written = written;
        this.created = written;
        this.connection = connection;
        this.clock = clock;
        this.executor = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "load-generator");
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * Writes the initial contents and begins.
     *
     * @param connection to the source, for this generator alone; closed by {@link #close}
     */
    public static LoadGenerator start(LoadOptions options, Connection connection, Clock clock) throws SQLException {
        LoadGenerator generator = prepare(options, connection, clock);
        generator.begin();
        return generator;
    }

    /**
     * Writes the initial contents; events come by {@link #writeOne}, and by themselves once it is told to {@link #begin}.
     *
     * @param connection to the source, for this generator alone; closed by {@link #close}
     */
    static LoadGenerator prepare(LoadOptions options, Connection connection, Clock clock) throws SQLException {
        Workload workload = new Workload(options.seed(), options.contents());
        LoadGenerator generator = new LoadGenerator(options, workload, new ConcurrentHashMap<>(), 0, connection, clock);
        generator.prepare(workload.initialContents());
        return generator;
    }

    /**
     * Goes on where this one ended, after {@link #close}: after a pause, which is not caught up, or after a failure.
     * Events whose commit failed are not tried again. All contents are written once more, since those of a failed commit
     * may be missing.
     *
     * @param connection to the source, for the new generator alone; closed by its {@link #close}
     */
    public LoadGenerator continued(Connection connection) throws SQLException {
        if (!executor.isTerminated()) {
            throw new IllegalStateException("The load generator has not been closed; close it before continuing");
        }
        LoadGenerator generator = new LoadGenerator(options, workload, contentVersions, created, connection, clock);
        generator.prepare(workload.contents());
        generator.begin();
        return generator;
    }

    private void prepare(List<ContentRow> contents) throws SQLException {
        try {
            connection.setAutoCommit(false);
            writeContents(contents);
            connection.commit();
        } catch (SQLException e) {
            executor.shutdownNow();
            throw e;
        }
    }

    /** Whether it is to make any events at all. */
    boolean hasEvents() {
        return options.rate() > 0 || options.burst() > 0;
    }

    /** How many events it is to make in all; {@link Long#MAX_VALUE} for no end. */
    long events() {
        return options.events() == 0 ? Long.MAX_VALUE : options.events();
    }

    /** Commits the next event at once, which counts towards all; not after {@link #begin}. */
    void writeOne() throws SQLException {
        write(1);
    }

    /** From now on events come by themselves, paced from this moment. */
    void begin() {
        startedAt = System.nanoTime();
        if (!hasEvents()) {
            done = true;
        } else {
            ticking = executor.scheduleAtFixedRate(this::tick, 0, TICK_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    /** Events committed so far. */
    public long created() {
        return created;
    }

    /** Whether it will write no more: all events made, nothing to make, or failed. */
    public boolean isDone() {
        return done;
    }

    /** Why it ended early, or null. */
    public @Nullable SQLException failure() {
        return failure;
    }

    /**
     * Every version of that content that this generator, and those it continues, committed, oldest first; empty for
     * contents of others.
     */
    public List<ContentRow> versions(UUID content) {
        return contentVersions.getOrDefault(content, List.of());
    }

    private void tick() {
        if (done) {
            return;
        }
        try {
            long due = due();
            while (due > 0 && !Thread.currentThread().isInterrupted()) {
                int batch = (int) Math.min(due, MAX_BATCH);
                write(batch);
                due -= batch;
            }
            if (options.events() > 0 && created >= options.events()) {
                finish();
            }
        } catch (SQLException e) {
            failure = e;
            finish();
        } catch (RuntimeException | AssertionError e) {
            // The driver asserts that a connection does not close in the middle of a batch. Thrown on, it would end the
            // load without a word.
            failure = new SQLException("The load generator has ended: " + e, e);
            finish();
        }
    }

    /** How many events are due now that were not yet. */
    private long due() {
        long elapsed = System.nanoTime() - startedAt;
        long paceDue = (long) (elapsed * options.rate() / 1e9);
        long due = paceDue - paced;
        paced = paceDue;
        long burstsDue = options.burst() == 0
                ? 0
                : options.burstEvery().isZero()
                        ? 1
                        : 1 + elapsed / options.burstEvery().toNanos();
        due += (burstsDue - bursts) * options.burst();
        bursts = burstsDue;
        return options.events() == 0 ? due : Math.min(due, options.events() - created);
    }

    private void write(int batch) throws SQLException {
        // Only the last version of each: one statement must not touch a row twice.
        Map<UUID, ContentRow> changes = new LinkedHashMap<>();
        List<EventRow> events = new ArrayList<>(batch);
        Instant now = clock.instant();
        for (int i = 0; i < batch; i++) {
            Workload.Step step = workload.next(now);
            step.contentChanges().forEach(content -> changes.put(content.id(), content));
            events.add(step.event());
        }
        // Contents first: an event refers to them.
        writeContents(changes.values());
        insert(connection, events);
        connection.commit();
        written += batch;
        created = written;
    }

    private void writeContents(Collection<ContentRow> contents) throws SQLException {
        upsert(connection, contents);
        // Before the commit: whoever sees the row shall find its version here.
        for (ContentRow content : contents) {
            contentVersions.merge(content.id(), List.of(content), LoadGenerator::joined);
        }
    }

    /** Inserts contents, or updates those that are there; each id at most once. Commits nothing. */
    public static void upsert(Connection connection, Collection<ContentRow> contents) throws SQLException {
        if (contents.isEmpty()) {
            return;
        }
        try (PreparedStatement upsert = connection.prepareStatement(UPSERT_CONTENT)) {
            for (ContentRow content : contents) {
                upsert.setObject(1, content.id());
                upsert.setString(2, content.slug());
                upsert.setString(3, content.title());
                upsert.setString(4, content.contentType());
                upsert.setObject(5, content.lengthSeconds(), Types.INTEGER);
                upsert.setObject(6, utc(content.publishTs()));
                upsert.addBatch();
            }
            upsert.executeBatch();
        }
    }

    /** Inserts events, whose contents are there. Commits nothing. */
    public static void insert(Connection connection, Collection<EventRow> events) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(INSERT_EVENT)) {
            for (EventRow event : events) {
                bind(insert, event);
                insert.addBatch();
            }
            insert.executeBatch();
        }
    }

    private static List<ContentRow> joined(List<ContentRow> older, List<ContentRow> newer) {
        List<ContentRow> all = new ArrayList<>(older);
        all.addAll(newer);
        return List.copyOf(all);
    }

    private static void bind(PreparedStatement insert, EventRow event) throws SQLException {
        insert.setObject(1, event.contentId());
        insert.setObject(2, event.userId(), Types.OTHER);
        insert.setString(3, event.eventType());
        insert.setObject(4, utc(event.eventTs()));
        insert.setObject(5, event.durationMs(), Types.INTEGER);
        insert.setString(6, event.device());
        insert.setString(7, event.rawPayload());
    }

    private static OffsetDateTime utc(Instant instant) {
        return instant.atOffset(ZoneOffset.UTC);
    }

    private void finish() {
        done = true;
        ScheduledFuture<?> task = ticking;
        if (task != null) {
            task.cancel(false);
        }
    }

    /** Stops after the transaction in progress. */
    @Override
    public void close() {
        done = true;
        executor.shutdownNow();
        try {
            if (!executor.awaitTermination(CLOSE_LIMIT_SECONDS, TimeUnit.SECONDS)) {
                throw new ServerException(
                        "The load generator does not end within " + CLOSE_LIMIT_SECONDS + " s; is PostgreSQL hanging?");
            }
            connection.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (SQLException e) {
            throw new ServerException("The load generator's connection cannot be closed", e);
        }
    }
}
