/**
 * What an engagement event, a content and an enriched event are: their fields, the one enrichment arithmetic, their JSON
 * and their binary form.
 *
 * <p>Every other room speaks in these types. Enters: nothing. Leaves: values. May import: the JDK and Jackson; the Flink
 * serializers over these types are in {@link dev.engagement.event.types}.
 */
@NullMarked
package dev.engagement.event;

import org.jspecify.annotations.NullMarked;
