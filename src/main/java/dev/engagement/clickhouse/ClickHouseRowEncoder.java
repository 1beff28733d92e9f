package dev.engagement.clickhouse;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Timestamps;
import dev.engagement.rowstore.RowEncoder;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Rows in {@link RowBinary}. */
final class ClickHouseRowEncoder implements RowEncoder {

    private final List<ClickHouseColumns.Column> columns;
    private final boolean takesObjectsOnly;
    private final RowBinary row = new RowBinary();

    ClickHouseRowEncoder(ClickHouseOptions options) {
        this.columns = ClickHouseColumns.of(options);
        this.takesObjectsOnly = options.layout().payload() == ClickHouseOptions.Payload.JSON;
    }

    @Override
    public byte @Nullable [] encode(EnrichedEvent event, Notes notes) {
        String problem = problem(event);
        if (problem != null) {
            notes.refused(problem);
            return null;
        }
        row.clear();
        for (ClickHouseColumns.Column column : columns) {
            column.value().write(event, row);
        }
        return row.toBytes();
    }

    private @Nullable String problem(EnrichedEvent event) {
        if (isOutside(event.event().eventTsMicros())) {
            return outside("event_ts", event.event().eventTsMicros());
        }
        Long published = event.content().publishTsMicros();
        if (published != null && isOutside(published)) {
            return outside("publish_ts", published);
        }
        String payload = event.event().rawPayload();
        if (takesObjectsOnly && payload != null && !payload.stripLeading().startsWith("{")) {
            return "raw_payload is no JSON object, and with clickhouse.payload = json ClickHouse takes only objects;"
                    + " clickhouse.payload = string takes any";
        }
        return null;
    }

    private static boolean isOutside(long micros) {
        return micros < ClickHouseColumns.MIN_MICROS || micros > ClickHouseColumns.MAX_MICROS;
    }

    private static String outside(String column, long micros) {
        return column + " is " + Timestamps.format(micros) + "; ClickHouse's DateTime64 holds years 1900 to 2299";
    }
}
