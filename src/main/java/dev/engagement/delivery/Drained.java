package dev.engagement.delivery;

import dev.engagement.deadletter.DeadLetter;

/** What comes out of the drain. */
sealed interface Drained {

    /** To the tail of the retry topic. */
    record HandedBack(Delivery delivery) implements Drained {}

    /** The receiver has it. */
    record Taken(Receipt receipt) implements Drained {}

    /** Given up, or unreadable. */
    record Given(DeadLetter letter) implements Drained {}
}
