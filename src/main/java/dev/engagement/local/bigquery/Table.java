package dev.engagement.local.bigquery;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.cloud.bigquery.storage.v1.TableFieldSchema;
import com.google.cloud.bigquery.storage.v1.TableSchema;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/** A table's definition: BigQuery's resource of it, checked. Immutable. */
final class Table {

    private static final List<String> KEPT = List.of(
            "description", "friendlyName", "labels", "timePartitioning", "clustering", "requirePartitionFilter");
    private static final int MAX_CLUSTERING = 4;

    private final TableId id;
    private final ObjectNode resource;
    private final List<Column> columns;
    private final Optional<Partitioning> partitioning;
    private final boolean filterRequired;
    private final Instant created;
    private final long version;

    private Table(TableId id, ObjectNode resource, Instant created, long version) {
        this.id = id;
        this.resource = resource;
        this.created = created;
        this.version = version;
        this.columns = columns(resource.path("schema").path("fields"));
        this.partitioning = partitioning(resource.path("timePartitioning"), columns);
        this.filterRequired = resource.path("requirePartitionFilter")
                .asBoolean(resource.path("timePartitioning")
                        .path("requirePartitionFilter")
                        .asBoolean());
        checkClustering();
    }

    /**
     * From the body of {@code tables.insert}.
     *
     * @throws RestException if BigQuery, or the emulator, would not have such a table
     */
    static Table create(TableId id, JsonNode body, Instant now) {
        for (String unknown : List.of("rangePartitioning", "view", "materializedView", "externalDataConfiguration")) {
            if (body.has(unknown)) {
                throw RestException.invalid("The emulator has no tables with " + unknown);
            }
        }
        ObjectNode kept = Json.object();
        kept.set("schema", schemaOf(body));
        for (String name : KEPT) {
            if (body.hasNonNull(name)) {
                kept.set(name, body.get(name).deepCopy());
            }
        }
        return new Table(id, kept, now, 1);
    }

    /** As {@link #toStored} wrote it. */
    static Table stored(TableId id, String text) {
        JsonNode stored = Json.parse(text);
        return new Table(
                id,
                (ObjectNode) stored.get("resource"),
                Instant.ofEpochMilli(stored.get("created").asLong()),
                stored.get("version").asLong());
    }

    String toStored() {
        ObjectNode stored = Json.object();
        stored.put("created", created.toEpochMilli()).put("version", version).set("resource", resource);
        return stored.toString();
    }

    private static JsonNode schemaOf(JsonNode body) {
        ObjectNode schema = Json.object();
        ArrayNode fields = schema.putArray("fields");
        for (JsonNode field : body.path("schema").path("fields")) {
            Column column = column(field);
            ObjectNode kept = field.deepCopy();
            kept.put("type", column.type().restName()).put("mode", column.mode());
            fields.add(kept);
        }
        return schema;
    }

    /**
     * What {@code tables.patch} makes of it: columns added, labels and settings replaced, a label of null removed.
     *
     * @throws RestException if the change is none that BigQuery allows
     */
    Table patched(JsonNode patch) {
        ObjectNode changed = resource.deepCopy();
        if (patch.has("schema")) {
            changed.set("schema", schemaOf(patch));
        }
        for (String name : KEPT) {
            if (patch.has(name)) {
                merge(changed, name, patch.get(name));
            }
        }
        checkColumns(columns(changed.path("schema").path("fields")));
        Table result = new Table(id, changed, created, version + 1);
        checkPartitioning(result.partitioning);
        return result;
    }

    private static void merge(ObjectNode into, String name, JsonNode value) {
        if (value.isNull()) {
            into.remove(name);
        } else if (value.isObject() && into.path(name).isObject()) {
            ObjectNode nested = (ObjectNode) into.get(name);
            for (Iterator<Map.Entry<String, JsonNode>> members = value.fields(); members.hasNext(); ) {
                Map.Entry<String, JsonNode> member = members.next();
                merge(nested, member.getKey(), member.getValue());
            }
        } else if (value.isObject()) {
            into.putObject(name);
            merge(into, name, value);
        } else {
            into.set(name, value.deepCopy());
        }
    }

    private void checkColumns(List<Column> wanted) {
        String mismatch = "Provided Schema does not match Table " + id + ". ";
        for (int i = 0; i < columns.size(); i++) {
            Column present = columns.get(i);
            Column found = wanted.stream()
                    .filter(column -> column.name().equalsIgnoreCase(present.name()))
                    .findFirst()
                    .orElseThrow(() ->
                            RestException.invalid(mismatch + "Field " + present.name() + " is missing in new schema"));
            if (found.type() != present.type()) {
                throw RestException.invalid(mismatch + "Field " + present.name() + " has changed type from "
                        + present.type().restName() + " to " + found.type().restName());
            }
            if (found.required() && !present.required()) {
                throw RestException.invalid(mismatch + "Field " + present.name() + " has changed mode from "
                        + present.mode() + " to " + found.mode());
            }
            if (!wanted.get(i).equals(found)) {
                throw RestException.invalid("The emulator adds columns only behind those of Table " + id);
            }
        }
        for (Column added : wanted.subList(columns.size(), wanted.size())) {
            if (added.required()) {
                throw RestException.invalid(
                        mismatch + "Cannot add required fields to an existing schema. (field: " + added.name() + ")");
            }
        }
    }

