package dev.engagement.warehouse;

import dev.engagement.connection.HostPort;
import dev.engagement.event.EventIdKind;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import org.apache.flink.configuration.MemorySize;
import org.jspecify.annotations.Nullable;

/**
 * Where the warehouse is and how rows get into it.
 *
 * @param project BigQuery project
 * @param dataset dataset, created if missing
 * @param table table, created if missing
 * @param endpoints where BigQuery answers
 * @param credentialsFile a service account's key file on every machine that runs the job, or null for what the machine
 *     itself has (application default credentials); plain endpoints get none
 * @param layout how the table is made
 * @param maxInFlight memory that rows may take, in each writer, until they are acknowledged
 * @param flushSize size of an append
 * @param flushInterval longest time that a row waits for its append to fill
 * @param commitTimeout how long BigQuery may refuse what passes by itself, until the job fails
 * @param acceptDuplicates go on although rows of this job may be in the table already
 * @param addColumns add missing nullable columns to an existing table
 * @param eventIds what event_id is: INT64, or STRING
 * @param jsonNumbers what becomes of numbers in raw_payload that BigQuery's JSON would change
 */
public record WarehouseOptions(
        String project,
        String dataset,
        String table,
        Endpoints endpoints,
        @Nullable String credentialsFile,
        Layout layout,
        MemorySize maxInFlight,
        MemorySize flushSize,
        Duration flushInterval,
        Duration commitTimeout,
        boolean acceptDuplicates,
        boolean addColumns,
        EventIdKind eventIds,
        JsonNumbers jsonNumbers)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    /** Longest life of an HOUR partition: a table holds 10,000 partitions. */
    public static final Duration MAX_HOUR_EXPIRATION = Duration.ofDays(400);

    /** Largest append: BigQuery takes 10 MB, schema and all. */
    static final long MAX_APPEND_BYTES = 9_500_000;

    /** Of a table whose event_id is a number. */
    public WarehouseOptions(
            String project,
            String dataset,
            String table,
            Endpoints endpoints,
            @Nullable String credentialsFile,
            Layout layout,
            MemorySize maxInFlight,
            MemorySize flushSize,
            Duration flushInterval,
            Duration commitTimeout,
            boolean acceptDuplicates,
            boolean addColumns,
            JsonNumbers jsonNumbers) {
        this(
                project,
                dataset,
                table,
                endpoints,
                credentialsFile,
                layout,
                maxInFlight,
                flushSize,
                flushInterval,
                commitTimeout,
                acceptDuplicates,
                addColumns,
                EventIdKind.LONG,
                jsonNumbers);
    }

    public WarehouseOptions {
        matches("warehouse.project", project, "[a-z0-9.:-]{1,63}", "as BigQuery's projects are called");
        matches("warehouse.dataset", dataset, "\\w{1,1024}", "letters, digits and underscores");
        matches("warehouse.table", table, "[\\p{L}\\p{M}\\p{N}\\p{Pc}\\p{Pd} ]{1,1024}", "letters, digits, - and _");
        if (flushSize.getBytes() < 1 || flushSize.getBytes() > MAX_APPEND_BYTES) {
            throw new IllegalArgumentException("warehouse.flush-size is " + flushSize
                    + "; an append holds 1 byte to 9500000 bytes, as BigQuery takes 10 MB");
        }
        if (maxInFlight.getBytes() < flushSize.getBytes()) {
            throw new IllegalArgumentException("warehouse.max-in-flight-bytes is " + maxInFlight
                    + ", less than warehouse.flush-size (" + flushSize + "); no append would ever fill");
        }
        positive("warehouse.flush-interval", flushInterval);
        positive("warehouse.commit-timeout", commitTimeout);
    }

    /**
     * Where BigQuery answers.
     *
     * @param rest {@code https://host[:port]}, or {@code http://…} for a local one
     * @param grpc {@code https://host[:port]}, or {@code http://…} for a local one
     */
    public record Endpoints(URI rest, URI grpc) implements Serializable {

        private static final long serialVersionUID = 1L;

        /** Google's. */
        public static final Endpoints GOOGLE = new Endpoints(
                URI.create("https://bigquery.googleapis.com"), URI.create("https://bigquerystorage.googleapis.com"));

        public Endpoints {
            check("warehouse.endpoint", rest);
            check("warehouse.grpc-endpoint", grpc);
            if (!rest.getScheme().equals(grpc.getScheme())) {
                throw new IllegalArgumentException("warehouse.endpoint is " + rest + " and warehouse.grpc-endpoint is "
                        + grpc + "; both are https:// (Google) or both http:// (a local emulator)");
            }
        }

        /** Without TLS, hence without credentials. */
        public boolean isPlain() {
            return rest.getScheme().equals("http");
        }

        /** {@code host:port} of the gRPC endpoint. */
        String grpcTarget() {
            URI reachable;
            try {
                reachable = HostPort.reachable(grpc);
            } catch (UnknownHostException e) {
                throw new UncheckedIOException(
                        "warehouse.grpc-endpoint is " + grpc + ", and no name server here knows it", e);
            }
            int port = reachable.getPort();
            return reachable.getHost() + ":" + (port != -1 ? port : isPlain() ? 80 : 443);
        }

        private static void check(String option, URI uri) {
            String scheme = uri.getScheme();
            HostPort server = HostPort.of(uri);
            if (!"http".equals(scheme) && !"https".equals(scheme) || server == null || server.rawUserInfo() != null) {
                throw new IllegalArgumentException(
                        option + " is not of the form https://host:port, or http://host:port for a local emulator");
            }
            if ("https".equals(scheme)) {
                HostPort.checkCertifiable(option, uri);
            }
        }
    }

    /** What becomes of a row whose raw_payload holds a number that BigQuery's JSON would change. */
    public enum JsonNumbers {
        /** It is refused. */
        EXACT,
        /** It gets the number that BigQuery would make of it; too large for any, it is refused. */
        ROUND
    }

    /** What one partition holds. */
    public enum Partition {
        /** A day of event_ts, UTC. */
        DAY,
        /** An hour of event_ts, UTC. */
        HOUR
    }

    /**
     * How the table is made; an existing one keeps its own.
     *
     * @param partition what one partition holds
     * @param partitionExpiration how long after its time a partition is deleted, or null for never
     * @param requirePartitionFilter refuse queries that do not say which partitions they read
     */
    public record Layout(Partition partition, @Nullable Duration partitionExpiration, boolean requirePartitionFilter)
            implements Serializable {

        private static final long serialVersionUID = 1L;

        public Layout {
            if (partitionExpiration != null) {
                positive("warehouse.partition-expiration", partitionExpiration);
            }
            if (partition == Partition.HOUR
                    && (partitionExpiration == null || partitionExpiration.compareTo(MAX_HOUR_EXPIRATION) > 0)) {
                throw new IllegalArgumentException("warehouse.partition-expiration is "
                        + (partitionExpiration == null ? "not set" : partitionExpiration.toDays() + " days")
                        + "; warehouse.partition = HOUR needs one of at most 400 days, as a table holds 10,000 partitions."
                        + " Set it, or use DAY");
            }
        }
    }

    /** {@code project.dataset.table}, for messages. */
    public String tableName() {
        return project + "." + dataset + "." + table;
    }

    /** The same for another table, given by its resource name: rows that wait to be shown may be of one. */
    WarehouseOptions ofTable(String path) {
        String[] parts = path.split("/");
        return at(parts[1], parts[3], parts[5]);
    }

    /** The same for another table, given as {@link #tableName} names one. */
    WarehouseOptions ofTableNamed(String name) {
        // A project may have dots in its name; datasets and tables have none.
        int beforeTable = name.lastIndexOf('.');
        int beforeDataset = name.lastIndexOf('.', beforeTable - 1);
        return at(
                name.substring(0, beforeDataset),
                name.substring(beforeDataset + 1, beforeTable),
                name.substring(beforeTable + 1));
    }

    private WarehouseOptions at(String project, String dataset, String table) {
        return new WarehouseOptions(
                project,
                dataset,
                table,
                endpoints,
                credentialsFile,
                layout,
                maxInFlight,
                flushSize,
                flushInterval,
                commitTimeout,
                acceptDuplicates,
                addColumns,
                eventIds,
                jsonNumbers);
    }

    /** The table's resource name. */
    String tablePath() {
        return "projects/" + project + "/datasets/" + dataset + "/tables/" + table;
    }

    private static void matches(String option, String value, String pattern, String said) {
        if (!value.matches(pattern)) {
            throw new IllegalArgumentException(option + " is '" + value + "'; it must be a name: " + said);
        }
    }

    private static void positive(String option, Duration value) {
        if (value.toMillis() < 1) {
            throw new IllegalArgumentException(option + " is " + value + "; it must be positive");
        }
    }
}
