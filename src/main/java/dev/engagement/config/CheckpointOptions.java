package dev.engagement.config;

import java.time.Duration;

/**
 * What the user said about checkpoints. What is only a default gives way to Flink's own configuration.
 *
 * @param interval time between the starts of two checkpoints
 * @param intervalGiven whether the user gave it; else it is our default
 * @param timeout when a checkpoint that has not completed is given up
 * @param timeoutGiven whether the user gave it; else it is our default
 */
public record CheckpointOptions(Duration interval, boolean intervalGiven, Duration timeout, boolean timeoutGiven) {}
