package dev.engagement.local;

import java.sql.SQLException;
import java.util.List;

/**
 * The first events of the load, until they have reached every destination. Two, the second written when the first is in
 * Redis: the first may have come by capture's snapshot, the second only by its changes.
 */
final class FirstEvents {

    private static final int EVENTS = 2;

    private final LoadGenerator load;
    private final DestinationCheck soonest;
    private final List<DestinationCheck> destinations;

    /** @param destinations the one that an event reaches soonest first */
    FirstEvents(LoadGenerator load, List<DestinationCheck> destinations) {
        this.load = load;
        this.soonest = destinations.get(0);
        this.destinations = destinations;
    }

    /** Looks once, and writes the next event if it is time for it. */
    boolean haveComeThrough() throws SQLException, InterruptedException {
        if (load.created() < Math.min(EVENTS, load.events())) {
            if (arrived(soonest) >= load.created()) {
                load.writeOne();
            }
            return false;
        }
        for (DestinationCheck destination : destinations) {
            if (arrived(destination) < load.created()) {
                return false;
            }
        }
        return true;
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
