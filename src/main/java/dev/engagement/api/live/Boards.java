package dev.engagement.api.live;

import dev.engagement.api.read.UnavailableException;

/** Knows the leaderboards. */
@FunctionalInterface
interface Boards {

    /**
     * One of them as it is now; blocks for a bounded time.
     *
     * @param by what its places are by
     */
    Board board(String by) throws UnavailableException;
}
