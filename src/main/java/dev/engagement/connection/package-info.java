/**
 * How the servers outside are reached: addresses, client properties, pauses between
 * attempts, and secrets that are read where they are used, so
 * that what travels in a job graph is a reference and never the value.
 *
 * <p>May import: the JDK and Kafka's client. Every room may import it.
 */
@NullMarked
package dev.engagement.connection;

import org.jspecify.annotations.NullMarked;
