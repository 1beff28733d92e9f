package dev.engagement.local;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.engagement.local.ScreenState.Circuit;
import dev.engagement.local.ScreenState.Delivery;
import dev.engagement.local.ScreenState.Flow;
import dev.engagement.local.ScreenState.Leaderboards;
import dev.engagement.local.ScreenState.Ranked;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Asks the servers for what the screen shows, over connections that stay open while they work. A server that does not
 * answer becomes a note on the screen, and its figures unknown, until it answers again. Not thread safe.
 */
final class Figures implements AutoCloseable {

    /** The stream's histogram, by the suffixes that Flink gives its parts, and its counter of second arrivals. */
    private static final String MEDIAN = "commitToVisibleMillis_median";

    private static final String P99 = "commitToVisibleMillis_p99";
    private static final String DUPLICATES = "duplicates";
    /** Of the live path; the drain hands back too. */
    private static final String DIVERTED = "deliver.diverted";

    private static final String UNDELIVERABLE = "undeliverable";
    private static final String CIRCUIT = "circuitState";

    /** A server that is frozen is to be seen, and not to freeze the screen. */
    private static final Duration REDIS_LIMIT = Duration.ofSeconds(5);

    private static final String RETRY_TOPIC = "engagement.delivery-retry";
    /** Under which the stream says how far it has read. */
    private static final String GROUP = "engagement-stream";

    private static final Map<String, FlinkRest.Aggregation> METRICS = Map.of(
            MEDIAN,
            FlinkRest.Aggregation.MAX,
            P99,
            FlinkRest.Aggregation.MAX,
            DUPLICATES,
            FlinkRest.Aggregation.SUM,
            DIVERTED,
            FlinkRest.Aggregation.SUM,
            UNDELIVERABLE,
            FlinkRest.Aggregation.SUM,
            CIRCUIT,
            FlinkRest.Aggregation.MAX);

    private static final int PLACES = 10;
    private static final Duration RATE_OVER = Duration.ofSeconds(5);
    private static final int KAFKA_LIMIT_SECONDS = 3;
    /** Counting a large table takes a while; it gets this part of the time at most. */
    private static final int COUNT_SHARE = 20;

    private final PostgresServer postgres;
    private final RedisServer redis;
    private final BigQueryProcess bigQuery;
    private final ReceiverProcess receiver;
    private final Admin kafka;
    private final FlinkRest flink;
    private final String deadLetterTopic;
    private final Rate inRate = new Rate(RATE_OVER);
    private final Rate outRate = new Rate(RATE_OVER);
    private final Rate warehouseRate = new Rate(RATE_OVER);
    private final Rate deliveryRate = new Rate(RATE_OVER);
    private @Nullable Connection source;
    private @Nullable Jedis liveView;
    private long nextCountAt = System.nanoTime();
    private @Nullable Long counted;
    private List<String> contentIds = List.of();

    Figures(
            PostgresServer postgres,
            RedisServer redis,
            BigQueryProcess bigQuery,
            ReceiverProcess receiver,
            Admin kafka,
            FlinkRest flink,
            String deadLetterTopic) {
        this.postgres = postgres;
        this.redis = redis;
        this.bigQuery = bigQuery;
        this.receiver = receiver;
        this.kafka = kafka;
        this.flink = flink;
        this.deadLetterTopic = deadLetterTopic;
    }

    /** The figures of one moment. */
    record Reading(
            Flow in,
            Flow out,
            Flow warehouse,
            Delivery delivery,
            @Nullable Long deadLetters,
            @Nullable Long duplicates,
            @Nullable Double p50Millis,
            @Nullable Double p99Millis,
            Leaderboards leaderboards,
            List<String> notes) {}

