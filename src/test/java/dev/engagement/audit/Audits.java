package dev.engagement.audit;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.warehouse.WarehouseOptions;
import java.io.IOException;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.flink.configuration.MemorySize;
import org.jspecify.annotations.Nullable;

/** Audits of a {@link World}. */
final class Audits {

    static final Instant FROM = Instant.parse("2026-01-08T09:00:00Z");
    static final Instant TO = Instant.parse("2026-01-08T09:10:00Z");
    static final Range RANGE = Range.of(FROM, TO);
    static final Duration SETTLE = Duration.ofSeconds(60);

    private Audits() {}

    /** Microseconds of so many seconds behind the begin of the range. */
    static long at(long seconds) {
        return RANGE.fromMicros() + seconds * 1_000_000;
    }

    static AuditOptions options(boolean includesSnapshot) {
        return options(FROM, TO, SETTLE, includesSnapshot);
    }

    static AuditOptions options(Instant from, Instant to, Duration settle, boolean includesSnapshot) {
        return new AuditOptions(
                from,
                to,
                settle,
                100,
                new AuditOptions.Database(
                        new PostgresConnection("jdbc:postgresql://localhost/postgres", "u", SecretRef.none()),
                        "public",
                        "engagement_events",
                        null),
                new KafkaConnection("localhost:9092", Map.of()),
                "events",
                "letters",
                new WarehouseOptions(
                        "project",
                        "analytics",
                        "engagement_events",
                        new WarehouseOptions.Endpoints(
                                URI.create("http://localhost:1"), URI.create("http://localhost:2")),
                        null,
                        new WarehouseOptions.Layout(WarehouseOptions.Partition.DAY, null, false),
                        MemorySize.ofMebiBytes(64),
                        MemorySize.ofMebiBytes(1),
                        Duration.ofSeconds(1),
                        Duration.ofMinutes(1),
                        false,
                        false,
                        WarehouseOptions.JsonNumbers.EXACT),
                new LiveViewOptions(URI.create("redis://localhost:6379"), SecretRef.none(), "p:"),
                new AuditOptions.Delivery("receipts", "retry", "drain", includesSnapshot),
                null);
    }

    static AuditReport of(World world, boolean includesSnapshot, @Nullable RowStore warehouse, @Nullable Counts counts)
            throws IOException, InterruptedException {
        Instant now = TO.plusSeconds(3_600);
        return new Audit(
                        options(includesSnapshot),
                        RANGE,
                        world.source(),
                        world.log(),
                        Clock.fixed(now, ZoneOffset.UTC),
                        time -> {
                            if (time.equals(SETTLE)) {
                                world.settle();
                            }
                        },
                        progress -> {})
                .run(warehouse, counts, null);
    }

    static AuditReport of(World world) throws IOException, InterruptedException {
        return of(world, false, world.warehouse(), world.counts());
    }

    /** {@code warehouse missing} and the like, with the ids. */
    static SortedMap<String, String> found(AuditReport report) {
        SortedMap<String, String> found = new TreeMap<>();
        for (AuditReport.Destination destination : report.destinations()) {
            for (AuditReport.Finding finding : destination.findings()) {
                found.merge(
                        destination.name() + " " + finding.kind().text(),
                        finding.listed().stream().map(AuditReport.Item::id).collect(Collectors.joining(",")),
                        (one, other) -> one + "," + other);
            }
        }
        return found;
    }
}
