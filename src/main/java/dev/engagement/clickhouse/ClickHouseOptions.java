package dev.engagement.clickhouse;

import dev.engagement.connection.HostPort;
import dev.engagement.connection.SecretRef;
import dev.engagement.event.EventIdKind;
import java.io.Serializable;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.apache.flink.configuration.MemorySize;
import org.jspecify.annotations.Nullable;

/**
 * Where ClickHouse is and how rows get into it.
 *
 * @param endpoints of its HTTP interface: {@code http://host:port} or {@code https://host:port}, all of one server or of
 *     replicas of a proxy; the next is asked when one does not answer
 * @param username who writes
 * @param password of that user
 * @param database database, created if missing
 * @param table table, created if missing
 * @param layout how the table is made
 * @param limits how much waits, and how long
 * @param acceptDuplicates go on although rows of this job may be in the table already
 * @param addColumns add missing nullable columns to an existing table
 * @param eventIds what event_id is: Int64, or String
 */
public record ClickHouseOptions(
        List<URI> endpoints,
        String username,
        SecretRef password,
        String database,
        String table,
        Layout layout,
        Limits limits,
        boolean acceptDuplicates,
        boolean addColumns,
        EventIdKind eventIds)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    /** Largest insert: far below what ClickHouse puts into one block, so that an insert is one part for each partition. */
    static final MemorySize MAX_FLUSH_SIZE = MemorySize.ofMebiBytes(64);

    public ClickHouseOptions {
        endpoints = List.copyOf(endpoints);
        if (endpoints.isEmpty()) {
            throw new IllegalArgumentException("clickhouse.url is empty; give http://host:8123 or https://host:8443");
        }
        endpoints.forEach(ClickHouseOptions::check);
        name("clickhouse.database", database);
        name("clickhouse.table", table);
    }

    private static void check(URI url) {
        HostPort server = HostPort.of(url);
        boolean isHttp = "http".equals(url.getScheme()) || "https".equals(url.getScheme());
        if (!isHttp || server == null || server.rawUserInfo() != null) {
            throw new IllegalArgumentException(
                    "clickhouse.url is not of the form http://host:port or https://host:port,"
                            + " several of them separated by commas; the user is clickhouse.username");
        }
        if ("https".equals(url.getScheme())) {
            HostPort.checkCertifiable("clickhouse.url", url);
        }
    }

    /** What a partition holds. */
    public enum Partition {
        /** A month of event_ts, UTC. */
        MONTH("toYYYYMM(event_ts)"),
        /** A day of event_ts, UTC. */
        DAY("toYYYYMMDD(event_ts)");

        private final String expression;

        Partition(String expression) {
            this.expression = expression;
        }

        String expression() {
            return expression;
        }
    }

    /** What {@code raw_payload} is. */
    public enum Payload {
        /** Its text, byte for byte. */
        STRING("Nullable(String)"),
        /** ClickHouse's JSON, which takes objects only, and keeps numbers in 64 bits. */
        JSON("Nullable(JSON)");

        private final String type;

        Payload(String type) {
            this.type = type;
        }

        String type() {
            return type;
        }
    }

    /**
     * How the table is made; an existing one keeps its own.
     *
     * @param partition what one partition holds
     * @param expiration how long after its time a row is deleted, or null for never
     * @param payload what {@code raw_payload} is
     * @param fsync whether a row that is acknowledged is on disk
     */
    public record Layout(Partition partition, @Nullable Duration expiration, Payload payload, boolean fsync)
            implements Serializable {

        private static final long serialVersionUID = 1L;

        public Layout {
            if (expiration != null && expiration.toHours() < 1) {
                throw new IllegalArgumentException("clickhouse.expiration is " + expiration + "; it is at least 1 h");
            }
        }
    }

    /**
     * How much waits, and how long.
     *
     * @param maxInFlight memory that rows may take, in each writer, until they are acknowledged
     * @param flushSize size of an insert
     * @param flushInterval longest time that a row waits for its insert to fill
     * @param commitTimeout how long ClickHouse may refuse what passes by itself, until the job fails
     * @param stagingRetention when staging tables are dropped that failed attempts left behind
     */
    public record Limits(
            MemorySize maxInFlight,
            MemorySize flushSize,
            Duration flushInterval,
            Duration commitTimeout,
            Duration stagingRetention)
            implements Serializable {

        private static final long serialVersionUID = 1L;

        public Limits {
            if (flushSize.getBytes() < 1 || flushSize.compareTo(MAX_FLUSH_SIZE) > 0) {
                throw new IllegalArgumentException(
                        "clickhouse.flush-size is " + flushSize + "; an insert holds 1 byte to " + MAX_FLUSH_SIZE);
            }
            if (maxInFlight.getBytes() < flushSize.getBytes()) {
                throw new IllegalArgumentException("clickhouse.max-in-flight-bytes is " + maxInFlight
                        + ", less than clickhouse.flush-size (" + flushSize + "); no insert would ever fill");
            }
            positive("clickhouse.flush-interval", flushInterval);
            positive("clickhouse.commit-timeout", commitTimeout);
            if (stagingRetention.compareTo(commitTimeout) <= 0) {
                throw new IllegalArgumentException("clickhouse.staging-retention is " + stagingRetention
                        + ", not longer than clickhouse.commit-timeout (" + commitTimeout
                        + "); staging tables would be dropped that are still to be shown");
            }
        }
    }

    /** {@code database.table}, for messages. */
    public String tableName() {
        return database + "." + table;
    }

    private static void name(String option, String value) {
        // Names are never quoted then, neither in statements nor in the names of tables that are made of them.
        if (!value.matches("[A-Za-z_][A-Za-z0-9_]{0,99}")) {
            throw new IllegalArgumentException(option + " is '" + value
                    + "'; it must be a name of at most 100 letters, digits and underscores that begins with no digit");
        }
    }

    private static void positive(String option, Duration value) {
        if (value.toMillis() < 1) {
            throw new IllegalArgumentException(option + " is " + value + "; it must be positive");
        }
    }
}
