/**
 * Flink serializers of the types of {@code event}: compact, without reflection, and each value begins with a format
 * version, so that a newer build reads what an older one wrote.
 *
 * <p>May import: {@code event} and Flink's type and memory classes.
 */
@NullMarked
package dev.engagement.event.types;

import org.jspecify.annotations.NullMarked;
