package dev.engagement.api.read;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * What a read found.
 *
 * @param body the JSON of the answer, with {@code as_of}, {@code window} and {@code exact}; several answers may share
 *     it, so nobody changes it
 * @param maxAgeSeconds for how long nothing of it can change but by a repair; 0 if it may at once
 */
public record Answer(ObjectNode body, int maxAgeSeconds) {

    public Answer {
        if (maxAgeSeconds < 0) {
            throw new IllegalArgumentException("An answer's age is " + maxAgeSeconds + " s; it must not be negative");
        }
    }

    /** An answer that the next moment may change. */
    static Answer ofNow(ObjectNode body) {
        return new Answer(body, 0);
    }
}
