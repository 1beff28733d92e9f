package dev.engagement.audit;

import dev.engagement.deadletter.Reason;
import java.util.EnumSet;
import java.util.Set;

/**
 * What Kafka says of the events that differ.
 *
 * @param letters dead letters
 * @param retries deliveries on their way aside
 * @param captured what was captured, of those that the other two do not explain
 */
record Evidence(EventLog.Letters letters, EventLog.Retries retries, EventLog.Captured captured) {

    /** Reasons for which an event reaches no destination at all. */
    static final Set<Reason> BEFORE_THE_DESTINATIONS =
            EnumSet.of(Reason.UNDECODABLE, Reason.INVALID, Reason.OVERSIZE, Reason.UNRESOLVED, Reason.CONFLICT);

    /** Where nothing differs. */
    static Evidence none() {
        return new Evidence(
                EventLog.Letters.none(),
                new EventLog.Retries(new IdSet(), new IdSet()),
                new EventLog.Captured(new IdSet(), new IdSet(), Long.MIN_VALUE));
    }

    /** These reasons and {@link #BEFORE_THE_DESTINATIONS}. */
    static Set<Reason> reasons(Reason own) {
        Set<Reason> reasons = EnumSet.copyOf(BEFORE_THE_DESTINATIONS);
        reasons.add(own);
        return reasons;
    }
}
