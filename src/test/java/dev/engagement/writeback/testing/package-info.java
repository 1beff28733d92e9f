/** Tasks, state and metrics by hand, for tests of what writes values back. */
@NullMarked
package dev.engagement.writeback.testing;

import org.jspecify.annotations.NullMarked;
