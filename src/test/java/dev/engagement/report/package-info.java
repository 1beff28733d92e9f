/**
 * What is printed after the tests of a build. Enters: the reports that surefire and failsafe wrote. Leaves: text. Test code
 * only. May import: nothing of ours.
 *
 * <p>{@code report.testing} is how a test says that it is skipped for want of a program, so that this can be told again.
 */
@NullMarked
package dev.engagement.report;

import org.jspecify.annotations.NullMarked;
