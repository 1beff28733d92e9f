/**
 * Changes as they happen: one subscription of Redis, one look a second at the leaderboards, and as many clients as
 * come.
 *
 * <p>Enters: messages of the channel {@code metrics_updates}, the windows that Redis shows, leaderboards by {@code
 * api.read}. Leaves: {@link dev.engagement.api.live.LiveMessage}s into {@link dev.engagement.api.live.LiveSink}s. A
 * client costs no thread, and what waits for it has a bound: of each subject the newest. Its user in Redis needs
 * {@code +subscribe +ping +zrange}, the keys {@code metric:*} for reading and the channel {@code metrics_updates}, each
 * with the prefix.
 *
 * <p>May import: {@code api.definition}, {@code api.read}, {@code event}, {@code connection}, {@code liveview} (keys).
 * Free of Flink.
 */
@NullMarked
package dev.engagement.api.live;

import org.jspecify.annotations.NullMarked;
