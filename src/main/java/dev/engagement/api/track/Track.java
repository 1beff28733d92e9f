package dev.engagement.api.track;

import dev.engagement.api.definition.ApiDefinition;
import dev.engagement.api.read.UnavailableException;
import dev.engagement.api.track.TrackRefusedException.Refusal;
import dev.engagement.connection.Pause;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Takes events from producers and answers once they are committed: all of a request or none.
 *
 * <p>At least once without keys: a client that sends again what was not answered may write it twice. Once with them, as
 * the {@linkplain dev.engagement.api.track package} says in detail. Thread-safe; needs no PostgreSQL until there is
 * something to write.
 *
 * <pre>{@code
 * Track track = Track.open(TrackOptions.of(source), Clock.systemUTC());
 * TrackAnswer answer = track.post(body, "application/x-ndjson", idempotencyKey);
 * track.close();
 * }</pre>
 */
public final class Track implements AutoCloseable {

    private static final Duration SWEEP_INTERVAL = Duration.ofMinutes(1);

    /** What a header can hold without being encoded. */
    private static final Pattern KEY = Pattern.compile("[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?");

    private final EventParser parser;
    private final LongSupplier ticker;
    private final GroupCommit groups;
    private final KeySweep sweep;
    private final ScheduledExecutorService sweeper = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "track-sweep");
        thread.setDaemon(true);
        return thread;
    });

    /** Null until there was a connection. */
    private final AtomicReference<@Nullable EventsTable> table = new AtomicReference<>();

    private Track(TrackOptions options, Clock clock, Pause pause, LongSupplier ticker) {
        this.parser = new EventParser(options, clock);
        this.ticker = ticker;
        this.sweep = new KeySweep(options);
        this.groups = new GroupCommit(options, () -> new JdbcGroups(options, table::set, pause, ticker), ticker);
    }

    /**
     * Begins.
     *
     * @param clock when an event happened that does not say
     */
    public static Track open(TrackOptions options, Clock clock) {
        Track track = new Track(options, clock, Pause.real(), System::nanoTime);
        long interval = SWEEP_INTERVAL.toMillis();
        var unused = track.sweeper.scheduleWithFixedDelay(track.sweep, interval, interval, TimeUnit.MILLISECONDS);
        return track;
    }

    /**
     * Writes the events of a request. Blocks until they are committed or were given up, for a bounded time: some times
     * {@code track.timeout} at most.
     *
     * @param body as it came
     * @param contentType the header: {@code application/json} or {@code application/x-ndjson}
     * @param idempotencyKey the header, or null
     * @throws TrackRefusedException if it would be refused again
     * @throws UnavailableException if PostgreSQL is away or there is no room; nothing was written, unless PostgreSQL
     *     vanished in a commit and did not come back in time: then nobody knows
     */
    public TrackAnswer post(byte[] body, String contentType, @Nullable String idempotencyKey)
            throws TrackRefusedException, UnavailableException {
        BodyForm form = BodyForm.of(contentType);
        if (idempotencyKey != null
                && (idempotencyKey.length() > ApiDefinition.MAX_KEY_BYTES
                        || !KEY.matcher(idempotencyKey).matches())) {
            throw TrackRefusedException.unprocessable(List.of(new Refusal(
                    0,
                    "Idempotency-Key",
                    "is '" + BodyForm.shown(idempotencyKey) + "'",
                    "give 1 to " + ApiDefinition.MAX_KEY_BYTES + " printable characters of ASCII, such as a UUID")));
        }
        EventsTable known = table.get();
        // As long as nobody has asked the database, it refuses itself what is no id.
        List<TrackEvent> events = parser.parse(
                body,
                form,
                known == null ? IdForm.TEXT : known.contentIds(),
                known == null ? IdForm.TEXT : known.userIds());
        String fingerprint = idempotencyKey == null ? null : sha256(body);
        return groups.write(new TrackRequest(events, idempotencyKey, fingerprint, ticker.getAsLong()));
    }

    /** How many events wait for a connection. */
    public int waitingEvents() {
        return groups.waitingEvents();
    }

    /** Events of requests that were answered, since the start; repetitions count too. */
    public long eventsAnswered() {
        return groups.written();
    }

    /** Groups of requests that were brought to the database, since the start: as a rule a transaction each. */
    public long groups() {
        return groups.groups();
    }

    /** Keys whose time was over and that were removed, since the start. */
    public long keysRemoved() {
        return sweep.removed();
    }

    /** Ends what is under way; what waits is told to come back. Blocks for as long as {@link #post} may. */
    @Override
    public void close() {
        sweeper.shutdownNow();
        groups.close();
    }

    private static String sha256(byte[] body) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(body));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }
}
