/**
 * The client of a schema registry, for the rooms that read its schemas and the one that writes by them.
 *
 * <p>Enters: ids and schemas. Leaves: schemas and ids, or that the registry did not answer. May import: {@code connection}.
 */
@NullMarked
package dev.engagement.connection.registry;

import org.jspecify.annotations.NullMarked;
