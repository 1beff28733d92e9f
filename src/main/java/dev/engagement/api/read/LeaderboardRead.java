package dev.engagement.api.read;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.api.definition.Parameters;
import dev.engagement.api.read.ContentTitles.ContentTitle;
import dev.engagement.api.read.RankedBoard.Ranked;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * {@code leaderboard}. A place that was not there a minute or an hour ago has null for its change; where nobody knows
 * how the board was, there is no change at all.
 */
final class LeaderboardRead implements Read {

    private static final long MINUTE_MILLIS = 60_000;
    private static final long HOUR_MILLIS = 3_600_000;

    private final Leaderboards boards;
    private final ContentTitles titles;

    LeaderboardRead(Leaderboards boards, ContentTitles titles) {
        this.boards = boards;
        this.titles = titles;
    }

    @Override
    public Answer answer(Parameters parameters) throws UnavailableException {
        String by = parameters.text("by");
        int limit = parameters.integer("limit");
        String type = parameters.textOrNull("type");

        RankedBoard board = boards.now(by);
        List<String> minuteAgo = boards.contentsAt(by, board.atMillis() - MINUTE_MILLIS);
        List<String> hourAgo = boards.contentsAt(by, board.atMillis() - HOUR_MILLIS);
        List<Ranked> places = board.places();
        Map<String, ContentTitle> known;
        if (type == null) {
            places = places.subList(0, Math.min(limit, places.size()));
            known = titles.of(places.stream().map(Ranked::contentId).toList());
        } else {
            Set<String> all = new HashSet<>(board.contentIds());
            all.addAll(minuteAgo == null ? List.of() : minuteAgo);
            all.addAll(hourAgo == null ? List.of() : hourAgo);
            known = titles.of(all);
            places = places.stream()
                    .filter(place -> isOf(type, place.contentId(), known))
                    .limit(limit)
                    .toList();
        }

        ObjectNode body = AnswerJson.newObject();
        body.put("by", by);
        body.put("type", type);
        ArrayNode list = body.putArray("places");
        Map<String, Integer> before = places(minuteAgo, type, known);
        Map<String, Integer> longBefore = places(hourAgo, type, known);
        for (int i = 0; i < places.size(); i++) {
            Ranked ranked = places.get(i);
            ContentTitle title = known.getOrDefault(ranked.contentId(), ContentTitle.UNKNOWN);
            ObjectNode place = list.addObject();
            place.put("place", i + 1);
            place.put("content_id", ranked.contentId());
            place.put("title", title.title());
            place.put("content_type", title.type());
            place.put("score", ranked.score());
            place.put("usual", ranked.usual());
            putChange(place, "change_minute", before, i + 1);
            putChange(place, "change_hour", longBefore, i + 1);
        }
        Instant asOf = Instant.ofEpochMilli(board.atMillis());
        return Answer.ofNow(AnswerJson.finish(body, asOf, Leaderboards.WINDOW_MILLIS, true));
    }

    private static boolean isOf(String type, String contentId, Map<String, ContentTitle> known) {
        return type.equals(known.getOrDefault(contentId, ContentTitle.UNKNOWN).type());
    }

    /** By content id, from 1, counted among contents of that type; null if nobody knows. */
    private static @Nullable Map<String, Integer> places(
            @Nullable List<String> contentIds, @Nullable String type, Map<String, ContentTitle> known) {
        if (contentIds == null) {
            return null;
        }
        Map<String, Integer> places = new HashMap<>();
        for (String id : contentIds) {
            if (type == null || isOf(type, id, known)) {
                places.put(id, places.size() + 1);
            }
        }
        return places;
    }

    private static void putChange(ObjectNode place, String name, @Nullable Map<String, Integer> before, int now) {
        if (before != null) {
            Integer then = before.get(place.get("content_id").asText());
            place.put(name, then == null ? null : Integer.valueOf(then - now));
        }
    }
}
