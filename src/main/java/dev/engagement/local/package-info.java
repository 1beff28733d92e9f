/**
 * The local stack: real servers from Maven artifacts, a load generator, the screen and the self-check. Never in the job
 * jar; nothing imports it. May import: anything.
 */
@NullMarked
package dev.engagement.local;

import org.jspecify.annotations.NullMarked;
