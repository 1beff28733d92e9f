/**
 * What a rollup is: the key it counts by, its windows, its measures, its table; how that is written as options, and the
 * rollups that are shipped.
 *
 * <p>Enters: texts of options. Leaves: {@link dev.engagement.rollup.definition.RollupDefinition}s, complete and checked, or
 * one {@link dev.engagement.rollup.definition.RefusedRollupsException} with all that is wrong. Free of Flink, so that
 * readers of the rollups can use it.
 *
 * <p>May import: nothing but the JDK and jspecify's annotations.
 */
@NullMarked
package dev.engagement.rollup.definition;

import org.jspecify.annotations.NullMarked;
