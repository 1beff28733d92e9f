package dev.engagement.deploy;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The same events and contents each time, in two halves: what a job had read when its savepoint was taken, and what comes
 * after it. With what the destinations have to show, computed here.
 *
 * <p>They happen at noon of a day in 2100, and Kafka's timestamps say so: whenever the savepoint is restored, nothing of it
 * has expired, and event time does not follow the wall clock.
 */
final class Scenario {

    static final String MINUTE = "210006151200";

    static final long NOON_MILLIS = Instant.parse("2100-06-15T12:00:00Z").toEpochMilli();
    private static final long MOVED_TO_MILLIS = NOON_MILLIS + 30_500;
    private static final String EVENTS_TOPIC = "dbserver1.public.engagement_events";
    private static final String CONTENT_TOPIC = "dbserver1.public.content";
    private static final int PARTITIONS = 16;
    private static final long METRICS_WINDOW = 30_000;
    private static final long METRICS_SLIDE = 10_000;
    private static final int CONTENTS = 5;
    /** Nothing but an event of it comes in the first half. */
    private static final int LATE_CONTENT = CONTENTS + 1;

    private static final int BEFORE = 40;
    private static final int AFTER = 60;
    /** Of the content that comes late. */
    private static final int WAITING = 101;
    /** The first of those that come half a minute later than all others, one in each partition: they move event time. */
    private static final int MOVER = 102;
    /** The first of those that come five minutes later, one in each partition. */
    private static final int LATER = 200;

    private static final long LATER_MILLIS = NOON_MILLIS + 300_050;
    /** Where event time is moved behind them: all their windows have ended, and the hour's. */
    private static final long LAST_MILLIS = NOON_MILLIS + 62 * 60_000;

    private Scenario() {}

    /** An event. */
    record Event(long id, int content, long millis, int durationMillis) {

        String contentId() {
            return Scenario.contentId(content);
        }
    }

    static String contentId(int number) {
        return "content-" + number;
    }

    private static Event event(int id) {
        return new Event(id, 1 + id * id % CONTENTS, NOON_MILLIS + 100L * id, id % 4 == 0 ? -1 : 250 * id);
    }

    private static List<Event> events(int from, int to) {
        return IntStream.rangeClosed(from, to).mapToObj(Scenario::event).toList();
    }

    private static Event waiting() {
        return new Event(WAITING, LATE_CONTENT, NOON_MILLIS + 150, 700);
    }

    private static List<Event> movers() {
        return IntStream.range(MOVER, MOVER + PARTITIONS)
                .mapToObj(id -> new Event(id, 1, MOVED_TO_MILLIS, -1))
                .toList();
    }

    /** What is read before the savepoint is taken; one event of it waits for its content. */
    static void produceFirstHalf(String bootstrapServers) throws ExecutionException, InterruptedException {
        produce(
                bootstrapServers,
                IntStream.rangeClosed(1, CONTENTS).boxed().toList(),
                concat(events(1, BEFORE), List.of(waiting())));
    }

    /** What comes afterwards: the late content, all events of the first half again, and new ones. */
    static void produceSecondHalf(String bootstrapServers) throws ExecutionException, InterruptedException {
        produce(
                bootstrapServers,
                List.of(LATE_CONTENT),
                concat(events(1, BEFORE), concat(events(BEFORE + 1, BEFORE + AFTER), movers())));
    }

    /**
     * Moves event time on, in all partitions and by nothing but repetitions: once all is counted, so that a slide ends after
     * it. Without that an event that waited for its content is in the last leaderboard only if its content was read before
     * those that move event time, and two topics have no common order.
     *
     * @param round from 1, each later than the one before
     */
    static void moveOn(String bootstrapServers, int round) throws ExecutionException, InterruptedException {
        produce(bootstrapServers, List.of(), repetitions(movedTo(round)));
    }

    /** The same events, one in each partition, that are said to have happened then. */
    private static List<Event> repetitions(long millis) {
        return movers().stream()
                .map(each -> new Event(each.id, each.content, millis, each.durationMillis))
                .toList();
    }

    private static long movedTo(int round) {
        return MOVED_TO_MILLIS + 1_500 + 5_000L * (round - 1);
    }

    private static List<Event> later() {
        return IntStream.range(LATER, LATER + PARTITIONS)
                .mapToObj(id -> new Event(id, 1, LATER_MILLIS, -1))
                .toList();
    }

    /** New events five minutes later, and repetitions that move event time on until all their windows have ended. */
    static void produceLater(String bootstrapServers) throws ExecutionException, InterruptedException {
        produce(bootstrapServers, List.of(), concat(later(), repetitions(LAST_MILLIS)));
    }

    private static <T> List<T> concat(List<T> first, List<T> second) {
        List<T> both = new ArrayList<>(first);
        both.addAll(second);
        return both;
    }

