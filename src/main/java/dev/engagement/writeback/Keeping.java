package dev.engagement.writeback;

/** How long state keeps a value. */
public enum Keeping {
    /**
     * As long as it is of use: the store is a picture of state, and gets everything again when it turns out to have forgotten
     * anything. A checkpoint holds all values, and which of them the store may lack.
     */
    WHILE_ALIVE,
    /**
     * Until the store has acknowledged it: the store keeps what it has. A checkpoint holds the values that it may lack, and no
     * others.
     */
    UNTIL_WRITTEN
}
