/**
 * Options from the command line, the environment, a file and defaults, as the rooms' own option records.
 *
 * <p>Enters: arguments, environment variables, a file. Leaves: {@link dev.engagement.config.Settings}, complete and
 * checked, or one {@link dev.engagement.config.ConfigurationException} with all that is wrong. Every option is declared
 * in {@link dev.engagement.config.Keys} and nowhere else. No secret's value is kept, only where it is.
 *
 * <p>May import: the rooms' option records, {@code connection}, {@code options}, {@code rollup.definition}, and Flink's
 * configuration classes. No room imports it.
 */
@NullMarked
package dev.engagement.config;

import org.jspecify.annotations.NullMarked;
