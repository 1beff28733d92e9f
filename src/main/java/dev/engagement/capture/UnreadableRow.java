package dev.engagement.capture;

import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Field;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Struct;

/** A row of which a column in use could not be read; what could be read is there. */
final class UnreadableRow extends Struct {

    private final String problem;

    /**
     * Makes one.
     *
     * @param problem which column, and what is wrong with it, as the end of a sentence about the row
     */
    UnreadableRow(Struct read, String problem) {
        super(read.schema());
        for (Field field : read.schema().fields()) {
            put(field, read.get(field));
        }
        this.problem = problem;
    }

    String problem() {
        return problem;
    }
}
