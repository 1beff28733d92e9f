package dev.engagement.bench;

import dev.engagement.local.ContentRow;
import dev.engagement.local.EventRow;
import dev.engagement.local.LoadGenerator;
import dev.engagement.local.Workload;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Rows as the load generator writes them, with every tenth on one of a few probes: contents of their own, in turn, whose
 * events are numbered in the payload and stamped in that order, so that a content's last event says how many came before
 * it. The share of each probe is such that it is among the first hundred contents from its first seconds on.
 *
 * <p>Not thread safe.
 */
final class ProbedLoad {

    static final int PROBES = 4;

    /** Of a row that is on no probe. */
    static final int NONE = -1;

    /** The field of the payload that numbers a probe's events from 1. */
    static final String NUMBER = "probe";

    private static final int ROWS_PER_PROBE_ROW = 10;
    /** Not the local stack's: contents of its own. */
    private static final long SEED = 7;

    private static final int CONTENTS = 200;
    private static final int LENGTH_SECONDS = 3_600;

    private final Connection connection;
    private final Workload workload = new Workload(SEED, CONTENTS);
    private final long[] written = new long[PROBES];
    private final Map<UUID, ContentRow> changes = new LinkedHashMap<>();
    private Instant lastProbeAt = Instant.EPOCH;
    private long made;

    /** @param connection to the source, without auto-commit */
    ProbedLoad(Connection connection) {
        this.connection = connection;
    }

    /**
     * One row.
     *
     * @param probe the number of its probe, or {@link #NONE}
     */
    record Row(EventRow event, int probe) {}

    static UUID contentId(int probe) {
        return new UUID(0x1a7e_0000_0000_4000L, 0x8000_0000_0000_0001L + probe);
    }

    /** Commits the contents that are there before the first event. */
    void writeContents() throws SQLException {
        List<ContentRow> contents = new ArrayList<>();
        workload.initialContents().forEach(content -> contents.add(own(content)));
        for (int probe = 0; probe < PROBES; probe++) {
            contents.add(new ContentRow(
                    contentId(probe),
                    "latency-probe-" + (probe + 1),
                    "Latency Probe " + (probe + 1),
                    "podcast",
                    LENGTH_SECONDS,
                    Instant.parse("2026-01-01T00:00:00Z")));
        }
        LoadGenerator.upsert(connection, contents);
        connection.commit();
    }

    /** With a slug that no content of another seed has: slugs are unique. */
    private static ContentRow own(ContentRow content) {
        return new ContentRow(
                content.id(),
                "latency-" + content.slug(),
                content.title(),
                content.contentType(),
                content.lengthSeconds(),
                content.publishTs());
    }

    /** The next row; to be written with all that were made since the last {@link #write}. */
    Row next(Instant now) {
        Workload.Step step = workload.next(now);
        step.contentChanges().forEach(content -> changes.put(content.id(), own(content)));
        long number = made++;
        if (number % ROWS_PER_PROBE_ROW != 0) {
            return new Row(step.event(), NONE);
        }
        int probe = (int) (number / ROWS_PER_PROBE_ROW % PROBES);
        Instant micros = now.truncatedTo(ChronoUnit.MICROS);
        lastProbeAt = micros.isAfter(lastProbeAt) ? micros : lastProbeAt.plus(Duration.of(1, ChronoUnit.MICROS));
        EventRow like = step.event();
        return new Row(
                new EventRow(
                        contentId(probe),
                        like.userId(),
                        like.eventType(),
                        lastProbeAt,
                        like.durationMs(),
                        like.device(),
                        "{\"session\":\"latency\",\"position\":0.000,\"" + NUMBER + "\":" + ++written[probe] + "}"),
                probe);
    }

    /** Commits rows in one transaction, after the contents that they need. */
    void write(List<Row> rows) throws SQLException {
        LoadGenerator.upsert(connection, changes.values());
        changes.clear();
        LoadGenerator.insert(connection, rows.stream().map(Row::event).toList());
        connection.commit();
    }
}
