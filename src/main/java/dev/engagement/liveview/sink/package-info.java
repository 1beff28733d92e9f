/**
 * The Flink side of the live view: a Sink V2 over Jedis that writes in pipelines, to a single Redis or to a Redis Cluster.
 *
 * <p>May import: {@code liveview}, {@code writeback}, {@code event}, {@code deadletter}, {@code connection}, Flink, Jedis.
 */
@NullMarked
package dev.engagement.liveview.sink;

import org.jspecify.annotations.NullMarked;
