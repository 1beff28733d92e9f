/**
 * The leaderboards: exact top-N contents over a sliding window of event time.
 *
 * <p>Events that occur once come in, on the subtask of their id's shard; {@link dev.engagement.event.Standings} leave, one
 * for each slide end. Partial sums by content and second cross the network, a subtask keeps the running sums of its
 * contents over the window, and one task merges what each found best. What an event costs depends on neither the window
 * nor the slide.
 *
 * <p>May import: {@code connection}, {@code event}, {@code event.types}, {@code deadletter}, Flink.
 */
@NullMarked
package dev.engagement.ranking;

import org.jspecify.annotations.NullMarked;
