/**
 * The live view in Redis: its keys, its values and how a newer value replaces an older one. Free of Flink, so that
 * readers of the live view can use it; the Flink sink is in {@code liveview.sink}.
 *
 * <p>Enters: {@code EnrichedEvent}, {@code ContentChange}, counts. Leaves: versioned absolute writes. May import:
 * {@code event}, {@code deadletter}, {@code connection}, {@code writeback}'s values.
 */
@NullMarked
package dev.engagement.liveview;

import org.jspecify.annotations.NullMarked;
