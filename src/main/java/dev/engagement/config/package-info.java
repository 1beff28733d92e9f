/**
 * Options from the command line, the environment, a file and defaults, as the rooms' own option records.
 *
 * <p>May import: the rooms' option records and {@code connection}. No room imports it.
 */
@NullMarked
package dev.engagement.config;

import org.jspecify.annotations.NullMarked;
