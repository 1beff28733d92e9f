package dev.engagement.source;

import java.util.NoSuchElementException;

/**
 * Ids from {@code first} to {@code last}, both within; empty if {@code first > last}. Both ends may be any long, so nothing
 * here adds to one without looking.
 */
public record IdRange(long first, long last) {

    /** No ids. */
    public static final IdRange EMPTY = new IdRange(1, 0);

    public boolean isEmpty() {
        return first > last;
    }

    public boolean contains(long id) {
        return first <= id && id <= last;
    }

    /** What is left when {@code id} has been read. */
    public IdRange after(long id) {
        return id >= last ? EMPTY : new IdRange(Math.max(first, id + 1), last);
    }

    /**
     * The first part.
     *
     * @param size at most so many ids, at least 1
     */
    public IdRange head(long size) {
        if (isEmpty()) {
            throw new NoSuchElementException("An empty range has no parts");
        }
        long distance = last - first;
        // A distance beyond a long is negative, and larger than any size.
        return distance >= 0 && distance < size ? this : new IdRange(first, first + (size - 1));
    }

    /** How many parts of a size there are; a double, as there may be more than any number of rows. */
    public double parts(long size) {
        return isEmpty() ? 0 : Math.ceil(((double) last - (double) first + 1) / size);
    }
}
