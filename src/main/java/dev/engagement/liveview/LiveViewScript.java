package dev.engagement.liveview;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * What runs inside Redis: each script applies one value if it is newer than what is there. They need Redis 6.2 or later
 * and the commands TIME, TYPE, EXISTS, GET, SET, HGET, HSET, HLEN, ZADD, DEL and PEXPIREAT; for rollups HDEL, ZRANGE, ZREM
 * and ZREMRANGEBYSCORE too, and PUBLISH on their channel.
 *
 * <p>A value whose version cannot be read, because somebody else wrote it or because its key holds another type, is
 * replaced, as by a plain SET: the key's name belongs to the live view. Integers are compared as text, since a Lua number
 * is exact only up to 2^53.
 *
 * <p>A Redis that is out of memory refuses a script's first write if it is one that may need memory, and none after it. So
 * what grows with the number of ids or keys begins with such a write, and is refused before it has changed anything;
 * deletions and leaderboards begin with a DEL, and go on.
 *
 * <p>Savepoints hold values and no scripts, so a script may change. Two builds that write at once have to understand what
 * the other one stores.
 */
public enum LiveViewScript {
    /**
     * {@code content:last}. The stored JSON is its own version: fields stand in a fixed order, so the first
     * {@code "event_ts":"} is the field itself (a quote inside a text before it is escaped), and its text has a fixed
     * width. Ids that are texts are compared byte by byte: Lua's own comparison is that of the server's locale.
     *
     * <p>ARGV: JSON, expiry in milliseconds since the epoch.
     */
    LAST("last", """
            local time = redis.call('TIME')
            if tonumber(ARGV[2]) <= time[1] * 1000 + time[2] / 1000 then return -1 end
            local stored = redis.pcall('GET', KEYS[1])
            local done = 1
            if type(stored) == 'table' then
              if not string.find(stored.err, 'WRONGTYPE', 1, true) then return stored end
              done = 2
            elseif stored then
              local _, at = string.find(stored, '"event_ts":"', 1, true)
              local old_id = string.match(stored, '^{"event_id":(-?%d+),')
              local old_text = string.match(stored, '^{"event_id":"([A-Za-z0-9_%-]+)",')
              if at and (old_id or old_text) and string.find(stored, '^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d%d%d%dZ', at + 1) then
                local old_ts = string.sub(stored, at + 1, at + 27)
                local _, new_at = string.find(ARGV[1], '"event_ts":"', 1, true)
                local ts = string.sub(ARGV[1], new_at + 1, new_at + 27)
                if ts < old_ts then return 0 end
                if ts == old_ts then
            """ + Lua.GREATER + Lua.TEXT_GREATER + """
                  local id = string.match(ARGV[1], '^{"event_id":(-?%d+),')
                  if id and (old_text or not greater(id, old_id)) then return 0 end
                  local text = string.match(ARGV[1], '^{"event_id":"([A-Za-z0-9_%-]+)",')
                  if text and old_text and not text_greater(text, old_text) then return 0 end
                end
              else
                done = 2
              end
            end
            redis.call('SET', KEYS[1], ARGV[1], 'PXAT', ARGV[2])
            return done
            """),

    /**
     * {@code content:count}.
     *
     * <p>ARGV: the count.
     */
    COUNT("count", Lua.GREATER + """
            local stored = redis.pcall('GET', KEYS[1])
            local done = 1
            if stored then
              if type(stored) == 'table' then
                if not string.find(stored.err, 'WRONGTYPE', 1, true) then return stored end
                done = 2
              elseif not string.find(stored, '^-?[1-9]%d*$') and stored ~= '0' then
                done = 2
              elseif not greater(ARGV[1], stored) then
                return 0
              end
            end
            redis.call('SET', KEYS[1], ARGV[1])
            return done
            """),

    /**
     * {@code content:meta}: the whole hash is replaced.
     *
     * <p>KEYS: hash, tombstone. ARGV: version, then field and value, any number of times.
     */
    META("meta", Lua.GREATER + Lua.META_VERSIONS + Lua.SET_HASH + """
            if done == 2 then redis.call('DEL', KEYS[1]) end
            set_hash(KEYS[1], '_version', unpack(ARGV))
            redis.call('DEL', KEYS[2])
            return done
            """),

