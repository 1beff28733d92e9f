package dev.engagement.ingest;

import dev.engagement.event.JsonText;
import org.jspecify.annotations.Nullable;

/**
 * Shares the strings of columns with few distinct values, such as {@code event_type}: a lookup compares the characters in
 * the parser's buffer with one candidate and allocates nothing. For one thread.
 */
final class TextCache {

    private static final int SLOTS = 128;
    private static final int LONGEST = 32;

    private final @Nullable String[] slots = new @Nullable String[SLOTS];

    /** The string with these characters, or null if it is not remembered. */
    @Nullable
    String find(char[] chars, int offset, int length) {
        if (length > LONGEST) {
            return null;
        }
        int hash = 0;
        for (int i = offset; i < offset + length; i++) {
            hash = 31 * hash + chars[i];
        }
        String candidate = slots[slot(hash)];
        if (candidate == null || candidate.length() != length) {
            return null;
        }
        for (int i = 0; i < length; i++) {
            if (candidate.charAt(i) != chars[offset + i]) {
                return null;
            }
        }
        return candidate;
    }

    /** Remembers a string, in the place of another that hashes alike. */
    void remember(String text) {
        if (text.length() <= LONGEST && JsonText.isWellFormed(text)) {
            slots[slot(text.hashCode())] = text;
        }
    }

    private static int slot(int hash) {
        return (hash ^ hash >>> 16) & SLOTS - 1;
    }
}
