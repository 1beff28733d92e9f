package dev.engagement.ranking;

import dev.engagement.event.types.ContentShards;
import dev.engagement.event.types.EventShards;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The running sums of the contents of some shards over the window that ends at the current slide end, and both boards.
 *
 * <p>What arrives is noted in the log of its second. A move to another slide end takes the seconds that leave out of the
 * sums and adds those that enter, each second once in and once out, whatever the slide; only what is in these seconds'
 * logs is touched. What arrives for a second that is in the window already is added at once, and counts from the next
 * board on.
 *
 * <p>Times are seconds since the epoch. Mutable, for one thread.
 */
final class SlidingWindow {

    /** No slide end has been reached yet, and all that arrived is ahead. */
    static final long NOT_PLACED = Long.MIN_VALUE;

    private static final int RECENT_PANES = 64;

    private final long windowSeconds;
    private final long slideSeconds;

    private final Map<String, ContentScore> scoreById = new HashMap<>();
    private @Nullable ContentScore[] byIndex = new ContentScore[1_024];
    private int indexes;
    private int[] freeIndexes = new int[1_024];
    private int freeCount;

    private final NavigableMap<Long, Pane> panes = new TreeMap<>();

    /** Panes by the low bits of their second: partial sums go back and forth between few. */
    private final @Nullable Pane[] recent = new Pane[RECENT_PANES];

    private final Board byEvents;
    private final Board byEngagement;

    private long endSecond = NOT_PLACED;

    /** The first second of the next window: what is older is never asked for again. */
    private long oldestSecond = Long.MIN_VALUE;

    private long newestSecond = Long.MIN_VALUE;
    private long logBytes;

    /** Panes that have left, of which state still has something. */
    private final Deque<Pane> left = new ArrayDeque<>();

    SlidingWindow(RankingOptions options) {
        this.windowSeconds = options.window().toSeconds();
        this.slideSeconds = options.slide().toSeconds();
        this.byEvents = Board.byEvents(options.topN());
        this.byEngagement = Board.byEngagement(options.topN());
    }

    /** The slide end that the window stands at, or {@link #NOT_PLACED}. */
    long endSecond() {
        return endSecond;
    }

    /** The newest second that anything was said of, or {@link Long#MIN_VALUE}. */
    long newestSecond() {
        return newestSecond;
    }

    /** Some event of this second exists, here or elsewhere. */
    void observe(long second) {
        newestSecond = Math.max(newestSecond, second);
    }

    /**
     * Takes in partial sums.
     *
     * @return how many events of them are too late for every window to come, and were left out
     */
    long add(RankingPartial partial) {
        ContentScore content = null;
        long late = 0;
        for (int i = 0; i < partial.panes(); i++) {
            long second = partial.second(i);
            long events = partial.events(i);
            observe(second);
            if (second < oldestSecond) {
                late += events;
            } else if (events != 0) {
                if (content == null) {
                    content = scoreOf(partial.contentId());
                }
                Pane pane = pane(second);
                pane.changed.set(content.shard);
                append(pane, content, events, partial.measured(i), partial.millis(i));
                if (second < endSecond) {
                    change(content, events, partial.measured(i), partial.millis(i));
                }
            }
        }
        return late;
    }

    /** Moves on to a slide end, over any others between. */
    void moveTo(long newEndSecond) {
        long first = newEndSecond - windowSeconds;
        // Out before in: sums that swell for a moment would raise the boards' thresholds for nothing.
        Iterator<Pane> leaving = panes.headMap(first).values().iterator();
        while (leaving.hasNext()) {
            Pane pane = leaving.next();
            leaving.remove();
            forget(pane);
        }
        long from = Math.max(endSecond, first);
        if (from < newEndSecond) {
            panes.subMap(from, newEndSecond).values().forEach(this::enter);
        }
        endSecond = newEndSecond;
        oldestSecond = (Math.floorDiv(newEndSecond, slideSeconds) + 1) * slideSeconds - windowSeconds;
    }

    /** The contents of most events, best first. */
    TopN byEvents() {
        return byEvents.best(byIndex);
    }

    /** The contents of most engagement, best first. */
    TopN byEngagement() {
        return byEngagement.best(byIndex);
    }

    int contents() {
        return scoreById.size();
    }

    int panes() {
        return panes.size();
    }

    long logBytes() {
        return logBytes;
    }

    long rebuilds() {
        return byEvents.rebuilds() + byEngagement.rebuilds();
    }

    /** Where panes are kept across restarts. */
    interface Store {
        void put(int shard, long second, PaneBlob blob) throws Exception;

        void remove(int shard, long second) throws Exception;
    }

    /** Brings a store up to date with what changed since the last time. */
    void save(Store store) throws Exception {
        for (Pane pane = left.poll(); pane != null; pane = left.poll()) {
            for (int shard = pane.stored.nextSetBit(0); shard >= 0; shard = pane.stored.nextSetBit(shard + 1)) {
                store.remove(shard, pane.second);
            }
        }
        PaneBlob.Writer[] writers = new PaneBlob.Writer[EventShards.SHARDS];
        Arrays.setAll(writers, shard -> new PaneBlob.Writer());
        for (Pane pane : panes.values()) {
            if (!pane.changed.isEmpty()) {
                save(pane, writers, store);
            }
        }
    }