    /**
     * The end of a {@code content:meta}. It ends however old the deletion is; a tombstone whose time is over is not dug, and
     * one that is there stays.
     *
     * <p>KEYS: hash, tombstone. ARGV: version, the tombstone's expiry in milliseconds since the epoch.
     */
    META_GONE("meta-gone", Lua.GREATER + Lua.IS_OVER + Lua.META_VERSIONS + """
            redis.call('DEL', KEYS[1])
            if not is_over(ARGV[2]) then redis.call('SET', KEYS[2], ARGV[1], 'PXAT', ARGV[2]) end
            return done
            """),

    /**
     * Members of a {@code top:content:bucket}; a greater score stays.
     *
     * <p>ARGV: expiry in milliseconds since the epoch, then score and member, any number of times.
     */
    BUCKET("bucket", Lua.IS_OVER + Lua.MAKE_ROOM + """
            if is_over(ARGV[1]) then return -1 end
            local done = make_room(KEYS[1], 'zset')
            for i = 2, #ARGV, 1000 do
              redis.call('ZADD', KEYS[1], 'GT', unpack(ARGV, i, math.min(i + 999, #ARGV)))
            end
            redis.call('PEXPIREAT', KEYS[1], ARGV[1])
            return done
            """),

    /**
     * A leaderboard, replaced as a whole.
     *
     * <p>KEYS: sorted set, its version. ARGV: version, expiry in milliseconds since the epoch, then score and member, any
     * number of times.
     */
    BOARD("board", Lua.GREATER + Lua.IS_OVER + Lua.MAKE_ROOM + """
            if is_over(ARGV[2]) then return -1 end
            local held = redis.pcall('GET', KEYS[2])
            local done = 1
            if type(held) == 'table' then
              if not string.find(held.err, 'WRONGTYPE', 1, true) then return held end
              done = 2
            elseif held and not string.find(held, '^%d+$') then
              done = 2
            elseif held and not greater(ARGV[1], held) then
              return 0
            end
            done = math.max(done, make_room(KEYS[1], 'zset'))
            redis.call('DEL', KEYS[1])
            for i = 3, #ARGV, 1000 do
              redis.call('ZADD', KEYS[1], unpack(ARGV, i, math.min(i + 999, #ARGV)))
            end
            if #ARGV > 2 then redis.call('PEXPIREAT', KEYS[1], ARGV[2]) end
            redis.call('SET', KEYS[2], ARGV[1], 'PXAT', ARGV[2])
            return done
            """),

    /**
     * {@code engagement_events:event}: an event never changes, so whichever write comes last is as good.
     *
     * <p>ARGV: expiry in milliseconds since the epoch, then field and value, any number of times.
     */
    EVENT("event", Lua.IS_OVER + Lua.MAKE_ROOM + Lua.SET_HASH + """
            if is_over(ARGV[1]) then return -1 end
            local done = make_room(KEYS[1], 'hash')
            set_hash(KEYS[1], unpack(ARGV, 2))
            redis.call('PEXPIREAT', KEYS[1], ARGV[1])
            return done
            """),

    /**
     * One window of a rollup, in place of the one that ends at the same time; windows that are over leave. Where the sorted
     * set is gone, because somebody deleted it, no version of it counts.
     *
     * <p>The version is written after all else: when a right is missing before, the write is repeated once it is given, and
     * must not find itself superseded. The message comes last, and takes nothing back if Redis refuses it.
     *
     * <p>KEYS: sorted set, its versions. ARGV: version; the window's end, and when the window is over, in milliseconds since
     * the epoch; channel; member.
     */
    ROLLUP("rollup", Lua.GREATER + """
            local time = redis.call('TIME')
            local now = time[1] * 1000 + time[2] / 1000
            if tonumber(ARGV[3]) <= now then return -1 end
            local kind = redis.call('TYPE', KEYS[1]).ok
            local versioned = kind == 'zset'
            local held = redis.pcall('HGET', KEYS[2], ARGV[2])
            local done = 1
            if type(held) == 'table' then
              if not string.find(held.err, 'WRONGTYPE', 1, true) then return held end
              done = 2
              versioned = false
            elseif held and not string.find(held, '^%d+$') then
              done = 2
            elseif held and versioned and not greater(ARGV[1], held) then
              return 0
            end
            if kind ~= 'zset' and kind ~= 'none' then
              done = 2
              redis.call('DEL', KEYS[1])
            end
            redis.call('ZADD', KEYS[1], ARGV[2], ARGV[5])
            for _, member in ipairs(redis.call('ZRANGE', KEYS[1], ARGV[2], ARGV[2], 'BYSCORE')) do
              if member ~= ARGV[5] then redis.call('ZREM', KEYS[1], member) end
            end
            if not versioned then redis.call('DEL', KEYS[2]) end
            local shown_for = ARGV[3] - ARGV[2]
            local latest_over = string.format('%.0f', math.floor(now - shown_for))
            local over = redis.call('ZRANGE', KEYS[1], '-inf', latest_over, 'BYSCORE', 'WITHSCORES')
            for i = 2, #over, 2 do
              redis.call('HDEL', KEYS[2], string.format('%.0f', over[i]))
            end
            if #over > 0 then redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', latest_over) end
            local newest = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
            local expiry = string.format('%.0f', math.min(newest, 2^53) + shown_for)
            redis.call('PEXPIREAT', KEYS[1], expiry)
            redis.call('HSET', KEYS[2], ARGV[2], ARGV[1])
            redis.call('PEXPIREAT', KEYS[2], expiry)
            if type(redis.pcall('PUBLISH', ARGV[4], ARGV[5])) == 'table' then return 3 end
            return done
            """);

