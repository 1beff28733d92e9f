package dev.engagement.warehouse;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.rowstore.Appended;
import dev.engagement.rowstore.CheckpointLineage;
import dev.engagement.rowstore.RowApi;
import dev.engagement.rowstore.RowEncoder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/** Rows that are in the warehouse as the job writes them, for tests of who reads them. */
public final class WrittenRows {

    private WrittenRows() {}

    /** Makes the table if there is none, and shows the events' rows. */
    public static void write(WarehouseOptions options, List<EnrichedEvent> events) throws Exception {
        Warehouse.prepare(options);
        List<byte[]> rows = rows(events);
        try (RowApi writes = new GoogleWriteApi(options)) {
            RowApi.Appender appender = writes.open(null).get(5, TimeUnit.MINUTES);
            appender.append(rows, 0).get(5, TimeUnit.MINUTES);
            writes.show(new Appended(
                            appender.stream(),
                            rows.size() - 1L,
                            Appended.NO_DETAIL,
                            1,
                            new CheckpointLineage("test", List.of())))
                    .get(5, TimeUnit.MINUTES);
            appender.abandon();
        }
    }

    /** The events' rows, by one encoder as a writer has it. */
    static List<byte[]> rows(List<EnrichedEvent> events) {
        RowEncoder encoder = new ProtoRowEncoder(WarehouseOptions.JsonNumbers.ROUND);
        List<byte[]> rows = new ArrayList<>();
        for (EnrichedEvent event : events) {
            byte[] row = encoder.encode(event, new RowEncoder.Notes() {
                @Override
                public void refused(String why) {
                    throw new AssertionError(why);
                }

                @Override
                public void rounded() {}
            });
            rows.add(Objects.requireNonNull(row));
        }
        return rows;
    }
}
