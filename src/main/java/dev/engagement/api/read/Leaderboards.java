package dev.engagement.api.read;

import dev.engagement.api.read.RankedBoard.Ranked;
import dev.engagement.event.Integers;
import dev.engagement.liveview.LiveViewKeys;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.Response;
import redis.clients.jedis.resps.Tuple;

/** The leaderboards that there are, and how they were. Thread-safe. */
final class Leaderboards {

    static final String EVENTS = "events";
    static final String SECONDS = "seconds";
    static final String TRENDING = "trending";

    /** Of event time, that a board is about: the two of the live view by their names, and what is trending by ours. */
    static final long WINDOW_MILLIS = 600_000;

    /** Places that are looked at, however many the job shows. */
    static final int MAX_PLACES = 1_000;

    private static final int SECONDS_SCALE = 3;
    private static final int ATTEMPTS = 3;

    private final RedisStore redis;
    private final LiveViewKeys keys;
    private final Trending trending;
    private final Clock clock;
    private final Map<String, BoardHistory> histories = Map.of(
            EVENTS, new BoardHistory(10_000, 30_000),
            SECONDS, new BoardHistory(10_000, 30_000),
            // Of whole minutes.
            TRENDING, new BoardHistory(60_000, 90_000));

    Leaderboards(RedisStore redis, LiveViewKeys keys, Trending trending, Clock clock) {
        this.redis = redis;
        this.keys = keys;
        this.trending = trending;
        this.clock = clock;
    }

    /** The board as it is, which is kept for those who ask later. */
    RankedBoard now(String by) throws UnavailableException {
        RankedBoard board = by.equals(TRENDING) ? trending.at(clock.millis()) : shown(by.equals(SECONDS));
        history(by).add(board);
        return board;
    }

    /** The contents of the board at that time, the first one first; null if nobody knows. */
    @Nullable
    List<String> contentsAt(String by, long millis) {
        return history(by).at(millis);
    }

    private BoardHistory history(String by) {
        return Objects.requireNonNull(histories.get(by), by);
    }

    private record Shown(
            @Nullable String before,
            List<Tuple> places,
            @Nullable String after) {}

    private RankedBoard shown(boolean seconds) throws UnavailableException {
        String board = seconds ? keys.topByEngagement() : keys.topByEvents();
        Shown shown = redis.ask(pipeline -> shown(pipeline, board));
        // The job may have replaced it between two of the commands.
        for (int i = 1; i < ATTEMPTS && !Objects.equals(shown.before(), shown.after()); i++) {
            shown = redis.ask(pipeline -> shown(pipeline, board));
        }
        OptionalLong slideEnd = Integers.parse(shown.before());
        List<Ranked> places = new ArrayList<>(shown.places().size());
        for (Tuple place : shown.places()) {
            places.add(new Ranked(place.getElement(), score(place.getScore(), seconds), null));
        }
        return new RankedBoard(slideEnd.orElse(clock.millis()), places);
    }

    private Supplier<Shown> shown(AbstractPipeline pipeline, String board) {
        Response<String> before = pipeline.get(keys.boardVersion(board));
        Response<List<Tuple>> places = pipeline.zrevrangeWithScores(board, 0, MAX_PLACES - 1L);
        Response<String> after = pipeline.get(keys.boardVersion(board));
        return () -> new Shown(before.get(), places.get(), after.get());
    }

    /** What the job wrote: whole events, or seconds with three digits behind the point. */
    private static BigDecimal score(double score, boolean seconds) {
        if (Double.isNaN(score) || Double.isInfinite(score)) {
            return BigDecimal.ZERO;
        }
        BigDecimal exact = BigDecimal.valueOf(score)
                .setScale(seconds ? SECONDS_SCALE : 0, RoundingMode.HALF_UP)
                .stripTrailingZeros();
        return exact.scale() < 0 ? exact.setScale(0) : exact;
    }
}
