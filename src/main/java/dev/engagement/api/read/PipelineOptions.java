package dev.engagement.api.read;

import java.net.URI;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where else the pipeline tells of itself, beside its stores.
 *
 * @param flinkRest Flink's REST API, {@code http://host:port}; null: dead letters and the receiver's circuit are not
 *     known
 * @param auditReport the file that {@code audit --json} is written to; null: nothing is known of audits
 */
public record PipelineOptions(
        @Nullable URI flinkRest, @Nullable Path auditReport) {

    /** Nowhere. */
    public static final PipelineOptions NONE = new PipelineOptions(null, null);
}
