package dev.engagement.audit;

import dev.engagement.deadletter.Reason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** All stores in memory, each event with what became of it everywhere. What is late arrives with {@link #settle}. */
final class World {

    /** What stands of an event in the topic of diverted deliveries. */
    enum Retry {
        NONE,
        WAITING,
        HELD
    }

    /** One event and its traces. */
    static final class Event {
        final long id;
        final long micros;
        final String content;
        final @Nullable Long duration;

        boolean inSource = true;
        /** Copies in the warehouse, of which all are late or none. */
        int rows = 1;

        boolean rowsAreLate;

        @Nullable
        Long rowDuration;

        long rowMicros;
        boolean receipt = true;
        boolean receiptIsLate;
        /** Long before the range, by the wall clock. */
        boolean receiptIsEarlier;

        @Nullable
        Reason letter;

        Retry retry = Retry.NONE;
        /** {@code c}, {@code r}, or null if the topic has no record of it. */
        @Nullable
        String captured = "c";

        Event(long id, long micros, String content, @Nullable Long duration) {
            this.id = id;
            this.micros = micros;
            this.content = content;
            this.duration = duration;
            this.rowDuration = duration;
            this.rowMicros = micros;
        }
    }

    final List<Event> events = new ArrayList<>();
    final Map<String, String> counts = new HashMap<>();
    long topicReachesBackTo = Long.MIN_VALUE;
    boolean settled;
    /** Questions for the rows of stores, but for the source's. */
    int questions;

    boolean askedForReasons;
    boolean askedForEarlierReceipts;

    Event add(long id, long micros, String content, @Nullable Long duration) {
        Event event = new Event(id, micros, content, duration);
        events.add(event);
        return event;
    }

    /** Counts as they are when everything went as it should. */
    void countAll() {
        counts.clear();
        for (Event event : events) {
            if (event.letter == null || event.letter == Reason.REJECTED || event.letter == Reason.UNDELIVERABLE) {
                counts.merge(event.content, "1", (a, b) -> Long.toString(Long.parseLong(a) + 1));
            }
        }
    }

    void settle() {
        settled = true;
    }

    private int copies(Event event) {
        return event.rowsAreLate && !settled ? 0 : event.rows;
    }

    /** A table of some rows of this world. */
    private abstract class Table implements RowStore {

        /** The rows of an event; empty if it has none here. */
        abstract List<Row> rowsOf(Event event);

        List<Row> matching(Predicate<Row> wanted) {
            return events.stream()
                    .flatMap(event -> rowsOf(event).stream())
                    .filter(wanted)
                    .sorted(Comparator.comparingLong(Row::id))
                    .toList();
        }

        @Override
        public SortedMap<Long, MinuteTotals> minutes(Range range) {
            SortedMap<Long, MinuteTotals> minutes = new TreeMap<>();
            for (Row row : matching(each -> range.contains(each.eventTsMicros()))) {
                long duration = row.durationMs() == null ? 0 : row.durationMs() * row.copies();
                minutes.merge(
                        Math.floorDiv(row.eventTsMicros(), 60_000_000L),
                        new MinuteTotals(row.copies(), 1, duration, Fingerprint.of(row.id())),
                        MinuteTotals::plus);
            }
            return minutes;
        }

        @Override
        public void rows(List<Range> ranges, EachRow each) throws IOException {
            questions++;
            for (Row row : matching(row -> ranges.stream().anyMatch(range -> range.contains(row.eventTsMicros())))) {
                each.take(row);
            }
        }

        @Override
        public Map<Long, Long> times(List<Long> ids, Range range) {
            Map<Long, Long> times = new HashMap<>();
            matching(each -> range.contains(each.eventTsMicros()) && ids.contains(each.id()))
                    .forEach(row -> times.put(row.id(), row.eventTsMicros()));
            return times;
        }

        @Override
        public void idsOfContents(Collection<String> contentIds, EachOfContent each) {
            questions++;
            events.stream()
                    .filter(event ->
                            contentIds.contains(event.content) && !rowsOf(event).isEmpty())
                    .forEach(event -> each.take(event.content, event.id));
        }
    }

    private final class Postgres extends Table implements Source {

        @Override
        List<Row> rowsOf(Event event) {
            return event.inSource ? List.of(new Row(event.id, event.micros, event.duration, 1)) : List.of();
        }

        @Override
        public Rows open(List<Range> ranges) {
            Iterator<Row> rows = matching(row -> ranges.stream().anyMatch(range -> range.contains(row.eventTsMicros())))
                    .iterator();
            return new Rows() {
                @Override
                public @Nullable Row next() {
                    return rows.hasNext() ? rows.next() : null;
                }

                @Override
                public void close() {}
            };
        }

        @Override
        public void rows(List<Range> ranges, EachRow each) throws IOException {
            Source.super.rows(ranges, each);
        }

        @Override
        public void idsOfContents(Collection<String> contentIds, EachOfContent each) {
            super.idsOfContents(contentIds, each);
            questions--;
        }

        @Override
        public void ids(Range range, LongConsumer each) {
            matching(row -> range.contains(row.eventTsMicros())).forEach(row -> each.accept(row.id()));
        }

        @Override
        public IdSet existing(IdSet ids) {
            return ids.where(id -> events.stream().anyMatch(event -> event.id == id && event.inSource));
        }

        @Override
        public Map<String, Long> eventsByContent() {
            Map<String, Long> numbers = new HashMap<>();
            events.stream()
                    .filter(event -> event.inSource)
                    .forEach(event -> numbers.merge(event.content, 1L, Long::sum));
            return numbers;
        }

        @Override
        public Map<String, Long> eventsByContent(Collection<String> contentIds) {
            Map<String, Long> numbers = eventsByContent();
            numbers.keySet().retainAll(contentIds);
            return numbers;
        }
    }

    Source source() {
        return new Postgres();
    }

    RowStore warehouse() {
        return new Table() {
            @Override
            List<Row> rowsOf(Event event) {
                return copies(event) == 0
                        ? List.of()
                        : List.of(new Row(event.id, event.rowMicros, event.rowDuration, copies(event)));
            }
        };
    }

    Counts counts() {
        return new Counts() {
            @Override
            public Map<String, String> of(Collection<String> contentIds) {
                Map<String, String> chosen = new HashMap<>(counts);
                chosen.keySet().retainAll(contentIds);
                return chosen;
            }

            @Override
            public void contents(Consumer<String> each) {
                counts.keySet().forEach(each);
            }
        };
    }

    EventLog log() {
        return new EventLog() {
            @Override
            public Letters letters(IdSet ids) {
                askedForReasons = true;
                Letters letters = Letters.none();
                for (Event event : events) {
                    if (event.letter != null && ids.contains(event.id)) {
                        letters.add(event.letter, event.id);
                    }
                }
                return letters;
            }

            @Override
            public Captured captured(IdSet ids, Range range) {
                return new Captured(
                        asked(ids, event -> event.captured != null),
                        asked(ids, event -> Objects.equals(event.captured, "r")),
                        topicReachesBackTo);
            }

            @Override
            public void receipts(Range range, Receipts each) {
                events.stream()
                        .filter(event -> event.receipt && !event.receiptIsEarlier && (settled || !event.receiptIsLate))
                        .forEach(event -> each.take(event.id, true));
            }

            @Override
            public void earlierReceipts(Receipts each) {
                askedForEarlierReceipts = true;
                events.stream()
                        .filter(event -> event.receipt && event.receiptIsEarlier)
                        .forEach(event -> each.take(event.id, true));
            }

            @Override
            public Retries retries(IdSet ids) {
                return new Retries(
                        asked(ids, event -> event.retry == Retry.WAITING),
                        asked(ids, event -> event.retry == Retry.HELD));
            }

            private IdSet asked(IdSet ids, Predicate<Event> wanted) {
                return ids.where(id -> events.stream().anyMatch(event -> event.id == id && wanted.test(event)));
            }
        };
    }
}
