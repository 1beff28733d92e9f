package dev.engagement.liveview.sink;

import dev.engagement.event.Content;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.RollupRow;
import dev.engagement.event.RollupShape;
import dev.engagement.event.Standings;
import dev.engagement.liveview.EventCache;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.liveview.RollupCell;
import dev.engagement.liveview.Tally;
import dev.engagement.writeback.Place;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The mappings of the job's streams. */
final class LiveViewMappings {

    private LiveViewMappings() {}

    /** Each event, as the last one of its content; one without a content is only cached. */
    static LiveViewMapping<EnrichedEvent> last(LiveViewRules rules) {
        return (enriched, view) -> {
            if (rules.eventCache()) {
                cache(enriched, view);
            }
            String contentId = enriched.event().contentId();
            if (contentId == null) {
                return;
            }
            if (rules.isFutureDated(enriched.event())) {
                view.leaveOutFutureDated();
            } else if (LiveValue.Last.expiresAtMillis(enriched.event()) <= view.nowMillis()) {
                view.leaveOutExpired(1);
            } else {
                Place<LiveValue> place = view.place(contentId);
                LiveValue.Last last = new LiveValue.Last(enriched);
                if (!(place.value() instanceof LiveValue.Last shown) || last.newerThan(shown)) {
                    view.show(place, last, LiveValue.ALL_PARTS);
                }
            }
        };
    }

    /** A replay of hours has nothing for the cache: what is over need not go to Redis to be refused there. */
    private static void cache(EnrichedEvent enriched, LiveViewMapping.View view) {
        long now = view.nowMillis();
        if (EventCache.expiresAtMillis(enriched.event(), now) > now) {
            view.cache(enriched);
        } else {
            view.leaveOutExpired(1);
        }
    }

    /** Partial counts, added up. */
    static LiveViewMapping<CountPartial> tallies() {
        return new Tallying();
    }

    private static final class Tallying implements LiveViewMapping<CountPartial> {
        private static final long serialVersionUID = 1L;

        @Override
        public void show(CountPartial partial, View view) throws Exception {
            Place<LiveValue> place = view.place(partial.contentId());
            Tally tally = place.value() instanceof Tally shown ? shown : Tally.none(partial.contentId());
            tally = tally.plus(partial.events());
            long changed = Tally.TOTAL_PART;
            long now = view.nowMillis();
            for (int i = 0; i < partial.minutes().length; i++) {
                long minute = partial.minutes()[i];
                if (Tally.isKeptAt(minute, now)) {
                    tally = tally.plusInMinute(minute, partial.eventsInMinute()[i]);
                    changed |= Tally.partOf(minute);
                } else {
                    view.leaveOutExpired(partial.eventsInMinute()[i]);
                }
            }
            view.show(place, tally.aliveAt(now), changed);
        }

        /** Buckets live for minutes, and are shown again before the counts, which are many. */
        @Override
        public long[] rewriteOrder() {
            return new long[] {Tally.MINUTE_PARTS, Tally.TOTAL_PART};
        }
    }

    /** Contents: a text that a change left out is filled in from what was known before. */
    static LiveViewMapping<ContentChange> metas() {
        return (change, view) -> {
            if (change instanceof ContentChange.Put put) {
                Place<LiveValue> place = view.place(put.content().id());
                Content known = place.value() instanceof LiveValue.Meta meta ? meta.content() : null;
                Content content = put.unchanged().fill(put.content(), known);
                view.show(place, new LiveValue.Meta(content, put.position().offset()), LiveValue.ALL_PARTS);
            } else if (change instanceof ContentChange.Delete delete) {
                view.show(
                        view.place(delete.contentId()),
                        new LiveValue.MetaGone(
                                delete.contentId(),
                                delete.position().offset(),
                                delete.position().timestampMillis()),
                        LiveValue.ALL_PARTS);
            }
        };
    }

    /** Both leaderboards. */
    static LiveViewMapping<Standings> boards() {
        return (standings, view) -> {
            board(LiveValue.Board.Kind.EVENTS, standings.slideEndMillis(), standings.byEvents(), view);
            board(LiveValue.Board.Kind.ENGAGEMENT, standings.slideEndMillis(), standings.byEngagement(), view);
        };
    }

    private static void board(
            LiveValue.Board.Kind kind, long slideEndMillis, List<Standings.Place> places, LiveViewMapping.View view)
            throws Exception {
        Place<LiveValue> place = view.place(kind.name());
        if (!(place.value() instanceof LiveValue.Board shown) || slideEndMillis > shown.slideEndMillis()) {
            view.show(place, new LiveValue.Board(kind, slideEndMillis, places), LiveValue.ALL_PARTS);
        }
    }

    /**
     * Windows of rollups, the newest version of each; those of rollups that are not live, or not among the shapes, are left
     * out.
     *
     * @throws IllegalArgumentException if two of the rollups would show their windows in one place
     */
    static LiveViewMapping<RollupRow> rollups(List<RollupShape> shapes) {
        return new Rolling(shapes);
    }

    private static final class Rolling implements LiveViewMapping<RollupRow> {
        private static final long serialVersionUID = 1L;

        /** Of those that are live, by name. */
        private final HashMap<String, RollupShape> shapes = new HashMap<>();

        Rolling(List<RollupShape> all) {
            Map<String, RollupShape> metrics = new HashMap<>();
            for (RollupShape shape : all) {
                if (!shape.live()) {
                    continue;
                }
                if (shapes.put(shape.rollup(), shape) != null) {
                    throw new IllegalArgumentException("There are two rollups " + shape.rollup());
                }
                RollupShape other = shape.isMetric() ? metrics.put(shape.windowSizeText(), shape) : null;
                if (other != null) {
                    throw new IllegalArgumentException("The rollups " + other.rollup() + " and " + shape.rollup()
                            + " would both be metric:{event_type}:" + shape.windowSizeText()
                            + " in Redis; give one of them another window, or set rollup." + shape.rollup()
                            + ".live=false");
                }
            }
        }

        @Override
        public void show(RollupRow row, View view) throws Exception {
            RollupShape shape = shapes.get(row.rollup());
            if (shape == null) {
                return;
            }
            if (RollupCell.expiresAtMillis(row.windowEndMillis()) <= view.nowMillis()) {
                view.leaveOutExpired(1);
                return;
            }
            String windows = RollupCell.windows(row, shape);
            Place<LiveValue> place = view.place(RollupCell.id(windows, row.windowEndMillis()));
            if (!(place.value() instanceof RollupCell shown) || row.version() > shown.version()) {
                view.show(place, RollupCell.of(row, shape, windows), LiveValue.ALL_PARTS);
            }
        }
    }
}
