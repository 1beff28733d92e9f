/**
 * What the programs' options have in common: the name that was probably meant, files of options, variables that nobody
 * set on purpose.
 *
 * <p>Enters: texts as somebody typed them. Leaves: names and values, and sentences about what is wrong. Which options
 * there are is said by the job's {@code config} and by the {@code api}; neither knows the other, and the API has no
 * Flink.
 *
 * <p>May import: the JDK alone.
 */
@NullMarked
package dev.engagement.options;

import org.jspecify.annotations.NullMarked;
