package dev.engagement.redrive;

import org.jspecify.annotations.Nullable;

/** A letter's id in 16 bytes instead of 32 digits: of a night's letters all ids are held at once. */
record LetterId(long high, long low) {

    private static final int DIGITS = 32;

    /** The id of that text, or null if it is not 32 hexadecimal digits. */
    static @Nullable LetterId of(String text) {
        if (text.length() != DIGITS || !text.chars().allMatch(c -> c >= '0' && c <= '9' || c >= 'a' && c <= 'f')) {
            return null;
        }
        return new LetterId(
                Long.parseUnsignedLong(text, 0, DIGITS / 2, 16), Long.parseUnsignedLong(text, DIGITS / 2, DIGITS, 16));
    }

    @Override
    public String toString() {
        return String.format("%016x%016x", high, low);
    }
}
