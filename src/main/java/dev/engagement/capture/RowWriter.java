package dev.engagement.capture;

import java.io.IOException;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Struct;

/** How a row becomes bytes for Kafka. For one thread. */
interface RowWriter {

    /** The primary key of a row. */
    byte[] key(CapturedTable table, Struct key) throws IOException;

    /** Debezium's envelope of a row. */
    byte[] value(CapturedTable table, Struct envelope) throws IOException;
}
