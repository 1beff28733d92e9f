/**
 * A ClickHouse server for the local stack and the tests: the real engine, which npm has as a library, behind the HTTP
 * interface as far as clients of it need.
 *
 * <p>Enters: HTTP requests. Leaves: what the engine answers. May import: the JDK, Jackson, JNA.
 */
@NullMarked
package dev.engagement.local.clickhouse;

import org.jspecify.annotations.NullMarked;
