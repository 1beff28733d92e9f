package dev.engagement.api.read;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.api.definition.Parameters;
import java.time.Clock;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * {@code stats}: what Redis, PostgreSQL, Flink and the last audit tell of the pipeline. What they do not tell, and what
 * one that is away does not tell now, is null; so there always is an answer.
 */
final class StatsRead implements Read {

    private static final long GOOD_FOR_MILLIS = 1_000;

    private final @Nullable Freshness freshness;
    private final Leaderboards boards;
    private final @Nullable JobMetrics jobs;
    private final @Nullable AuditFile audits;
    private final Clock clock;

    private @Nullable Answer last;
    private long lastAtMillis;

    /**
     * Nothing was asked yet.
     *
     * @param freshness null where nobody knows the source
     * @param jobs null where nobody knows Flink
     * @param audits null where nobody knows of audits
     */
    StatsRead(
            @Nullable Freshness freshness,
            Leaderboards boards,
            @Nullable JobMetrics jobs,
            @Nullable AuditFile audits,
            Clock clock) {
        this.freshness = freshness;
        this.boards = boards;
        this.jobs = jobs;
        this.audits = audits;
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
        JobMetrics.Told told = jobs == null ? new JobMetrics.Told(null, null) : jobs.told(now);
        Map<String, Long> letters = told.deadLetters();
        if (letters == null) {
            body.putNull("dead_letters");
        } else {
            letters.forEach(body.putObject("dead_letters")::put);
        }
        body.put("circuit", told.circuit());
        AuditFile.Report audit = audits == null ? null : audits.last();
        if (audit == null) {
            body.putNull("last_audit");
        } else {
            body.putObject("last_audit").put("at", audit.at().toString()).put("differences", audit.differences());
        }
        Answer answer = Answer.ofNow(AnswerJson.finish(body, clock.instant(), null, true));
        last = answer;
        // It may have taken a while: who waited for it gets it.
        lastAtMillis = clock.millis();
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
