package dev.engagement.warehouse;

import dev.engagement.rowstore.RowApi;
import dev.engagement.rowstore.RowEncoder;
import com.google.protobuf.ByteString;
import dev.engagement.event.EnrichedEvent;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Rows that are in the warehouse as the job writes them, for tests of who reads them. */
public final class WrittenRows {

    private WrittenRows() {}

    /** Makes the table if there is none, and shows the events' rows. */
    public static void write(WarehouseOptions options, List<EnrichedEvent> events) throws Exception {
        Warehouse.prepare(options);
        RowEncoder encoder = new RowEncoder();
        List<ByteString> rows = events.stream().map(encoder::encode).toList();
        try (RowApi writes = new GoogleWriteApi(options)) {
            RowApi.Appender appender = writes.open(null).get(5, TimeUnit.MINUTES);
            appender.append(rows, 0).get(5, TimeUnit.MINUTES);
            writes.flush(appender.stream(), rows.size() - 1).get(5, TimeUnit.MINUTES);
            appender.abandon();
        }
    }
}
