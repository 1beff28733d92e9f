package dev.engagement.api.read;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.api.definition.Parameters;
import java.time.Clock;
import org.jspecify.annotations.Nullable;

/**
 * {@code stats}: what Redis and PostgreSQL tell of the pipeline. What they do not tell, and what a store that is away
 * does not tell now, is null; so there always is an answer.
 */
final class StatsRead implements Read {

    private static final long GOOD_FOR_MILLIS = 1_000;

    private final @Nullable Freshness freshness;
    private final Leaderboards boards;
    private final Clock clock;

    private @Nullable Answer last;
    private long lastAtMillis;

    /** @param freshness null where nobody knows the source */
    StatsRead(@Nullable Freshness freshness, Leaderboards boards, Clock clock) {
        this.freshness = freshness;
        this.boards = boards;
        this.clock = clock;
    }

    @Override
    public synchronized Answer answer(Parameters parameters) {
        long now = clock.millis();
        Answer held = last;
        if (held != null && now >= lastAtMillis && now - lastAtMillis < GOOD_FOR_MILLIS) {
            return held;
        }
        ObjectNode body = AnswerJson.newObject();
        body.put("freshness_ms", freshnessMillis(now));
        body.put("lag", lag(now));
        body.putNull("dead_letters");
        body.putNull("circuit");
        body.putNull("last_audit");
        Answer answer = Answer.ofNow(AnswerJson.finish(body, clock.instant(), null, true));
        last = answer;
        lastAtMillis = now;
        return answer;
    }

    private @Nullable Long freshnessMillis(long now) {
        Long measured = freshness == null ? null : freshness.millis(now);
        return measured == null ? ageOfBoard(now) : measured;
    }

    /** What is shown of now is as old as the newest leaderboard, if nothing better is known. */
    private @Nullable Long ageOfBoard(long now) {
        try {
            RankedBoard board = boards.now(Leaderboards.EVENTS);
            return board.places().isEmpty() ? null : Long.valueOf(Math.max(0, now - board.atMillis()));
        } catch (UnavailableException e) {
            // Not known, which is what null says.
            return null;
        }
    }

    private @Nullable Long lag(long now) {
        if (freshness == null) {
            return null;
        }
        try {
            return freshness.lag(now);
        } catch (UnavailableException e) {
            // Not known, which is what null says.
            return null;
        }
    }
}
