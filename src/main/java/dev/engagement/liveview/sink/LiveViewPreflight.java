package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.liveview.WriteOutcome;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;

/**
 * A look at Redis from the client, before a job is submitted: a wrong password is better told to who starts the job than to
 * who reads its logs. A job that runs is never failed by Redis, so what only time or another machine can tell is no error.
 */
public final class LiveViewPreflight {

    private static final JedisConnection.Patience TIMEOUT =
            new JedisConnection.Patience(Duration.ofSeconds(2), Duration.ofSeconds(2));
    /** What its own keys begin with, behind the prefix. */
    static final String PROBES = "live-view:probe:";

    private static final long PROBE_IS_KEPT_FOR_MILLIS = 1_000;

    private LiveViewPreflight() {}

    /**
     * Connects once, loads the scripts and runs them on keys of their own, {@code prefix + "live-view:probe:…"}, which are
     * gone a second later.
     *
     * @param rollups whether rollups are to be shown, which need more rights; their channel is tried by the name
     *     {@code prefix + "live-view:probe:channel"}, so that no subscriber hears of it
     * @return a warning of one line if Redis, or the secret, cannot be reached from here; the job is to be started all the
     *     same
     * @throws LiveViewRefusedException if Redis answers that it will not have it; the message names redis.url, what Redis
     *     said and the way out, and holds no secret
     */
    public static Optional<String> check(LiveViewOptions options, boolean rollups) {
        return check(options, rollups, null);
    }

    /** As {@link #check(LiveViewOptions, boolean)}, without rollups. */
    public static Optional<String> check(LiveViewOptions options) {
        return check(options, false, null);
    }

    /** As {@link #check(LiveViewOptions)}, with that trust in certificates instead of Java's own. */
    static Optional<String> check(LiveViewOptions options, @Nullable SSLSocketFactory trust) {
        return check(options, false, trust);
    }

    private static Optional<String> check(LiveViewOptions options, boolean rollups, @Nullable SSLSocketFactory trust) {
        try {
            options.password().read();
        } catch (IllegalStateException e) {
            // The file is for the machines where the job runs; that it is not here means nothing.
            return Optional.of(warning(options, String.valueOf(e.getMessage())));
        }
        RedisConnection connection = null;
        try {
            connection = new RedisConnector(options, trust, TIMEOUT).connect();
            connection.load(LiveViewScript.values());
            connection.incarnation();
            LiveViewKeys keys = new LiveViewKeys(options.keyPrefix());
            List<ScriptedWrite> probes = new ArrayList<>(probes(keys));
            if (rollups) {
                probes.addAll(rollupProbes(keys));
            }
            List<Reply> replies = connection.perform(probes);
            if (replies.contains(new Reply.Done(WriteOutcome.UNANNOUNCED))) {
                throw refused(
                        options,
                        RefusalAdvice.text(options.server(), options.keyPrefix(), "NOPERM PUBLISH on " + channel(keys)),
                        null);
            }
            return replies.stream()
                    .filter(Reply.Failed.class::isInstance)
                    .map(Reply.Failed.class::cast)
                    .findFirst()
                    .map(failed -> warningUnlessRefused(options, failed));
        } catch (RuntimeException e) {
            // The client's trust in certificates need not be that of the machines where the job runs.
            if (RedisVerdict.of(e) == RedisVerdict.REFUSED && !RedisVerdict.isAboutACertificate(e)) {
                throw refused(options, RefusalAdvice.text(options.server(), options.keyPrefix(), e), e);
            }
            return Optional.of(warning(options, String.valueOf(e.getMessage())));
        } finally {
            if (connection != null) {
                connection.abort();
            }
        }
    }

    private static String warningUnlessRefused(LiveViewOptions options, Reply.Failed failed) {
        return switch (failed.verdict()) {
            case REFUSED, UNUSABLE ->
                throw refused(options, RefusalAdvice.text(options.server(), options.keyPrefix(), failed.error()), null);
            case TRANSIENT, OUT_OF_MEMORY, SCRIPT_LOST -> warning(options, failed.error());
        };
    }

    private static LiveViewRefusedException refused(
            LiveViewOptions options, String text, @Nullable RuntimeException cause) {
        return cause instanceof LiveViewRefusedException ours
                ? ours
                : new LiveViewRefusedException("redis.url is " + options.url() + ". " + text, cause);
    }

    private static String warning(LiveViewOptions options, String why) {
        return "Redis at " + options.url() + " cannot be written to from here now: "
                + why.lines().findFirst().orElse("")
                + ". The job starts all the same and shows everything once Redis is there";
    }

    /** Together they use every command that the scripts do, those of rollups apart. */
    private static List<ScriptedWrite> probes(LiveViewKeys keys) {
        String name = name(keys);
        long now = System.currentTimeMillis();
        String soon = Long.toString(now + PROBE_IS_KEPT_FOR_MILLIS);
        return List.of(
                probe(
                        LiveViewScript.META,
                        List.of(name + ":meta", name + ":gone"),
                        Long.toString(now),
                        "slug",
                        "probe"),
                probe(LiveViewScript.META_GONE, List.of(name + ":meta", name + ":gone"), Long.toString(now + 1), "1"),
                probe(LiveViewScript.LAST, List.of(name + ":last"), "{}", soon),
                probe(LiveViewScript.BUCKET, List.of(name + ":bucket"), soon, "1", "probe"),
                probe(
                        LiveViewScript.BOARD,
                        List.of(name + ":board", name + ":version"),
                        Long.toString(now),
                        soon,
                        "1",
                        "probe"),
                probe(LiveViewScript.EVENT, List.of(name + ":event"), soon, "event_id", "1"));
    }

    /** A window of long ago that is still shown, another one by which it is over, and that one again. */
    private static List<ScriptedWrite> rollupProbes(LiveViewKeys keys) {
        String name = name(keys);
        List<String> windows = List.of(name + ":windows", name + ":versions");
        long now = System.currentTimeMillis();
        String end = Long.toString(now);
        String soon = Long.toString(now + PROBE_IS_KEPT_FOR_MILLIS);
        String channel = channel(keys);
        return List.of(
                probe(LiveViewScript.ROLLUP, windows, end, "1", soon, channel, "{\"probe\":1}"),
                probe(LiveViewScript.ROLLUP, windows, end, end, soon, channel, "{\"probe\":2}"),
                probe(LiveViewScript.ROLLUP, windows, Long.toString(now + 1), end, soon, channel, "{\"probe\":3}"));
    }

    private static String name(LiveViewKeys keys) {
        return keys.prefix() + PROBES + "{preflight}";
    }

    private static String channel(LiveViewKeys keys) {
        return keys.prefix() + PROBES + "channel";
    }

    private static ScriptedWrite probe(LiveViewScript script, List<String> keys, String... arguments) {
        return new ScriptedWrite(
                script,
                keys.stream().map(LiveViewPreflight::bytes).toList(),
                Arrays.stream(arguments).map(LiveViewPreflight::bytes).toList());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