    private void checkPartitioning(Optional<Partitioning> wanted) {
        boolean same = partitioning.isEmpty() && wanted.isEmpty()
                || partitioning.isPresent()
                        && wanted.isPresent()
                        && partitioning.get().unit() == wanted.get().unit()
                        && partitioning.get().column().equals(wanted.get().column());
        if (!same) {
            throw RestException.invalid("Cannot convert the partitioning of table " + id);
        }
    }

    private void checkClustering() {
        JsonNode fields = resource.path("clustering").path("fields");
        if (fields.size() > MAX_CLUSTERING) {
            throw RestException.invalid("A table is clustered by at most " + MAX_CLUSTERING + " columns");
        }
        for (JsonNode field : fields) {
            Column column = find(columns, field.asText());
            if (column.type() == ColumnType.JSON || column.type() == ColumnType.FLOAT64) {
                throw RestException.invalid(
                        "Field " + column.name() + " of type " + column.type() + " is not supported for clustering");
            }
        }
    }

    private static List<Column> columns(JsonNode fields) {
        List<Column> columns = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (JsonNode field : fields) {
            Column column = column(field);
            if (!names.add(column.name().toLowerCase(Locale.ROOT))) {
                throw RestException.invalid("Field " + column.name() + " already exists in schema");
            }
            columns.add(column);
        }
        if (columns.isEmpty()) {
            throw RestException.invalid("The emulator has no tables without columns");
        }
        return List.copyOf(columns);
    }

    private static Column column(JsonNode field) {
        String name = field.path("name").asText();
        if (!name.matches("[A-Za-z_][A-Za-z0-9_]{0,299}")) {
            throw RestException.invalid("Invalid field name \"" + name
                    + "\". Fields must contain only letters, numbers, and underscores, start with a letter or underscore,"
                    + " and be at most 300 characters long.");
        }
        String mode = field.path("mode").asText("NULLABLE").toUpperCase(Locale.ROOT);
        if (!mode.equals("NULLABLE") && !mode.equals("REQUIRED")) {
            throw RestException.invalid("The emulator has no columns of mode " + mode);
        }
        return new Column(name, ColumnType.named(field.path("type").asText()), mode.equals("REQUIRED"));
    }

    private static Optional<Partitioning> partitioning(JsonNode node, List<Column> columns) {
        if (!node.isObject()) {
            return Optional.empty();
        }
        Partitioning.Unit unit;
        try {
            unit = Partitioning.Unit.valueOf(node.path("type").asText());
        } catch (IllegalArgumentException e) {
            throw new RestException(400, "invalid", "Invalid time partitioning type " + node.path("type"));
        }
        if (!node.hasNonNull("field")) {
            throw RestException.invalid("The emulator has no tables partitioned by ingestion time");
        }
        Column column = find(columns, node.get("field").asText());
        boolean fits = column.type() == ColumnType.TIMESTAMP
                || column.type() == ColumnType.DATE && unit != Partitioning.Unit.HOUR;
        if (!fits) {
            throw RestException.invalid("The field specified for partitioning, " + column.name() + " of type "
                    + column.type() + ", cannot be partitioned by " + unit);
        }
        Optional<Duration> expiration = node.hasNonNull("expirationMs")
                ? Optional.of(Duration.ofMillis(node.get("expirationMs").asLong()))
                : Optional.empty();
        return Optional.of(new Partitioning(unit, column, expiration));
    }

    private static Column find(List<Column> columns, String name) {
        return columns.stream()
                .filter(column -> column.name().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> RestException.invalid("The field " + name + " is not in the schema"));
    }

    TableId id() {
        return id;
    }

    List<Column> columns() {
        return columns;
    }

    Optional<Partitioning> partitioning() {
        return partitioning;
    }

    /** Whether a query has to say which partitions it reads. */
    boolean isFilterRequired() {
        return filterRequired && partitioning.isPresent();
    }

    Instant created() {
        return created;
    }

    /** Counts up with each change. */
    long version() {
        return version;
    }

    String etag() {
        return "\"" + Integer.toHexString(Objects.hash(id, created)) + "-" + version + "\"";
    }

    /** As {@code tables.get} answers it. */
    ObjectNode toRest(long rows) {
        ObjectNode answer = Json.object();
        answer.put("kind", "bigquery#table").put("etag", etag()).put("id", id.toString());
        answer.putObject("tableReference")
                .put("projectId", id.project())
                .put("datasetId", id.dataset())
                .put("tableId", id.table());
        answer.setAll(resource.deepCopy());
        answer.put("type", "TABLE").put("location", "US");
        answer.put("creationTime", Long.toString(created.toEpochMilli()));
        answer.put("lastModifiedTime", Long.toString(created.toEpochMilli() + version));
        answer.put("numRows", Long.toString(rows)).put("numBytes", "0");
        return answer;
    }

    /** As the Storage Write API tells it. */
    TableSchema toProto() {
        TableSchema.Builder schema = TableSchema.newBuilder();
        for (Column column : columns) {
            schema.addFields(TableFieldSchema.newBuilder()
                    .setName(column.name())
                    .setType(column.type().protoName())
                    .setMode(column.required() ? TableFieldSchema.Mode.REQUIRED : TableFieldSchema.Mode.NULLABLE));
        }
        return schema.build();
    }
}
