package dev.engagement.audit;

import dev.engagement.deadletter.Reason;
import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;

/** What Kafka says of events. Each topic is read to the end that it has when it is asked, and no further. */
interface EventLog {

    /**
     * Which of the ids are dead letters.
     *
     * @throws IOException if Kafka does not answer
     */
    Letters letters(IdSet ids) throws IOException;

    /**
     * Which of the ids were captured.
     *
     * @param range when the events happened, to know where in the topic to begin
     * @throws IOException if Kafka does not answer
     */
    Captured captured(IdSet ids, Range range) throws IOException;

    /**
     * The receipts since a range began, but for clocks that are ahead; a later call goes on where the last one ended. An id
     * may come again, and the last time counts.
     *
     * @throws IOException if Kafka does not answer, or there is no such topic
     */
    void receipts(Range range, Receipts each) throws IOException;

    /**
     * The receipts before those, from the first on: as many as the installation is old.
     *
     * @throws IOException if Kafka does not answer, or there is no such topic
     */
    void earlierReceipts(Receipts each) throws IOException;

    /** Takes receipts. */
    @FunctionalInterface
    interface Receipts {
        /** @param isThere false if it was taken back, by a tombstone */
        void take(long eventId, boolean isThere);
    }

    /**
     * Which of the ids are on delivery's way aside.
     *
     * @throws IOException if Kafka does not answer
     */
    Retries retries(IdSet ids) throws IOException;

    /** Ids by the reason of their letters. */
    record Letters(Map<Reason, IdSet> ids) {

        static Letters none() {
            return new Letters(new EnumMap<>(Reason.class));
        }

        void add(Reason reason, long id) {
            ids.computeIfAbsent(reason, any -> new IdSet()).add(id);
        }

        /** Those of one of the reasons. */
        boolean has(Set<Reason> reasons, long id) {
            return reasons.stream().anyMatch(reason -> {
                IdSet those = ids.get(reason);
                return those != null && those.contains(id);
            });
        }
    }

    /**
     * What the events topic says.
     *
     * @param seen ids that it has a record of
     * @param snapshotOnly those of them that it has as rows of a snapshot ({@code op} r) and not as inserted
     * @param reachesBackTo microseconds since the epoch: of a row captured after that it has the record
     */
    record Captured(IdSet seen, IdSet snapshotOnly, long reachesBackTo) {

        /** Whether it would have a record of an event of that time. */
        boolean wouldKnow(long eventTsMicros) {
            return eventTsMicros >= reachesBackTo;
        }
    }

    /**
     * What the topic of diverted deliveries says.
     *
     * @param waiting ids that nobody has read yet
     * @param held ids that were read so lately that an answer may still come
     */
    record Retries(IdSet waiting, IdSet held) {}
}