    private final String id;
    private final String text;
    private final String sha1;

    LiveViewScript(String id, String text) {
        this.id = id;
        this.text = text;
        this.sha1 = sha1(text);
    }

    /** Its name in logs. */
    public String id() {
        return id;
    }

    /** Lua. */
    public String text() {
        return text;
    }

    /** What Redis calls the script: 40 hexadecimal digits. */
    public String sha1() {
        return sha1;
    }

    private static String sha1(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-1").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-1", e);
        }
    }

    /** Parts that scripts share. */
    private static final class Lua {

        /** Whether a > b: canonical decimal integers, or texts of digits of one length; at most 24 digits. */
        static final String GREATER = """
                local function greater(a, b)
                  local a_negative, b_negative = string.byte(a) == 45, string.byte(b) == 45
                  if a_negative ~= b_negative then return b_negative end
                  if a_negative then a, b = string.sub(b, 2), string.sub(a, 2) end
                  if #a ~= #b then return #a > #b end
                  local a_head, b_head = tonumber(string.sub(a, 1, -10)) or 0, tonumber(string.sub(b, 1, -10)) or 0
                  if a_head ~= b_head then return a_head > b_head end
                  return tonumber(string.sub(a, -9)) > tonumber(string.sub(b, -9))
                end
                """;

        /** Whether a > b: texts, by their bytes. */
        static final String TEXT_GREATER = """
                local function text_greater(a, b)
                  for i = 1, math.min(#a, #b) do
                    local a_byte, b_byte = string.byte(a, i), string.byte(b, i)
                    if a_byte ~= b_byte then return a_byte > b_byte end
                  end
                  return #a > #b
                end
                """;

        /** Whether a time, milliseconds since the epoch, has passed by the server's clock. */
        static final String IS_OVER = """
                local function is_over(millis)
                  local time = redis.call('TIME')
                  return tonumber(millis) <= time[1] * 1000 + time[2] / 1000
                end
                """;

        /** Removes a key of any other type; no DEL without need, as it would be the script's first write. */
        static final String MAKE_ROOM = """
                local function make_room(key, kind)
                  local held = redis.call('TYPE', key).ok
                  if held == kind or held == 'none' then return 1 end
                  redis.call('DEL', key)
                  return 2
                end
                """;

        /** Makes a hash of exactly these fields and values; begins with HSET, for the sake of a Redis out of memory. */
        static final String SET_HASH = """
                local function set_hash(key, ...)
                  redis.call('HSET', key, ...)
                  if redis.call('HLEN', key) ~= select('#', ...) / 2 then
                    redis.call('DEL', key)
                    redis.call('HSET', key, ...)
                  end
                end
                """;

        /** Ends the script if hash or tombstone are not older. */
        static final String META_VERSIONS = """
                local function readable(version)
                  if type(version) == 'table' then
                    if not string.find(version.err, 'WRONGTYPE', 1, true) then error(version) end
                    return nil
                  end
                  return version and string.find(version, '^%d+$') and version
                end
                local held = readable(redis.pcall('HGET', KEYS[1], '_version'))
                if held and not greater(ARGV[1], held) then return 0 end
                local tombstone = readable(redis.pcall('GET', KEYS[2]))
                if tombstone and not greater(ARGV[1], tombstone) then return 0 end
                local done = 1
                if not held and redis.call('EXISTS', KEYS[1]) == 1 then done = 2 end
                """;

        private Lua() {}
    }
}
