/**
 * BigQuery of the local stack: the part of the Storage Write API, of REST and of GoogleSQL that the warehouse and its
 * readers use, over real gRPC and HTTP, with the rows in DuckDB. Strict where BigQuery is strict, and scriptable: {@link
 * dev.engagement.local.bigquery.Faults}. What it does not know it refuses by name. Part of {@code local}: never in the
 * job jar.
 */
@NullMarked
package dev.engagement.local.bigquery;

import org.jspecify.annotations.NullMarked;
