package dev.engagement;

import dev.engagement.capture.CaptureJob;
import dev.engagement.capture.CaptureOptions;
import dev.engagement.capture.CapturePreflight;
import dev.engagement.config.Settings;
import dev.engagement.connection.TopicReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** {@code capture}: PostgreSQL into Kafka. */
final class CaptureCommand implements JobCommand {

    @Override
    public void ready(Settings settings) {
        CommandTopics.ensure(settings, CommandTopics.with(settings));
        CapturePreflight.check(settings.captureOptions());
    }

    /** A snapshot publishes every row once more, and of texts the stream's dedupe knows those of its horizon only. */
    @Override
    public void readyAnew(Settings settings) {
        CaptureOptions options = settings.captureOptions();
        if (!settings.areIdsTexts() || options.start() != CaptureOptions.Start.INITIAL) {
            return;
        }
        try (TopicReader reader = TopicReader.open(settings.kafka())) {
            boolean hasEvents =
                    reader.ends(options.eventsTopic()).values().stream().anyMatch(end -> end > 0);
            if (hasEvents) {
                throw new IllegalStateException("The topic " + options.eventsTopic() + " has events already, and"
                        + " capture.start is initial: its snapshot would publish every row once more. With"
                        + " ingest.event-id=text the stream knows an id for dedupe.horizon only, and what it has forgotten"
                        + " would be counted and delivered again. Start with --capture.start latest and fill the gap by"
                        + " backfill, which asks the warehouse; or, to begin everything anew, delete the topic first");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    @Override
    public void draw(Settings settings, StreamExecutionEnvironment env) {
        PipelineParts.deadLetters(settings).keep(CaptureJob.wire(env, settings.captureOptions(), settings.kafka()));
    }
}
