package dev.engagement.api;

import dev.engagement.api.live.LiveOptions;
import dev.engagement.api.read.PipelineOptions;
import dev.engagement.api.read.ReadOptions;
import dev.engagement.api.read.WarehouseReadOptions;
import dev.engagement.api.track.TrackOptions;
import dev.engagement.api.web.TokenRefs;
import dev.engagement.api.web.WebOptions;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.rollup.definition.RefusedRollupsException;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The options of one start, complete and checked. Immutable; holds no secret, only where each is to be found.
 *
 * @param web where it listens, and whom it lets in
 * @param read where the answers are
 * @param live what clients are told
 * @param track where events go; null if nobody may send any
 */
public record ApiOptions(
        WebOptions web,
        ReadOptions read,
        LiveOptions live,
        @Nullable TrackOptions track) {

    /**
     * Reads and checks everything; starts and connects nothing.
     *
     * @param args {@code --KEY VALUE} and {@code --KEY=VALUE}
     * @param environment {@link System#getenv()}
     * @throws ApiOptionsException with all that is wrong
     */
    public static ApiOptions parse(String[] args, Map<String, String> environment) {
        List<String> problems = new ArrayList<>();
        ApiSettings settings = ApiSettings.read(args, environment, problems);
        Parts parts = new Parts(settings);
        // The records' own checks, of those whose options could be read at all.
        WebOptions web = checked(problems, parts::web);
        List<RollupDefinition> rollups = checked(problems, parts::rollups);
        ReadOptions read = rollups == null ? null : checked(problems, () -> parts.read(rollups));
        LiveOptions live = checked(problems, parts::live);
        TrackOptions track = checked(problems, parts::track);
        if (!problems.isEmpty() || web == null || read == null || live == null) {
            throw new ApiOptionsException(problems.stream().distinct().toList());
        }
        return new ApiOptions(web, read, live, track);
    }

    private static <T> @Nullable T checked(List<String> problems, Supplier<@Nullable T> part) {
        try {
            return part.get();
        } catch (ApiSettings.UnusableException e) {
            // Its message is among the problems already.
            return null;
        } catch (RefusedRollupsException e) {
            e.problems().forEach(problem -> problems.add(problem + "."));
            return null;
        } catch (IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            // The rooms know their options without the first part of their names.
            boolean isShort = message.startsWith("live.") || message.startsWith("track.");
            problems.add((isShort ? "api." : "") + message + ".");
            return null;
        }
    }

    /** The rooms' own records. */
    private record Parts(ApiSettings settings) {

        WebOptions web() {
            return new WebOptions(
                    settings.get(ApiKeys.ADDRESS),
                    settings.get(ApiKeys.PORT),
                    new TokenRefs(
                            settings.secret(ApiKeys.TOKEN),
                            settings.secret(ApiKeys.READ_TOKEN),
                            settings.secret(ApiKeys.WRITE_TOKEN),
                            settings.secret(ApiKeys.METRICS_TOKEN)),
                    settings.get(ApiKeys.ALLOWED_HOSTS),
                    settings.get(ApiKeys.ALLOWED_ORIGINS),
                    new WebOptions.Limits(
                            settings.get(ApiKeys.READ_RATE),
                            settings.get(ApiKeys.WRITE_RATE),
                            settings.get(ApiKeys.MAX_CONNECTIONS),
                            settings.get(ApiKeys.LIVE_MAX_CLIENTS),
                            settings.get(ApiKeys.THREADS),
                            settings.get(ApiKeys.MAX_HEADER_BYTES),
                            settings.get(ApiKeys.TRACK_MAX_BODY_BYTES),
                            settings.get(ApiKeys.BODY_TIMEOUT),
                            settings.get(ApiKeys.IDLE_TIMEOUT)));
        }

        List<RollupDefinition> rollups() {
            return RollupDefinitions.parse(settings.get(ApiKeys.ROLLUPS), settings.rollupProperties());
        }

        ReadOptions read(List<RollupDefinition> rollups) {
            return new ReadOptions(
                    redis(),
                    pipeline(),
                    source(),
                    settings.get(ApiKeys.POSTGRES_SCHEMA),
                    settings.get(ApiKeys.POSTGRES_EVENTS_TABLE),
                    settings.database(
                            ApiKeys.ROLLUP_POSTGRES_URL,
                            ApiKeys.ROLLUP_POSTGRES_USERNAME,
                            ApiKeys.ROLLUP_POSTGRES_PASSWORD),
                    warehouse(),
                    rollups,
                    settings.get(ApiKeys.REDIS_CONNECTIONS),
                    settings.get(ApiKeys.POSTGRES_CONNECTIONS),
                    settings.get(ApiKeys.STORE_TIMEOUT));
        }

        LiveOptions live() {
            return new LiveOptions(
                    redis(),
                    settings.get(ApiKeys.EVENT_TYPES),
                    settings.get(ApiKeys.LIVE_WINDOW_SIZES),
                    settings.get(ApiKeys.LIVE_ROLLUPS),
                    settings.get(ApiKeys.LIVE_MAX_CLIENTS),
                    settings.get(ApiKeys.LIVE_MAX_PENDING),
                    settings.get(ApiKeys.LIVE_RECENT_MESSAGES),
                    settings.get(ApiKeys.STORE_TIMEOUT));
        }

        @Nullable
        TrackOptions track() {
            PostgresConnection source = source();
            return source == null
                    ? null
                    : new TrackOptions(
                            source,
                            settings.get(ApiKeys.POSTGRES_SCHEMA),
                            settings.get(ApiKeys.POSTGRES_EVENTS_TABLE),
                            settings.get(ApiKeys.EVENT_TYPES),
                            settings.get(ApiKeys.TRACK_MAX_BODY_BYTES),
                            settings.get(ApiKeys.TRACK_MAX_EVENT_BYTES),
                            settings.get(ApiKeys.TRACK_MAX_EVENTS),
                            settings.get(ApiKeys.TRACK_CONNECTIONS),
                            settings.get(ApiKeys.TRACK_MAX_WAITING_EVENTS),
                            settings.get(ApiKeys.TRACK_MAX_GROUP_EVENTS),
                            settings.get(ApiKeys.TRACK_TIMEOUT),
                            settings.get(ApiKeys.TRACK_KEYS_KEPT_FOR),
                            settings.get(ApiKeys.TRACK_MAX_AHEAD));
        }

        private PipelineOptions pipeline() {
            String auditReport = settings.find(ApiKeys.AUDIT_REPORT);
            return new PipelineOptions(
                    settings.find(ApiKeys.FLINK_REST), auditReport == null ? null : Path.of(auditReport));
        }

        private @Nullable WarehouseReadOptions warehouse() {
            String project = settings.find(ApiKeys.WAREHOUSE_PROJECT);
            return project == null
                    ? null
                    : new WarehouseReadOptions(
                            project,
                            settings.get(ApiKeys.WAREHOUSE_DATASET),
                            settings.get(ApiKeys.WAREHOUSE_TABLE),
                            settings.get(ApiKeys.WAREHOUSE_ENDPOINT),
                            settings.find(ApiKeys.WAREHOUSE_CREDENTIALS_FILE),
                            settings.get(ApiKeys.WAREHOUSE_TIMEOUT),
                            settings.get(ApiKeys.WAREHOUSE_MAX_BYTES));
        }

        private LiveViewOptions redis() {
            return new LiveViewOptions(
                    settings.get(ApiKeys.REDIS_URL),
                    settings.secret(ApiKeys.REDIS_PASSWORD),
                    settings.get(ApiKeys.REDIS_KEY_PREFIX));
        }

        private @Nullable PostgresConnection source() {
            return settings.database(ApiKeys.POSTGRES_URL, ApiKeys.POSTGRES_USERNAME, ApiKeys.POSTGRES_PASSWORD);
        }
    }
}
