package dev.engagement.delivery;

import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.Position;
import java.util.List;

/** The dead letters of delivery. */
final class DeliveryLetters {

    /** Stage name of what cannot be delivered: the same on both paths, so that the same failure has the same id. */
    static final String DELIVER = "deliver";

    /** Stage name of what cannot be read in the retry topic. */
    static final String DRAIN = "drain";

    private DeliveryLetters() {}

    /**
     * The letter of a delivery that is given up; its error also says why an attempt before had no answer. Its source is the event's place in the events topic; where that is not
     * known, partition -1 with the event's id, or its hash, in the place of the offset, so that letters of different events differ.
     */
    static DeadLetter undeliverable(Delivery delivery, String why, String eventsTopic, long nowMillis) {
        Position source = delivery.source();
        Answer.Unanswered unanswered = delivery.unanswered();
        DeadLetter.Source from = source.partition() < 0
                ? new DeadLetter.Source(eventsTopic, -1, delivery.eventId().number(), source.timestampMillis())
                : new DeadLetter.Source(eventsTopic, source.partition(), source.offset(), source.timestampMillis());
        return new DeadLetter(
                DeadLetter.idOf(from, DELIVER, Reason.UNDELIVERABLE),
                Reason.UNDELIVERABLE,
                DELIVER,
                unanswered == null ? why : why + "; before, an attempt had no answer: " + unanswered,
                Math.max(1, delivery.attempts()),
                nowMillis,
                from,
                delivery.eventId(),
                delivery.body(),
                List.of());
    }
}
