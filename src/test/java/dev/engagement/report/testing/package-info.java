/** Programs of this machine that tests of any room may need. */
@NullMarked
package dev.engagement.report.testing;

import org.jspecify.annotations.NullMarked;
