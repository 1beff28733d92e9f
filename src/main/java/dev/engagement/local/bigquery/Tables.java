package dev.engagement.local.bigquery;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.cloud.bigquery.storage.v1.StorageError.StorageErrorCode;
import io.grpc.Status;
import java.time.Clock;
import java.time.Instant;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Datasets and tables, and which partitions they have. Thread safe. */
final class Tables {

    private final Store store;
    private final Clock clock;
    private final Set<String> datasets = ConcurrentHashMap.newKeySet();
    private final Map<TableId, Table> tables = new ConcurrentHashMap<>();
    /** With those of rows that are not visible yet. */
    private final Map<TableId, Set<Long>> partitions = new ConcurrentHashMap<>();

    Tables(Store store, Clock clock) {
        this.store = store;
        this.clock = clock;
        datasets.addAll(store.datasets());
        for (Table table : store.tables()) {
            tables.put(table.id(), table);
            table.partitioning()
                    .ifPresent(partitioning ->
                            partitions.put(table.id(), new HashSet<>(store.partitions(table, partitioning))));
        }
    }

    synchronized void createDataset(String project, String dataset) {
        String name = project + ":" + dataset;
        if (!dataset.matches("[A-Za-z0-9_]{1,1024}")) {
            throw RestException.invalid("Invalid dataset ID \"" + dataset + "\"");
        }
        if (datasets.contains(name)) {
            throw RestException.duplicate("Already Exists: Dataset " + name);
        }
        store.createDataset(name);
        datasets.add(name);
    }

    /**
     * @throws RestException if there is none
     */
    void checkDataset(String project, String dataset) {
        if (!datasets.contains(project + ":" + dataset)) {
            throw RestException.notFound("Not found: Dataset " + project + ":" + dataset);
        }
    }

    synchronized Table create(TableId id, JsonNode body) {
        checkDataset(id.project(), id.dataset());
        if (!id.table().matches("[A-Za-z0-9_-]{1,1024}")) {
            throw RestException.invalid("Invalid table ID \"" + id.table() + "\"");
        }
        if (tables.containsKey(id)) {
            throw RestException.duplicate("Already Exists: Table " + id);
        }
        Table table = Table.create(id, body, clock.instant());
        store.createTable(table);
        tables.put(id, table);
        return table;
    }

    /**
     * @param etag that the table must still have; none for any
     */
    synchronized Table patch(TableId id, JsonNode body, Optional<String> etag) {
        Table table = get(id);
        if (etag.isPresent() && !etag.get().equals(table.etag())) {
            throw new RestException(412, "conditionNotMet", "Precondition Failed");
        }
        Table changed = table.patched(body);
        store.changeTable(table, changed);
        tables.put(id, changed);
        return changed;
    }

    synchronized void drop(TableId id) {
        get(id);
        store.dropTable(id);
        tables.remove(id);
        partitions.remove(id);
    }

    /**
     * @throws RestException if there is none
     */
    Table get(TableId id) {
        checkDataset(id.project(), id.dataset());
        return find(id).orElseThrow(() -> RestException.notFound("Not found: Table " + id));
    }

    Optional<Table> find(TableId id) {
        return Optional.ofNullable(tables.get(id));
    }

    /**
     * As {@link #get}, in the words of the Storage Write API.
     *
     * @throws Refusal if there is none
     */
    Table forWriting(TableId id) {
        return find(id).orElseThrow(() -> Refusal.of(
                Status.Code.NOT_FOUND, StorageErrorCode.TABLE_NOT_FOUND, id.path(), "Table not found: " + id.path()));
    }

    /**
     * Notes that rows of these partitions come.
     *
     * @throws Refusal if the table would have more than BigQuery allows; nothing is noted then
     */
    void addPartitions(Table table, Set<Long> wanted) {
        Set<Long> present = partitions.computeIfAbsent(table.id(), id -> new HashSet<>());
        synchronized (present) {
            if (present.containsAll(wanted)) {
                return;
            }
            Set<Long> all = new HashSet<>(present);
            all.addAll(wanted);
            if (all.size() > Partitioning.MAX_PARTITIONS) {
                throw Refusal.invalidArgument("Too many partitions: table " + table.id() + " would have " + all.size()
                        + ", at most " + Partitioning.MAX_PARTITIONS + " are allowed. Entity: "
                        + table.id().path());
            }
            present.addAll(wanted);
        }
    }

    /** Deletes the rows of expired partitions, of all tables. */
    synchronized void expire() {
        Instant now = clock.instant();
        for (Table table : tables.values()) {
            Optional<Partitioning> partitioning = table.partitioning();
            Set<Long> present = partitions.get(table.id());
            if (partitioning.isEmpty() || present == null) {
                continue;
            }
            Optional<Instant> firstKept = partitioning.get().firstKept(now);
            if (firstKept.isEmpty()) {
                continue;
            }
            synchronized (present) {
                if (present.removeIf(
                        partition -> partitioning.get().beginOf(partition).isBefore(firstKept.get()))) {
                    store.expire(table, partitioning.get(), firstKept.get());
                }
            }
        }
    }
}
