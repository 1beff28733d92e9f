package dev.engagement.liveview.sink;

import dev.engagement.event.EngagementEvent;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.liveview.WriteOutcome;
import dev.engagement.writeback.Item;
import dev.engagement.writeback.Link;
import dev.engagement.writeback.LogThrottle;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What of write-back is Redis': makes pipelines of values and, behind them, of cached events, and says what the answers mean.
 *
 * <p>Nothing that Redis does or answers fails the job or slows it: see {@link RedisVerdict}.
 */
final class LiveViewLink implements Link<LiveValue> {

    private static final Logger LOG = LoggerFactory.getLogger(LiveViewLink.class);

    private static final Duration COMPLAINT_INTERVAL = Duration.ofMinutes(1);

    private final RedisLink redis;
    private final LiveViewKeys keys;
    private final String server;
    private final int maxBatchEntries;
    private final CachedEvents cachedEvents;
    private final LiveViewWriterMetrics metrics;
    private final LogThrottle givenUpLog = new LogThrottle(COMPLAINT_INTERVAL);

    /**
     * @param server {@code host:port/database}, for logs
     * @param maxBatchEntries values and events of one pipeline
     */
    LiveViewLink(
            RedisLink redis,
            LiveViewKeys keys,
            String server,
            int maxBatchEntries,
            CachedEvents cachedEvents,
            LiveViewWriterMetrics metrics) {
        this.redis = redis;
        this.keys = keys;
        this.server = server;
        this.maxBatchEntries = maxBatchEntries;
        this.cachedEvents = cachedEvents;
        this.metrics = metrics;
    }

    @Override
    public boolean hasMore() {
        return !cachedEvents.isEmpty();
    }

    @Override
    public Attempt attempt(List<Item<LiveValue>> items, long nowMillis) {
        return new Pipeline(
                new Batch(items, cachedEvents.take(Math.max(0, maxBatchEntries - items.size()))), nowMillis);
    }

    @Override
    public void abort() {
        redis.abort();
    }

    @Override
    public void close() {
        redis.close();
    }

    private final class Pipeline implements Attempt {

        private final Batch batch;
        private final long startedAtMillis;
        private RedisLink.@Nullable Attempt answered;

        /** Of items of the batch that Redis still lacks. */
        private final long[] missing;

        private @Nullable String error;
        private boolean refused;
        private boolean someDone;
        private int lostFromCache;

        Pipeline(Batch batch, long startedAtMillis) {
            this.batch = batch;
            this.startedAtMillis = startedAtMillis;
            this.missing = new long[batch.items.size()];
        }

        @Override
        public void send() {
            batch.encode(keys, startedAtMillis);
            answered = redis.attempt(batch.writes);
        }

        @Override
        public Outcome outcome(long nowMillis) {
            RedisLink.Attempt attempt = answered;
            if (attempt == null) {
                throw new IllegalStateException("The pipeline has not been sent");
            }
            metrics.expired.inc(batch.expiredCount());
            RuntimeException failure = attempt.failure();
            if (failure == null) {
                for (int i = 0; i < batch.writes.size(); i++) {
                    read(i, attempt.replies().get(i), nowMillis);
                }
            } else {
                failed(failure);
            }
            cachedEvents.lost(lostFromCache);
            if (error == null && !batch.writes.isEmpty()) {
                metrics.batchSize.update(batch.writes.size());
                metrics.writtenBytes.inc(batch.bytes());
            }
            return new Outcome(missing, error, refused, someDone, attempt.incarnation());
        }

        /** As a whole. */
        private void failed(RuntimeException failure) {
            RedisVerdict verdict = RedisVerdict.of(failure);
            refused = verdict == RedisVerdict.REFUSED;
            if (verdict == RedisVerdict.OUT_OF_MEMORY) {
                metrics.redisOutOfMemory.inc();
            }
            error = refused ? RefusalAdvice.text(server, keys.prefix(), failure) : failure.toString();
            for (int i = 0; i < missing.length; i++) {
                missing[i] = batch.items.get(i).parts();
            }
            lostFromCache = batch.cached.size();
        }

        private void read(int write, Reply reply, long nowMillis) {
            if (reply instanceof Reply.Done done) {
                someDone = true;
                acknowledged(done.outcome(), batch.committedAtMillis(write), nowMillis);
            } else if (reply instanceof Reply.Failed failed) {
                RedisVerdict verdict = failed.verdict();
                if (batch.isOfCache(write)) {
                    lostFromCache++;
                }
                if (verdict == RedisVerdict.UNUSABLE) {
                    giveUp(batch.writes.get(write), failed.error(), nowMillis);
                    return;
                }
                if (verdict == RedisVerdict.OUT_OF_MEMORY) {
                    metrics.redisOutOfMemory.inc();
                }
                refused |= verdict == RedisVerdict.REFUSED;
                error = verdict == RedisVerdict.REFUSED
                        ? RefusalAdvice.text(server, keys.prefix(), failed.error())
                        : failed.error();
                if (!batch.isOfCache(write)) {
                    batch.mark(write, missing);
                }
            }
        }
    }

    private void acknowledged(WriteOutcome outcome, long committedAtMillis, long nowMillis) {
        metrics.writes.inc();
        switch (outcome) {
            case SUPERSEDED -> metrics.superseded.inc();
            case EXPIRED -> metrics.expired.inc();
            case REPLACED_UNREADABLE -> metrics.unreadableReplaced.inc();
            // Shown all the same; a subscriber that missed the message finds it.
            case UNANNOUNCED -> metrics.unannounced.inc();
            case WRITTEN -> {
                if (committedAtMillis != EngagementEvent.UNKNOWN_TIME) {
                    metrics.commitToVisibleMillis.update(nowMillis - committedAtMillis);
                }
            }
        }
    }

    /** State keeps the value: it is tried again when everything is written again. */
    private void giveUp(ScriptedWrite write, String why, long nowMillis) {
        metrics.givenUp.inc();
        if (givenUpLog.isDue(nowMillis)) {
            LOG.error(
                    "Redis at {} cannot take the write of {} and others like it, which are given up: {}",
                    server,
                    write,
                    why);
        }
    }
}
