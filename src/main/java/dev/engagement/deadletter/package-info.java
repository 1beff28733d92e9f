/**
 * What cannot be processed, kept with everything needed to understand it and to put it back.
 *
 * <p>Enters: records that a stage refused. Leaves: one JSON letter each in the dead-letter topic. May import:
 * {@code event}, {@code connection}.
 */
@NullMarked
package dev.engagement.deadletter;

import org.jspecify.annotations.NullMarked;
