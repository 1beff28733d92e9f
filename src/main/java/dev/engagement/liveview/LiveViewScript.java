package dev.engagement.liveview;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * What runs inside Redis: each script applies one value if it is newer than what is there. They need Redis 6.2 or later
 * and the commands TIME, EXISTS, GET, SET, HGET, HSET and DEL.
 *
 * <p>A value whose version cannot be read, because somebody else wrote it or because its key holds another type, is
 * replaced, as by a plain SET: the key's name belongs to the live view. Integers are compared as text, since a Lua number
 * is exact only up to 2^53.
 *
 * <p>A script's id and the meaning of its keys and arguments are part of savepoints. Whoever changes them adds a script
 * and keeps the old one for what is still to be written.
 */
public enum LiveViewScript {
    /**
     * {@code content:last}. The stored JSON is its own version: fields stand in a fixed order, so the first
     * {@code "event_ts":"} is the field itself (a quote inside a text before it is escaped), and its text has a fixed
     * width.
     *
     * <p>ARGV: JSON, expiry in milliseconds since the epoch.
     */
    LAST("last-1", Lua.GREATER + """
            local function version(json)
              local id = string.match(json, '^{"event_id":(-?%d+),')
              local _, at = string.find(json, '"event_ts":"', 1, true)
              if not id or not at then return nil end
              local ts = string.gsub(string.sub(json, at + 1, at + 27), '%D', '')
              if #ts ~= 20 then return nil end
              return ts, id
            end
            local time = redis.call('TIME')
            if tonumber(ARGV[2]) <= tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) then return -1 end
            local stored = redis.pcall('GET', KEYS[1])
            local done = 1
            if stored then
              local old_ts, old_id
              if type(stored) == 'table' then
                if not string.find(stored.err, 'WRONGTYPE', 1, true) then return stored end
              else
                old_ts, old_id = version(stored)
              end
              if old_ts then
                local ts, id = version(ARGV[1])
                if not (greater(ts, old_ts) or (ts == old_ts and greater(id, old_id))) then return 0 end
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
    COUNT("count-1", Lua.GREATER + """
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
     * <p>KEYS: hash, grave. ARGV: version, then field and value, any number of times.
     */
    META("meta-1", Lua.GREATER + Lua.META_VERSIONS + """
            redis.call('DEL', KEYS[1], KEYS[2])
            redis.call('HSET', KEYS[1], '_version', unpack(ARGV))
            return done
            """),

    /**
     * The end of a {@code content:meta}.
     *
     * <p>KEYS: hash, grave. ARGV: version, how long the grave is kept in milliseconds.
     */
    META_GONE("meta-gone-1", Lua.GREATER + Lua.META_VERSIONS + """
            redis.call('DEL', KEYS[1])
            redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
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

    /** Its name in savepoints. */
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

    /**
     * The script of that id.
     *
     * @throws IllegalArgumentException if this build has none
     */
    public static LiveViewScript of(String id) {
        return Arrays.stream(values())
                .filter(script -> script.id.equals(id))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("There is no script " + id
                        + " of the live view: a newer build wrote the state. Run that build, or a newer one"));
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

        /** Ends the script if hash or grave are not older. */
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
                local grave = readable(redis.pcall('GET', KEYS[2]))
                if grave and not greater(ARGV[1], grave) then return 0 end
                local done = 1
                if not held and redis.call('EXISTS', KEYS[1]) == 1 then done = 2 end
                """;

        private Lua() {}
    }
}
