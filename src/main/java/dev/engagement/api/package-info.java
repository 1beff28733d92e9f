/**
 * What the job computes, for browsers and programs: REST, GraphQL, a WebSocket and server-sent events, a page, and one
 * way to send events. A program of its own, with its own main and jar.
 *
 * <p>Enters: options; requests. Leaves: answers out of Redis and PostgreSQL, each with the time it is of; events
 * committed to PostgreSQL. {@link dev.engagement.api.EngagementApi} starts it, {@link dev.engagement.api.ApiServer}
 * puts its parts together: {@code definition} says what there is to ask, {@code read} and {@code live} answer, {@code
 * track} writes, {@code web} stands before all of them.
 *
 * <p>May import: {@code event}, {@code connection}, {@code options}, {@code liveview} (keys), {@code
 * rollup.definition}. Free of Flink, and nothing of the job knows it.
 */
@NullMarked
package dev.engagement.api;

import org.jspecify.annotations.NullMarked;
