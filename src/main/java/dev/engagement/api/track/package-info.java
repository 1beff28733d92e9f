/**
 * Events from producers, into the source table.
 *
 * <p>Enters: bodies of {@code POST /track}. Leaves: rows of {@code engagement_events}, and their ids once they are
 * committed. A request is one event, an array or NDJSON; it is written whole or not at all, in one transaction with
 * those that came at the same time.
 *
 * <p>What a repetition means, wherever the first one ended:
 *
 * <table>
 * <caption>A request that is sent again</caption>
 * <tr><th>the first one</th><th>with {@code Idempotency-Key} or {@code event_key}</th><th>without</th></tr>
 * <tr><td>was refused, or never reached the transaction</td><td>is written</td><td>is written</td></tr>
 * <tr><td>was under way, in this process or another one</td><td>waits for it; is answered with its ids, or written if
 *   it was rolled back</td><td>is written twice</td></tr>
 * <tr><td>was committed, and its answer was lost</td><td>is answered with its ids</td><td>is written twice</td></tr>
 * <tr><td>was committed longer ago than {@code track.keys-kept-for}</td><td>is written twice</td><td>is written
 * twice</td></tr>
 * </table>
 *
 * <p>The keys lie in {@code engagement_track_keys} and are written in the transaction of the events, so neither can be
 * there without the other. All transactions write their keys in one order, so none waits for one that waits for it. A
 * process that dies in a transaction leaves nothing, and PostgreSQL ends one whose client says nothing any more. Where
 * the answer to a commit is lost, PostgreSQL is asked what became of it, for as long as an answer may take: whether the
 * keys are there, and not what its number's state is, as after a crash another transaction may have that number. Only if
 * it cannot be asked is a client without a key left not knowing.
 *
 * <p>The role needs INSERT on the events, USAGE on the sequence of their ids, SELECT on the contents, and SELECT,
 * INSERT, UPDATE (to remove old ones past those that are locked) and DELETE on {@code engagement_track_keys}, or the
 * right to create it.
 *
 * <p>May import: {@code api.definition}, {@code api.read} (its exception), {@code event}, {@code connection}. Free of
 * Flink.
 */
@NullMarked
package dev.engagement.api.track;

import org.jspecify.annotations.NullMarked;
