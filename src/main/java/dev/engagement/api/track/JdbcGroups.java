package dev.engagement.api.track;

import dev.engagement.api.read.UnavailableException;
import dev.engagement.api.track.TrackRefusedException.Refusal;
import dev.engagement.connection.Backoff;
import dev.engagement.connection.Pause;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Groups into PostgreSQL: connects when needed, begins anew what lost a race, finds the one request, and in it the one
 * event, that the tables do not take. What PostgreSQL's failures mean {@link TrackVerdict} says.
 *
 * <p>A failure before the commit leaves nothing behind, so what passes with a new connection is tried on one, once. A
 * commit whose answer is lost is not repeated: PostgreSQL is asked what became of it.
 */
final class JdbcGroups implements GroupStore {

    private static final Logger LOG = LoggerFactory.getLogger(JdbcGroups.class);

    /** How often a group begins anew that lost a race. Each time somebody else has won one. */
    private static final int MAX_RACES = 10;

    private static final Duration RETRY = Duration.ofSeconds(1);

    /** After which to come back when a person has to do something. */
    private static final Duration REFUSED_RETRY = Duration.ofSeconds(30);

    private static final Backoff RECONNECT = new Backoff(Duration.ofMillis(20), Duration.ofSeconds(1));

    /** Of a message of PostgreSQL that is passed on. */
    private static final int MAX_SAID = 200;

    private final TrackOptions options;
    private final Consumer<EventsTable> found;
    private final Pause pause;
    private final LongSupplier ticker;

    private @Nullable TrackSession session;

    /**
     * @param found is told what the table of events is, whenever it was looked at
     * @param pause between two questions about a commit
     * @param ticker nanoseconds, monotonic
     */
    JdbcGroups(TrackOptions options, Consumer<EventsTable> found, Pause pause, LongSupplier ticker) {
        this.options = options;
        this.found = found;
        this.pause = pause;
        this.ticker = ticker;
    }

    @Override
    public List<Outcome> write(List<TrackRequest> group) throws UnavailableException {
        for (int races = 0; races < MAX_RACES; races++) {
            boolean isOldConnection = session != null;
            try {
                List<Outcome> outcomes = tryOnce(group);
                if (outcomes != null) {
                    return outcomes;
                }
            } catch (SQLException e) {
                TrackVerdict verdict = TrackVerdict.of(e);
                reset(verdict);
                switch (verdict) {
                    case AWAY -> {
                        if (!isOldConnection) {
                            throw unavailable(RETRY, e);
                        }
                        // It may have died long ago, and the database be well.
                    }
                    case REFUSED -> {
                        LOG.error(
                                "PostgreSQL at {} refuses events ({}); {} needs the rights and tables that the"
                                        + " documentation of POST /track names, the table of keys made by {}",
                                options.source().jdbcUrl(),
                                said(e),
                                options.source().username(),
                                new TrackKeys(options.schema()).create());
                        throw unavailable(REFUSED_RETRY, e);
                    }
                    case CONFLICT -> LOG.debug("A group of requests gave way, and is written again", e);
                    case LOCKED -> {
                        return group.size() > 1 ? oneByOne(group) : List.of(new Outcome.Away(unavailable(RETRY, e)));
                    }
                    case RECORD -> {
                        return group.size() > 1 ? oneByOne(group) : List.of(refused(group.get(0), e));
                    }
                }
            } catch (RuntimeException | Error e) {
                // What it had written must not be committed with the next group.
                reset(TrackVerdict.AWAY);
                throw e;
            }
        }
        throw new UnavailableException(
                GroupCommit.POSTGRES, RETRY, "A group of requests lost " + MAX_RACES + " races in a row", null);
    }

    /**
     * Writes and commits.
     *
     * @return null if a race was lost, or the commit was: nothing was written
     * @throws SQLException of which nothing was written either
     */
    private @Nullable List<Outcome> tryOnce(List<TrackRequest> group) throws SQLException, UnavailableException {
        TrackSession open = session();
        TrackSession.Pending pending = open.write(group);
        if (pending == null || pending.transaction() == null) {
            open.rollback();
            return pending == null ? null : pending.outcomes();
        }
        try {
            open.commit();
        } catch (SQLException e) {
            TrackVerdict verdict = TrackVerdict.of(e);
            if (verdict != TrackVerdict.AWAY) {
                // An answer, such as that of a constraint that speaks last: it was rolled back.
                throw e;
            }
            reset(verdict);
            return switch (fate(pending)) {
                case COMMITTED -> pending.outcomes();
                case ABORTED -> null;
                case UNDER_WAY ->
                    throw new UnavailableException(
                            GroupCommit.POSTGRES,
                            RETRY,
                            "PostgreSQL did not answer a commit, and nobody knows whether events were written: who has"
                                    + " given a key may send them again",
                            e);
            };
        }
        return pending.outcomes();
    }

