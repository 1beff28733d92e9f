/**
 * What Flink's own source of Kafka leaves to its user, for every room that reads a topic: that partitions are looked for
 * while the job runs without a look that fails ending it, and that a topic made anew is told from the one that was read.
 *
 * <p>May import: {@code connection}, Flink's source interfaces and Kafka's client.
 */
@NullMarked
package dev.engagement.connection.topics;

import org.jspecify.annotations.NullMarked;
