package dev.engagement.api.read;

import dev.engagement.liveview.LiveViewKeys;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Response;

/** What contents are called, out of the live view. */
final class ContentTitles {

    private final RedisStore redis;
    private final LiveViewKeys keys;

    /** @param type what kind of content it is; null as the title, if that is not known */
    record ContentTitle(@Nullable String title, @Nullable String type) {

        static final ContentTitle UNKNOWN = new ContentTitle(null, null);
    }

    ContentTitles(RedisStore redis, LiveViewKeys keys) {
        this.redis = redis;
        this.keys = keys;
    }

    /** By content id, of all that are asked for. */
    Map<String, ContentTitle> of(Collection<String> contentIds) throws UnavailableException {
        if (contentIds.isEmpty()) {
            return Map.of();
        }
        List<String> ids = List.copyOf(contentIds);
        List<List<String>> fields = redis.ask(pipeline -> {
            List<Response<List<String>>> answers = new ArrayList<>();
            ids.forEach(id -> answers.add(pipeline.hmget(keys.meta(id), "title", "content_type")));
            return () -> answers.stream().map(Response::get).toList();
        });
        Map<String, ContentTitle> titles = new HashMap<>();
        for (int i = 0; i < ids.size(); i++) {
            titles.put(
                    ids.get(i),
                    new ContentTitle(fields.get(i).get(0), fields.get(i).get(1)));
        }
        return titles;
    }
}
