/**
 * Aggregates of events by key and window of event time, with history: counts, exact sums, unique users.
 *
 * <p>Events that occur once come in, on the subtask of their id's shard; {@link dev.engagement.event.RollupRow}s leave, each
 * the absolute value of one cell (a rollup, a key, a window). Partial aggregates cross the network, a subtask keeps the
 * panes of its cells, and merges those of a window when event time has passed its end. What an event costs depends on
 * neither the window nor the slide.
 *
 * <p>Beside it, and free of Flink: the same cells by SQL over the source tables ({@link dev.engagement.rollup.RollupSql}),
 * compared with the rows that there are, for the commands that prove and mend.
 *
 * <p>May import: {@code connection}, {@code event}, {@code event.types}, {@code rollup.definition}, Flink.
 */
@NullMarked
package dev.engagement.rollup;

import org.jspecify.annotations.NullMarked;