    /** @param streamJob id of the job whose metrics are wanted, or null */
    Reading read(@Nullable String streamJob) throws InterruptedException {
        List<String> notes = new ArrayList<>();
        Long in = readSource(notes);
        Map<String, Long> counts = readCounts(notes);
        Long out = counts == null
                ? null
                : counts.values().stream().mapToLong(Long::longValue).sum();
        // There is no table before there is a job.
        Long rows = streamJob == null ? null : readWarehouse(notes);
        Long letters = null;
        Long aside = null;
        try {
            letters = deadLetters();
            aside = retryBacklog();
        } catch (ExecutionException | TimeoutException e) {
            notes.add("Kafka does not answer: " + message(e));
        }
        Long delivered = readReceiver(notes);
        Map<String, Double> metrics = Map.of();
        Long duplicates = null;
        Double p50 = null;
        Double p99 = null;
        if (streamJob != null) {
            try {
                metrics = flink.metrics(streamJob, METRICS);
                duplicates = whole(metrics, DUPLICATES);
                p50 = metrics.get(MEDIAN);
                p99 = metrics.get(P99);
                if (p50 != null && p50 == 0) {
                    // A histogram that has seen nothing yet.
                    p50 = null;
                    p99 = null;
                }
            } catch (IOException e) {
                notes.add("Flink does not answer: " + message(e));
            }
        }
        return new Reading(
                new Flow(in, inRate.update(in)),
                new Flow(out, outRate.update(out)),
                new Flow(rows, warehouseRate.update(rows)),
                new Delivery(
                        new Flow(delivered, deliveryRate.update(delivered)),
                        aside,
                        whole(metrics, DIVERTED),
                        whole(metrics, UNDELIVERABLE),
                        Circuit.of(metrics.get(CIRCUIT))),
                letters,
                duplicates,
                p50,
                p99,
                readLeaderboards(notes),
                notes);
    }

    private static @Nullable Long whole(Map<String, Double> metrics, String name) {
        Double value = metrics.get(name);
        return value == null ? null : Long.valueOf(value.longValue());
    }

