/**
 * Answers of the API: what Redis shows, what PostgreSQL keeps and, if asked for, what the warehouse has, never computed
 * a second time.
 *
 * <p>Enters: validated parameters of an operation. Leaves: an {@link dev.engagement.api.read.Answer}, or one of two
 * exceptions: there is no such thing, or a store is away. Every value equals the one in the live view or in the
 * rollup's table; what is not known is null.
 *
 * <p>May import: {@code api.definition}, {@code event}, {@code connection}, {@code liveview} (keys), {@code
 * rollup.definition}. Free of Flink.
 */
@NullMarked
package dev.engagement.api.read;

import org.jspecify.annotations.NullMarked;
