/**
 * The fault harness: servers, a session cluster and both jobs as processes that it owns and breaks, under load, and every
 * destination compared with SQL afterwards. Test code only. May import: the local stack and the job.
 *
 * <p>{@link dev.engagement.faults.Installation} is what is broken, {@link dev.engagement.faults.Faults} the ways to break
 * it, {@link dev.engagement.faults.FaultRun} strikes, measures and compares. What only the live view is asked, in
 * {@code LiveViewFaultsIT}, needs no processes of Flink: there the jobs run in the test's own.
 */
@NullMarked
package dev.engagement.faults;

import org.jspecify.annotations.NullMarked;