    /** How many events the source has now. */
    long countSource() throws SQLException {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            return count(statement);
        }
    }

    /** Letters ever written to the dead-letter topic; 0 if it does not exist. */
    long deadLetters() throws InterruptedException, ExecutionException, TimeoutException {
        return ends(deadLetterTopic).values().stream()
                .mapToLong(Long::longValue)
                .sum();
    }

    /** Records of the retry topic that the drain had not taken at the last checkpoint; 0 if it does not exist. */
    private long retryBacklog() throws InterruptedException, ExecutionException, TimeoutException {
        Map<TopicPartition, OffsetAndMetadata> taken = kafka.listConsumerGroupOffsets(GROUP)
                .partitionsToOffsetAndMetadata()
                .get(KAFKA_LIMIT_SECONDS, TimeUnit.SECONDS);
        long backlog = 0;
        for (Map.Entry<TopicPartition, Long> end : ends(RETRY_TOPIC).entrySet()) {
            OffsetAndMetadata offset = taken.get(end.getKey());
            backlog += end.getValue() - (offset == null ? 0 : offset.offset());
        }
        return Math.max(0, backlog);
    }

    /** Where each partition ends; none if there is no such topic. */
    private Map<TopicPartition, Long> ends(String name)
            throws InterruptedException, ExecutionException, TimeoutException {
        TopicDescription topic;
        try {
            topic = kafka.describeTopics(List.of(name))
                    .allTopicNames()
                    .get(KAFKA_LIMIT_SECONDS, TimeUnit.SECONDS)
                    .get(name);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                return Map.of();
            }
            throw e;
        }
        Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
        topic.partitions().forEach(each -> latest.put(new TopicPartition(name, each.partition()), OffsetSpec.latest()));
        Map<TopicPartition, Long> ends = new HashMap<>();
        kafka.listOffsets(latest)
                .all()
                .get(KAFKA_LIMIT_SECONDS, TimeUnit.SECONDS)
                .forEach((partition, end) -> ends.put(partition, end.offset()));
        return ends;
    }

    private @Nullable Long readSource(List<String> notes) {
        try {
            Connection connection = source;
            if (connection == null) {
                connection = postgres.connect();
                source = connection;
            }
            try (Statement statement = connection.createStatement()) {
                if (System.nanoTime() >= nextCountAt) {
                    long begin = System.nanoTime();
                    counted = count(statement);
                    List<String> ids = new ArrayList<>();
                    try (ResultSet rows = statement.executeQuery("SELECT id FROM content")) {
                        while (rows.next()) {
                            ids.add(rows.getString(1));
                        }
                    }
                    contentIds = ids;
                    long end = System.nanoTime();
                    nextCountAt = end + (end - begin) * COUNT_SHARE;
                }
            }
            return counted;
        } catch (SQLException e) {
            notes.add("PostgreSQL does not answer: " + message(e));
            closeSource();
            return null;
        }
    }

    private static long count(Statement statement) throws SQLException {
        try (ResultSet result = statement.executeQuery("SELECT count(*) FROM " + Schema.EVENTS)) {
            result.next();
            return result.getLong(1);
        }
    }

    private @Nullable Map<String, Long> readCounts(List<String> notes) {
        try {
            return CountCheck.counts(liveView(), contentIds);
        } catch (JedisException e) {
            notes.add("Redis does not answer: " + message(e));
            closeLiveView();
            return null;
        }
    }

    private @Nullable Long readWarehouse(List<String> notes) {
        try {
            return WarehouseCheck.count(sql -> bigQuery.query(BigQueryProcess.PROJECT, sql));
        } catch (ServerException | JsonProcessingException e) {
            notes.add("BigQuery does not answer: " + message(e));
            return null;
        }
    }

    private @Nullable Long readReceiver(List<String> notes) {
        try {
            return receiver.get("/stats").path("distinctEvents").asLong();
        } catch (ServerException e) {
            notes.add("The receiver does not answer: " + message(e));
            return null;
        }
    }

    private Leaderboards readLeaderboards(List<String> notes) {
        try {
            Leaderboard.Reading events = Leaderboard.EVENTS.read(liveView(), "");
            Leaderboard.Reading engagement = Leaderboard.ENGAGEMENT.read(liveView(), "");
            Long older = older(events.slideEndMillis(), engagement.slideEndMillis());
            return new Leaderboards(
                    older == null ? null : (double) (System.currentTimeMillis() - older),
                    ranked(events),
                    ranked(engagement));
        } catch (JedisException e) {
            notes.add("Redis does not answer: " + message(e));
            closeLiveView();
            return new Leaderboards(null, List.of(), List.of());
        }
    }

    private static @Nullable Long older(@Nullable Long one, @Nullable Long other) {
        return one == null || other == null ? null : Long.valueOf(Math.min(one, other));
    }

    private List<Ranked> ranked(Leaderboard.Reading leaderboard) {
        List<Map.Entry<String, Double>> first = leaderboard.scores().entrySet().stream()
                .sorted(Map.Entry.<String, Double>comparingByValue(Comparator.reverseOrder())
                        .thenComparing(Map.Entry.comparingByKey()))
                .limit(PLACES)
                .toList();
        List<Ranked> ranked = new ArrayList<>();
        for (Map.Entry<String, Double> each : first) {
            String title = MetaCheck.title(liveView(), each.getKey());
            ranked.add(new Ranked(title == null ? each.getKey() : title, each.getValue()));
        }
        return ranked;
    }

    private Jedis liveView() {
        Jedis connection = liveView;
        if (connection == null) {
            connection = redis.connect(REDIS_LIMIT);
            liveView = connection;
        }
        return connection;
    }

    private static String message(Exception e) {
        String message = e.getMessage();
        return message == null
                ? e.getClass().getSimpleName()
                : message.lines().findFirst().orElse("");
    }

    @Override
    public void close() {
        closeSource();
        closeLiveView();
    }

    private void closeSource() {
        Connection connection = source;
        source = null;
        if (connection != null) {
            try {
                connection.close();
            } catch (SQLException alreadyBroken) {
                assert source == null;
            }
        }
    }

    private void closeLiveView() {
        Jedis connection = liveView;
        liveView = null;
        if (connection != null) {
            connection.close();
        }
    }

    /** Change per second of a counter, over the last few seconds. */
    static final class Rate {
        private record Sample(long at, long value) {}

        private final Duration over;
        private final Deque<Sample> samples = new ArrayDeque<>();

        Rate(Duration over) {
            this.over = over;
        }

        @Nullable
        Double update(@Nullable Long value) {
            return update(value, System.nanoTime());
        }

        /** @param value unknown (null) or less than before starts afresh */
        @Nullable
        Double update(@Nullable Long value, long now) {
            Sample last = samples.peekLast();
            if (value == null || (last != null && value < last.value)) {
                samples.clear();
            }
            if (value == null) {
                return null;
            }
            samples.addLast(new Sample(now, value));
            while (samples.size() > 2 && now - samples.getFirst().at > over.toNanos()) {
                samples.removeFirst();
            }
            Sample first = samples.getFirst();
            return now == first.at ? null : (value - first.value) * 1e9 / (now - first.at);
        }
    }
}
