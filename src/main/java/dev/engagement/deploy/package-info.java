/**
 * A job replaced by its next version without losing what it knows.
 *
 * <p>Enters: the jar to be run, its options, the cluster's REST API, and what savepoints and retained checkpoints hold.
 * Leaves: a {@link dev.engagement.deploy.RestorePlan}, which says of each operator's state what would become of it before
 * anything is stopped, and a job that runs, from that state or on the old jar again.
 *
 * <p>May import: {@code config}, {@code connection}, and the job, of which it builds the graph. Nothing imports
 * it; it runs on the client, from the job jar.
 */
@NullMarked
package dev.engagement.deploy;

import org.jspecify.annotations.NullMarked;