    /**
     * Asks what became of a group, until there is an answer or the time for one is over.
     *
     * @return under way also if nobody could be asked
     */
    private TrackSession.Fate fate(TrackSession.Pending pending) {
        long since = ticker.getAsLong();
        for (int failures = 1; ticker.getAsLong() - since < options.timeout().toNanos(); failures++) {
            try {
                TrackSession.Fate fate = session().fateOf(pending);
                if (fate != TrackSession.Fate.UNDER_WAY) {
                    return fate;
                }
            } catch (SQLException e) {
                LOG.debug("PostgreSQL cannot be asked yet what became of a commit", e);
                reset(TrackVerdict.AWAY);
            }
            try {
                pause.of(Duration.ofMillis(RECONNECT.delayMillis(
                        failures, ThreadLocalRandom.current().nextDouble())));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return TrackSession.Fate.UNDER_WAY;
            }
        }
        return TrackSession.Fate.UNDER_WAY;
    }

    private List<Outcome> oneByOne(List<TrackRequest> group) {
        List<Outcome> outcomes = new ArrayList<>(group.size());
        UnavailableException away = null;
        for (TrackRequest request : group) {
            if (away == null) {
                try {
                    outcomes.addAll(write(List.of(request)));
                    continue;
                } catch (UnavailableException e) {
                    // Those before are committed, and those behind need not try.
                    away = e;
                }
            }
            outcomes.add(new Outcome.Away(away));
        }
        return outcomes;
    }

    /** Finds the first event that the table does not take, by halves. */
    private Outcome refused(TrackRequest request, SQLException whole) throws UnavailableException {
        List<TrackEvent> events = request.events();
        int from = 0;
        int to = events.size();
        SQLException why = whole;
        int line = 0;
        try {
            TrackSession open = session();
            while (to - from > 1) {
                int middle = (from + to) >>> 1;
                if (open.refusalOf(events.subList(from, middle)) != null) {
                    to = middle;
                } else {
                    from = middle;
                }
            }
            SQLException alone = open.refusalOf(events.subList(from, to));
            if (alone != null) {
                why = alone;
                line = events.get(from).line();
            }
        } catch (SQLException e) {
            reset(TrackVerdict.of(e));
            throw unavailable(RETRY, e);
        }
        return new Outcome.Refused(TrackRefusedException.unprocessable(List.of(new Refusal(
                line,
                "body",
                "is refused by PostgreSQL: " + said(why),
                "correct the event, or ask whoever made the rule"))));
    }

    private TrackSession session() throws SQLException {
        TrackSession open = session;
        if (open == null) {
            open = TrackSession.open(options);
            session = open;
            found.accept(open.table());
        }
        return open;
    }

    /** Ends a transaction that failed; after some failures the connection too. */
    private void reset(TrackVerdict verdict) {
        TrackSession open = session;
        if (open == null) {
            return;
        }
        if (verdict != TrackVerdict.AWAY && verdict != TrackVerdict.REFUSED) {
            try {
                open.rollback();
                return;
            } catch (SQLException e) {
                LOG.debug("A transaction cannot be rolled back but by its connection's end", e);
            }
        }
        session = null;
        open.close();
    }

    private static UnavailableException unavailable(Duration retryAfter, SQLException why) {
        return new UnavailableException(GroupCommit.POSTGRES, retryAfter, why);
    }

    /** The first line of what PostgreSQL said, which names rules and no secret. */
    private static String said(SQLException failure) {
        String line = String.valueOf(failure.getMessage()).lines().findFirst().orElse("");
        return BodyForm.shown(line.replaceFirst("^ERROR: ", ""), MAX_SAID);
    }

    @Override
    public void close() {
        TrackSession open = session;
        session = null;
        if (open != null) {
            open.close();
        }
    }
}
