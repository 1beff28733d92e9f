package dev.engagement.local;

import dev.engagement.local.DestinationCheck.Comparison;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.params.ScanParams;
import redis.clients.jedis.resps.ScanResult;

/** One kind of the live view's keys against plain SQL; a part of {@link RedisCheck}. */
interface KeyCheck {

    /** Keys asked for in one round trip. */
    int CHUNK = 500;

    /** SQL: the text of a timestamp in JSON, for {@code to_char}. */
    String ISO = "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'";

    /**
     * SQL on a row {@code e} of the events: no wrong clock stamped it more than a minute ahead. The measure is the row's
     * commit; the stream's is its arrival in Kafka, a moment later, and a row whose stamp lies a minute after that very
     * moment is nobody's to judge from here.
     */
    String TIMELY = "coalesce(e.event_ts <= pg_xact_commit_timestamp(e.xmin) + interval '1 minute', true)";

    /** Compares all keys of that kind, over connections that the caller opened and closes. */
    List<Comparison> compare(Connection source, Jedis liveView) throws SQLException, IOException;

    /** What follows the prefix in all keys that begin with it, in steps that do not hold the server up. */
    static List<String> scan(Jedis jedis, String prefix) {
        List<String> ids = new ArrayList<>();
        ScanParams params = new ScanParams().match(prefix + "*").count(1_000);
        String cursor = ScanParams.SCAN_POINTER_START;
        do {
            ScanResult<String> result = jedis.scan(cursor, params);
            result.getResult().forEach(key -> ids.add(key.substring(prefix.length())));
            cursor = result.getCursor();
        } while (!cursor.equals(ScanParams.SCAN_POINTER_START));
        return ids.stream().distinct().toList();
    }
}
