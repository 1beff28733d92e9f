package dev.engagement.local;

import java.sql.SQLException;
import java.util.List;

/**
 * The first events of the load, each written when the one before has reached every destination. Two: the first may have
 * come by capture's snapshot, the second only by its changes.
 */
final class FirstEvents {

    private static final int EVENTS = 2;

    private final LoadGenerator load;
    private final List<DestinationCheck> destinations;

    FirstEvents(LoadGenerator load, List<DestinationCheck> destinations) {
        this.load = load;
        this.destinations = destinations;
    }

    /** Looks once, and writes the next event if it is time for it. */
    boolean haveComeThrough() throws SQLException, InterruptedException {
        for (DestinationCheck destination : destinations) {
            if (arrived(destination) < load.created()) {
                return false;
            }
        }
        if (load.created() == Math.min(EVENTS, load.events())) {
            return true;
        }
        load.writeOne();
        return false;
    }

    private static long arrived(DestinationCheck destination) throws InterruptedException {
        try {
            return destination.arrived();
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception notYet) {
            // Its table may not be there yet; and of a server that is away the screen tells.
            return -1;
        }
    }
}
