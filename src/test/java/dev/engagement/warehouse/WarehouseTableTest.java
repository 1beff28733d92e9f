package dev.engagement.warehouse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.rowstore.RowStoreRefusedException;
import dev.engagement.warehouse.TableApi.Table.Field;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.apache.flink.configuration.MemorySize;
import org.junit.jupiter.api.Test;

class WarehouseTableTest {

    static final WarehouseOptions OPTIONS = new WarehouseOptions(
            "p",
            "analytics",
            "events",
            WarehouseOptions.Endpoints.GOOGLE,
            null,
            new WarehouseOptions.Layout(WarehouseOptions.Partition.DAY, null, false),
            MemorySize.ofMebiBytes(16),
            MemorySize.ofMebiBytes(1),
            Duration.ofSeconds(1),
            Duration.ofMinutes(10),
            false,
            false,
            WarehouseOptions.JsonNumbers.EXACT);

    @Test
    void the_table_that_the_job_makes_fits() {
        assertThat(missing(fields(field -> field), false)).isEmpty();
    }

    @Test
    void bigquerys_other_names_of_types_and_letters_fit() {
        assertThat(missing(
                        fields(field -> new Field(
                                field.name().toUpperCase(Locale.ROOT),
                                field.type().equals("INTEGER") ? "INT64" : field.type(),
                                "NULLABLE")),
                        false))
                .isEmpty();
    }

    @Test
    void what_does_not_fit_is_named_with_both_types() {
        assertThatThrownBy(() -> missing(
                        fields(field -> field.name().equals("duration_ms")
                                ? new Field("duration_ms", "FLOAT", "NULLABLE")
                                : field.name().equals("device")
                                        ? new Field("device", "STRING", "REPEATED")
                                        : field.name().equals("title")
                                                ? new Field("title", "STRING", "REQUIRED")
                                                : field),
                        true))
                .isInstanceOf(RowStoreRefusedException.class)
                .hasMessageContaining("duration_ms is wanted as INT64 and found as FLOAT")
                .hasMessageContaining("device is wanted as one STRING and found as REPEATED")
                .hasMessageContaining("title is wanted as NULLABLE and found as REQUIRED");
    }

    @Test
    void what_the_table_demands_in_addition_is_refused() {
        List<Field> fields = new ArrayList<>(fields(field -> field));
        fields.add(new Field("note", "STRING", "NULLABLE"));
        assertThat(missing(fields, false)).isEmpty();
        fields.add(new Field("tenant", "STRING", "REQUIRED"));

        assertThatThrownBy(() -> missing(fields, true)).hasMessageContaining("tenant is REQUIRED in the table");
    }

    @Test
    void missing_columns_are_added_only_if_that_is_wanted() {
        List<Field> fields = new ArrayList<>(fields(field -> field));
        fields.removeIf(field -> field.name().equals("device"));

        assertThatThrownBy(() -> missing(fields, false))
                .hasMessageContaining("device STRING")
                .hasMessageContaining("--warehouse.add-columns");
        assertThat(missing(fields, true)).extracting(Columns.Column::name).containsExactly("device");
        fields.removeIf(field -> field.name().equals("event_id"));
        assertThatThrownBy(() -> missing(fields, true)).hasMessageContaining("event_id is missing");
    }

    private static List<Field> fields(UnaryOperator<Field> change) {
        return Columns.ALL.stream()
                .map(column -> change.apply(
                        new Field(column.name(), column.type().inRest(), column.required() ? "REQUIRED" : "NULLABLE")))
                .toList();
    }

    private static List<Columns.Column> missing(List<Field> fields, boolean addColumns) {
        WarehouseOptions o = OPTIONS;
        WarehouseOptions options = new WarehouseOptions(
                o.project(),
                o.dataset(),
                o.table(),
                o.endpoints(),
                null,
                o.layout(),
                o.maxInFlight(),
                o.flushSize(),
                o.flushInterval(),
                o.commitTimeout(),
                false,
                addColumns,
                WarehouseOptions.JsonNumbers.EXACT);
        return WarehouseTable.missing(new TableApi.Table("e", fields, "{}", Map.of()), options);
    }
}