    private void save(Pane pane, PaneBlob.Writer[] writers, Store store) throws Exception {
        consolidate(pane);
        BitSet changed = pane.changed;
        Pane.Cursor entry = pane.read();
        while (entry.next()) {
            ContentScore content = at(entry.index);
            if (changed.get(content.shard)) {
                writers[content.shard].add(content.encodedId, entry.events, entry.measured, entry.millis);
            }
        }
        for (int shard = changed.nextSetBit(0); shard >= 0; shard = changed.nextSetBit(shard + 1)) {
            store.put(shard, pane.second, writers[shard].blob());
        }
        pane.stored.or(changed);
        changed.clear();
    }

    /** Takes in what a store has of a pane, before the window is placed. */
    void restore(int shard, long second, PaneBlob blob) throws IOException {
        observe(second);
        Pane pane = pane(second);
        pane.stored.set(shard);
        blob.read((contentId, events, measured, millis) -> append(pane, scoreOf(contentId), events, measured, millis));
    }

    private Pane pane(long second) {
        int slot = (int) (second & RECENT_PANES - 1);
        Pane pane = recent[slot];
        if (pane == null || pane.second != second) {
            pane = panes.computeIfAbsent(second, Pane::new);
            recent[slot] = pane;
        }
        return pane;
    }

    private void append(Pane pane, ContentScore content, long events, long measured, long millis) {
        int before = pane.bytes();
        pane.append(content.index, events, measured, millis);
        logBytes += pane.bytes() - before;
        content.entries++;
    }

    private void enter(Pane pane) {
        Pane.Cursor entry = pane.read();
        while (entry.next()) {
            change(at(entry.index), entry.events, entry.measured, entry.millis);
        }
    }

    private void forget(Pane pane) {
        boolean entered = pane.second < endSecond;
        Pane.Cursor entry = pane.read();
        while (entry.next()) {
            ContentScore content = at(entry.index);
            if (entered) {
                change(content, -entry.events, -entry.measured, -entry.millis);
            }
            content.entries--;
            if (content.entries == 0) {
                free(content);
            }
        }
        logBytes -= pane.bytes();
        int slot = (int) (pane.second & RECENT_PANES - 1);
        if (recent[slot] == pane) {
            recent[slot] = null;
        }
        if (!pane.stored.isEmpty()) {
            pane.clear();
            left.add(pane);
        }
    }

    private void change(ContentScore content, long events, long measured, long millis) {
        boolean hadEvents = content.events != 0;
        content.events += events;
        byEvents.changed(content, hadEvents);
        if (measured != 0) {
            boolean hadMeasured = content.measured != 0;
            content.measured += measured;
            content.millis += millis;
            byEngagement.changed(content, hadMeasured);
        }
    }

    /** One entry for each content, as state has it. */
    private void consolidate(Pane pane) {
        List<ContentScore> contents = new ArrayList<>(pane.entries());
        long[] sums = new long[3 * pane.entries()];
        Pane.Cursor entry = pane.read();
        while (entry.next()) {
            ContentScore content = at(entry.index);
            if (content.scratch == ContentScore.NOWHERE) {
                content.scratch = contents.size();
                contents.add(content);
            } else {
                content.entries--;
            }
            int sum = 3 * content.scratch;
            sums[sum] += entry.events;
            sums[sum + 1] += entry.measured;
            sums[sum + 2] += entry.millis;
        }
        boolean repeats = contents.size() < pane.entries();
        if (repeats) {
            logBytes -= pane.bytes();
            pane.clear();
        }
        for (int i = 0; i < contents.size(); i++) {
            ContentScore content = contents.get(i);
            content.scratch = ContentScore.NOWHERE;
            if (repeats) {
                pane.append(content.index, sums[3 * i], sums[3 * i + 1], sums[3 * i + 2]);
            }
        }
        if (repeats) {
            logBytes += pane.bytes();
        }
    }

    private ContentScore at(int index) {
        ContentScore content = byIndex[index];
        if (content == null) {
            throw new IllegalStateException("A log refers to content " + index + ", which is gone");
        }
        return content;
    }

    private ContentScore scoreOf(String contentId) {
        ContentScore known = scoreById.get(contentId);
        if (known != null) {
            return known;
        }
        int index;
        if (freeCount > 0) {
            freeCount--;
            index = freeIndexes[freeCount];
        } else {
            index = indexes;
            indexes++;
            if (index == byIndex.length) {
                byIndex = Arrays.copyOf(byIndex, Math.multiplyExact(index, 2));
            }
        }
        ContentScore added = new ContentScore(contentId, ContentShards.shardOf(contentId), index);
        byIndex[index] = added;
        scoreById.put(contentId, added);
        return added;
    }

    private void free(ContentScore content) {
        scoreById.remove(content.contentId);
        byIndex[content.index] = null;
        if (freeCount == freeIndexes.length) {
            freeIndexes = Arrays.copyOf(freeIndexes, Math.multiplyExact(freeCount, 2));
        }
        freeIndexes[freeCount] = content.index;
        freeCount++;
    }
}
