package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.liveview.WriteOutcome;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntPredicate;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import redis.clients.jedis.exceptions.JedisConnectionException;

/**
 * A Redis that does what the scripts do for last events, counts and buckets, and that goes away, forgets and loses its
 * answers as it is told.
 */
final class ForgetfulRedis implements RedisConnection.Connector {

    private static final long serialVersionUID = 1L;

    private static final Pattern LAST_EVENT =
            Pattern.compile("^\\{\"event_id\":(\\d+),.*?\"event_ts\":\"([^\"]+)\"", Pattern.DOTALL);

    /** What a key, or a member of a key, holds, and until when. */
    private record Entry(String value, long expiresAtMillis) {}

    private final transient LongSupplier clock;
    private transient Map<String, Entry> entries = new HashMap<>();
    private transient Map<String, Entry> older = new HashMap<>();
    private transient IntPredicate refuses = write -> false;
    private int memory;
    private int incarnation;
    private boolean away;
    private boolean losesAnswers;

    ForgetfulRedis(LongSupplier clock) {
        this.clock = clock;
    }

    /** It answers nobody; what it holds stays. */
    void goAway() {
        away = true;
        incarnation++;
    }

    void comeBack() {
        away = false;
    }

    /** It applies the next writes, and its answer is lost. */
    void loseAnswer() {
        losesAnswers = true;
    }

    /** The next pipeline's writes of these places find no memory. */
    void refuse(IntPredicate places) {
        refuses = places;
    }

    /** It starts again with nothing. */
    void restartEmpty() {
        flush();
        incarnation++;
    }

    /** Everything is deleted; connections stay. */
    void flush() {
        entries = new HashMap<>();
        memory++;
    }

    /** What it holds now is what {@link #restartWithOlderData} brings back. */
    void backUp() {
        older = new HashMap<>(entries);
    }

    void restartWithOlderData() {
        entries = new HashMap<>(older);
        memory++;
        incarnation++;
    }

    /** What readers see, members of buckets as {@code key/member}. */
    Map<String, String> shown() {
        Map<String, String> shown = new TreeMap<>();
        entries.forEach((key, entry) -> {
            if (entry.expiresAtMillis > clock.getAsLong()) {
                shown.put(key, entry.value);
            }
        });
        return shown;
    }

    @Override
    public RedisConnection connect() {
        if (away) {
            throw new JedisConnectionException("nobody answers");
        }
        return new Connection(incarnation);
    }

    private WriteOutcome apply(ScriptedWrite write) {
        LiveViewScript script = write.script();
        if (script == LiveViewScript.COUNT) {
            return put(write.key(), argument(write, 0), Long.MAX_VALUE);
        }
        if (script == LiveViewScript.LAST) {
            return put(write.key(), argument(write, 0), Long.parseLong(argument(write, 1)));
        }
        if (script == LiveViewScript.BUCKET) {
            WriteOutcome outcome = WriteOutcome.SUPERSEDED;
            for (int i = 1; i < write.arguments().size(); i += 2) {
                outcome = put(
                        write.key() + "/" + argument(write, i + 1),
                        argument(write, i),
                        Long.parseLong(argument(write, 0)));
            }
            return outcome;
        }
        throw new AssertionError("This Redis does not know " + script);
    }

    private WriteOutcome put(String key, String value, long expiresAtMillis) {
        long now = clock.getAsLong();
        if (expiresAtMillis <= now) {
            return WriteOutcome.EXPIRED;
        }
        Entry held = entries.get(key);
        if (held != null && held.expiresAtMillis > now && !isGreater(value, held.value)) {
            return WriteOutcome.SUPERSEDED;
        }
        entries.put(key, new Entry(value, expiresAtMillis));
        return WriteOutcome.WRITTEN;
    }

    private static boolean isGreater(String value, String held) {
        Matcher mine = LAST_EVENT.matcher(value);
        Matcher others = LAST_EVENT.matcher(held);
        if (mine.find() && others.find()) {
            int byTime = mine.group(2).compareTo(others.group(2));
            return byTime != 0 ? byTime > 0 : Long.parseLong(mine.group(1)) > Long.parseLong(others.group(1));
        }
        return Long.parseLong(value) > Long.parseLong(held);
    }

    private static String argument(ScriptedWrite write, int i) {
        return new String(write.arguments().get(i), StandardCharsets.UTF_8);
    }

    private final class Connection implements RedisConnection {
        private final int madeTo;
        private boolean aborted;

        Connection(int madeTo) {
            this.madeTo = madeTo;
        }

        private void check() {
            if (away || aborted || madeTo != incarnation) {
                throw new JedisConnectionException("the connection is broken");
            }
        }

        @Override
        public void load(LiveViewScript... scripts) {
            check();
        }

        @Override
        public List<Reply> perform(List<ScriptedWrite> writes) {
            check();
            IntPredicate refusing = refuses;
            refuses = place -> false;
            List<Reply> replies = new ArrayList<>();
            for (int i = 0; i < writes.size(); i++) {
                replies.add(
                        refusing.test(i)
                                ? new Reply.Failed("OOM command not allowed when used memory > 'maxmemory'.")
                                : new Reply.Done(apply(writes.get(i))));
            }
            if (losesAnswers) {
                losesAnswers = false;
                throw new JedisConnectionException("the answer is lost");
            }
            return replies;
        }

        @Override
        public String incarnation() {
            check();
            return "memory " + memory;
        }

        @Override
        public void abort() {
            aborted = true;
        }
    }
}
