package dev.engagement.warehouse;

import java.io.Serializable;

/** How a task comes by a connection of its own. */
@FunctionalInterface
interface Connector<T> extends Serializable {

    /** A connection for the table of {@code options}. */
    T connect(WarehouseOptions options);
}