    /** One after the other into partitions told by the id, so that each run has the same offsets. */
    private static void produce(String bootstrapServers, List<Integer> contents, List<Event> events)
            throws ExecutionException, InterruptedException {
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", bootstrapServers), new ByteArraySerializer(), new ByteArraySerializer())) {
            for (int content : contents) {
                producer.send(new ProducerRecord<>(
                                CONTENT_TOPIC,
                                0,
                                NOON_MILLIS,
                                bytes("{\"id\":\"" + contentId(content) + "\"}"),
                                bytes(json(content))))
                        .get();
            }
            for (Event event : events) {
                producer.send(new ProducerRecord<>(
                                EVENTS_TOPIC,
                                Math.toIntExact(event.id % PARTITIONS),
                                event.millis,
                                bytes("{\"id\":" + event.id + "}"),
                                bytes(json(event))))
                        .get();
            }
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String json(int content) {
        return """
                {"before":null,"after":{"id":"%s","slug":"slug-%d","title":"Title %d","content_type":"video",\
                "length_seconds":%d,"publish_ts":"2026-01-08T14:00:00Z"},"source":{"ts_ms":%d,"lsn":%d},"op":"c","ts_ms":%d}""".formatted(contentId(content), content, content, 60 * content, NOON_MILLIS, content, NOON_MILLIS);
    }

    private static String json(Event event) {
        return """
                {"before":null,"after":{"id":%d,"content_id":"%s","user_id":"user","event_type":"play","event_ts":"%s",\
                "duration_ms":%s,"device":"web","raw_payload":"{\\"n\\": %d}"},"source":{"ts_ms":%d,"lsn":%d},"op":"c",\
                "ts_ms":%d}""".formatted(
                        event.id,
                        event.contentId(),
                        Instant.ofEpochMilli(event.millis),
                        event.durationMillis < 0 ? "null" : Integer.toString(event.durationMillis),
                        event.id,
                        event.millis,
                        100 + event.id,
                        event.millis);
    }

    // ------------------------------------------------------------------------------------------------- the oracle

    /** Every event that ever came, once. */
    static List<Event> all() {
        return concat(concat(events(1, BEFORE + AFTER), List.of(waiting())), movers());
    }

    /** Events that were shown in the first half. */
    static List<Event> shownBefore() {
        return events(1, BEFORE);
    }

    static Set<Long> ids() {
        return all().stream().map(Event::id).collect(Collectors.toSet());
    }

    /** Ids that a warehouse without the first half's rows has in the end. */
    static List<Long> idsAfter() {
        return concat(concat(events(BEFORE + 1, BEFORE + AFTER), List.of(waiting())), movers()).stream()
                .map(Event::id)
                .sorted()
                .toList();
    }

    /** By content. */
    static Map<String, Long> counts(List<Event> events) {
        Map<String, Long> counts = new TreeMap<>();
        events.forEach(each -> counts.merge(each.contentId(), 1L, Long::sum));
        return counts;
    }

    /** Members and scores of the minute at noon. */
    static Map<String, Double> bucket() {
        Map<String, Double> scores = new TreeMap<>();
        counts(all().stream().filter(isOfTheFirstMinute()).toList())
                .forEach((content, count) -> scores.put(content, (double) count));
        return scores;
    }

    /** The leaderboards of a window. */
    static Map<String, Double> boardByEvents(int topN, long windowMillis, long slideEnd) {
        Map<String, Double> scores = new TreeMap<>();
        counts(inWindow(windowMillis, slideEnd)).forEach((content, count) -> scores.put(content, (double) count));
        return top(scores, topN);
    }

    /** As {@link #boardByEvents}, by seconds. */
    static Map<String, Double> boardByEngagement(int topN, long windowMillis, long slideEnd) {
        Map<String, BigDecimal> sums = new TreeMap<>();
        for (Event each : inWindow(windowMillis, slideEnd)) {
            if (each.durationMillis >= 0) {
                sums.merge(each.contentId(), BigDecimal.valueOf(each.durationMillis, 3), BigDecimal::add);
            }
        }
        Map<String, Double> scores = new TreeMap<>();
        sums.forEach((content, seconds) -> scores.put(content, seconds.doubleValue()));
        return top(scores, topN);
    }

    /**
     * The rollup {@code metrics_30s} of all windows that have ended by then: start, type, events, value, users, whether
     * they were counted, and events without a value.
     */
    static List<String> metrics(long endMillis) {
        return metrics(all(), endMillis);
    }

    /** As {@link #metrics(long)}, of those that come five minutes later. */
    static List<String> laterMetrics() {
        return metrics(later(), LAST_MILLIS);
    }

    private static List<String> metrics(List<Event> events, long endMillis) {
        List<String> rows = new ArrayList<>();
        for (long start = NOON_MILLIS - METRICS_WINDOW; start + METRICS_WINDOW <= endMillis; start += METRICS_SLIDE) {
            long from = start;
            long count = events.stream()
                    .filter(each -> each.millis >= from && each.millis < from + METRICS_WINDOW)
                    .count();
            if (count > 0) {
                rows.add(start + " play " + count + " 0 1 true " + count);
            }
        }
        return rows;
    }

    private static List<Event> inWindow(long windowMillis, long slideEnd) {
        return all().stream()
                .filter(each -> each.millis >= slideEnd - windowMillis && each.millis < slideEnd)
                .toList();
    }

    private static Map<String, Double> top(Map<String, Double> scores, int topN) {
        Map<String, Double> best = new TreeMap<>();
        scores.entrySet().stream()
                .sorted(Map.Entry.<String, Double>comparingByValue(Comparator.reverseOrder())
                        .thenComparing(Map.Entry.comparingByKey()))
                .limit(topN)
                .forEach(each -> best.put(each.getKey(), each.getValue()));
        return best;
    }

    /** The last slide end that event time reaches in that round: without the out-of-orderness of two seconds. */
    static long lastSlideEnd(long slideMillis, int round) {
        return Math.floorDiv(movedTo(round) - 2_000, slideMillis) * slideMillis;
    }

    private static Predicate<Event> isOfTheFirstMinute() {
        return each -> each.millis < NOON_MILLIS + 60_000;
    }
}
