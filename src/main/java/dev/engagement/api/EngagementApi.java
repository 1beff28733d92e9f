package dev.engagement.api;

import dev.engagement.api.definition.ApiDefinition;
import dev.engagement.api.live.LiveHub;
import dev.engagement.api.read.Reads;
import dev.engagement.api.track.Track;
import dev.engagement.api.track.TrackOptions;
import dev.engagement.connection.SecretRef;
import java.io.PrintStream;
import java.net.URI;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * Entry point of {@code java -jar engagement-api.jar [--config FILE] [--KEY VALUE …]}: reads the options, opens the
 * stores, starts the server, says where the page is. Ends by a signal, in order.
 */
public final class EngagementApi implements AutoCloseable {

    /** What it ends with if it could not start. */
    private static final int NOT_STARTED = 1;

    /** What it ends with if its options cannot be used. */
    private static final int ASKED_WRONGLY = 2;

    private static final String LOG_CONFIGURATION = "log4j2.configurationFile";

    private final ApiServer server;
    private final LiveHub live;
    private final @Nullable Track track;
    private final Reads reads;

    private EngagementApi(ApiServer server, LiveHub live, @Nullable Track track, Reads reads) {
        this.server = server;
        this.live = live;
        this.track = track;
        this.reads = reads;
    }

    /** Runs until it is told to end. */
    public static void main(String[] args) {
        // Before anything logs.
        if (System.getProperty(LOG_CONFIGURATION) == null) {
            System.setProperty(LOG_CONFIGURATION, "dev/engagement/api/log4j2-api.properties");
        }
        int code = run(args, System.getenv(), System.out, System.err);
        if (code != 0) {
            System.exit(code);
        }
    }

    /**
     * Starts it, if that is what is asked for; it ends with this process.
     *
     * @return exit code; 0 if it runs, or there was only help to be shown
     */
    static int run(String[] args, Map<String, String> environment, PrintStream out, PrintStream err) {
        if (Arrays.asList(args).contains("--help") || Arrays.asList(args).contains("-h")) {
            out.print(ApiHelp.text());
            return 0;
        }
        try {
            EngagementApi api = start(ApiOptions.parse(args, environment), Clock.systemUTC());
            Runtime.getRuntime().addShutdownHook(new Thread(api::close, "stop-api"));
            out.println("The page is at " + api.address() + "/ and the documentation at " + api.address() + "/docs");
            return 0;
        } catch (ApiOptionsException e) {
            err.println(e.getMessage());
            return ASKED_WRONGLY;
        } catch (ApiServer.StartException | SecretRef.UnreadableSecretException | IllegalArgumentException e) {
            err.println(e.getMessage());
            return NOT_STARTED;
        } catch (RuntimeException e) {
            LoggerFactory.getLogger(EngagementApi.class).error("The API could not be started", e);
            err.println("The API could not be started: " + e);
            return NOT_STARTED;
        }
    }

    /**
     * Starts it. Stores that do not answer are no reason not to: who asks is told.
     *
     * @throws ApiServer.StartException if it cannot listen
     */
    public static EngagementApi start(ApiOptions options, Clock clock) {
        Reads reads = Reads.open(options.read(), clock);
        LiveHub live = null;
        Track track = null;
        boolean isStarted = false;
        try {
            live = LiveHub.open(options.live(), reads, clock);
            TrackOptions trackOptions = options.track();
            track = trackOptions == null ? null : Track.open(trackOptions, clock);
            ApiParts parts = new ApiParts(
                    ApiDefinition.get(),
                    reads.byOperation(),
                    reads::health,
                    live::join,
                    track == null ? null : track::post,
                    numbers(live, track));
            ApiServer server = ApiServer.start(options.web(), parts);
            isStarted = true;
            return new EngagementApi(server, live, track, reads);
        } finally {
            if (!isStarted) {
                close(live, track, reads);
            }
        }
    }

    private static List<ApiParts.PartNumber> numbers(LiveHub live, @Nullable Track track) {
        List<ApiParts.PartNumber> numbers = new ArrayList<>(List.of(
                new ApiParts.PartNumber(
                        "engagement_api_live_stale",
                        "1 if live clients miss changes because a store is away, else 0",
                        () -> live.isStale() ? 1 : 0),
                new ApiParts.PartNumber(
                        "engagement_api_live_left_out_total",
                        "Messages of Redis that no client is told",
                        live::leftOut)));
        if (track != null) {
            numbers.add(new ApiParts.PartNumber(
                    "engagement_api_track_events_total", "Events answered with their ids", track::eventsAnswered));
            numbers.add(new ApiParts.PartNumber(
                    "engagement_api_track_transactions_total", "Transactions that wrote events", track::groups));
            numbers.add(new ApiParts.PartNumber(
                    "engagement_api_track_waiting_events", "Events that wait for a connection", track::waitingEvents));
        }
        return numbers;
    }

    /** Where it is reached from this machine: {@code http://host:port}. */
    public URI address() {
        return server.address();
    }

    /** Ends it: live clients first, who would be waited for; the stores last, who are still needed until then. */
    @Override
    public void close() {
        live.close();
        server.close();
        close(null, track, reads);
    }

    private static void close(@Nullable LiveHub live, @Nullable Track track, Reads reads) {
        if (live != null) {
            live.close();
        }
        if (track != null) {
            track.close();
        }
        reads.close();
    }
}
