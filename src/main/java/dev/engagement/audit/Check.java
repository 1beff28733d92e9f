package dev.engagement.audit;

import java.io.IOException;

/**
 * One destination against the source. Rows do not say when they were committed, so what differs is looked at twice, the
 * settling margin apart: only what the source had at the first look and the destination has not at the second is missing.
 */
interface Check {

    /** The first look; whether anything differs. */
    boolean differs() throws IOException;

    /** The second look at what differed; ids that want an explanation. */
    IdSet lookAgain() throws IOException;

    /** Of those ids the ones that neither letters nor retries explain. */
    IdSet unexplained(EventLog.Letters letters, EventLog.Retries retries);

    /** What was found, in the light of what Kafka says. */
    AuditReport.Destination report(Evidence evidence) throws IOException;
}
