package dev.engagement;

import dev.engagement.capture.CaptureJob;
import dev.engagement.capture.CapturePreflight;
import dev.engagement.config.Settings;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** {@code capture}: PostgreSQL into Kafka. */
final class CaptureCommand implements JobCommand {

    @Override
    public void ready(Settings settings) {
        CommandTopics.ensure(settings, CommandTopics.with(settings));
        CapturePreflight.check(settings.captureOptions());
    }

    @Override
    public void draw(Settings settings, StreamExecutionEnvironment env) {
        PipelineParts.deadLetters(settings).keep(CaptureJob.wire(env, settings.captureOptions(), settings.kafka()));
    }
}
