package dev.engagement.deadletter;

import java.io.Serializable;

/**
 * Where dead letters go.
 *
 * @param topic Kafka topic
 * @param build version of this build, written into each letter
 */
public record DeadLetterOptions(String topic, String build) implements Serializable {

    private static final long serialVersionUID = 1L;
}
