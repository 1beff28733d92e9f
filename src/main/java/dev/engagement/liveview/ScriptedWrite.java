package dev.engagement.liveview;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * One write, ready to be sent: a script, its keys, which are all of one slot of a Redis Cluster, and its arguments.
 * Immutable as long as nobody touches the arrays.
 *
 * @param script what is run
 * @param keys {@code KEYS}; the first one is the key that readers know
 * @param arguments {@code ARGV}
 */
public record ScriptedWrite(LiveViewScript script, List<byte[]> keys, List<byte[]> arguments) {

    public ScriptedWrite {
        keys = List.copyOf(keys);
        arguments = List.copyOf(arguments);
    }

    /** How many bytes keys and arguments have. */
    public int bytes() {
        int bytes = 0;
        for (byte[] key : keys) {
            bytes += key.length;
        }
        for (byte[] argument : arguments) {
            bytes += argument.length;
        }
        return bytes;
    }

    /** The key that readers know, as text. */
    public String key() {
        return new String(keys.get(0), StandardCharsets.UTF_8);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ScriptedWrite that
                && that.script == script
                && equal(that.keys, keys)
                && equal(that.arguments, arguments);
    }

    @Override
    public int hashCode() {
        return 31 * script.hashCode() + Arrays.hashCode(keys.get(0));
    }

    /** Script and key; no argument, which may be large. */
    @Override
    public String toString() {
        return script.id() + " " + key();
    }

    private static boolean equal(List<byte[]> some, List<byte[]> others) {
        if (some.size() != others.size()) {
            return false;
        }
        for (int i = 0; i < some.size(); i++) {
            if (!Arrays.equals(some.get(i), others.get(i))) {
                return false;
            }
        }
        return true;
    }
}
