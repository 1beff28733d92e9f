/**
 * The drawing as code. May import: every room but {@code config}, {@code capture} and {@code local}.
 */
@NullMarked
package dev.engagement.pipeline;

import org.jspecify.annotations.NullMarked;
