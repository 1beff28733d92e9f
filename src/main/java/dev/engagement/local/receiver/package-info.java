/**
 * The webhook receiver of the local stack: what a system that delivery posts to should be (it records durably before it
 * answers, by {@code webhook-id}), and, told so, what such systems are at their worst. In: posts. Out: answers, and what
 * arrived, for the self-check and the tests. Shares no code with delivery. Part of {@code local}: never in the job jar.
 */
@NullMarked
package dev.engagement.local.receiver;

import org.jspecify.annotations.NullMarked;
