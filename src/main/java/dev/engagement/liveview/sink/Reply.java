package dev.engagement.liveview.sink;

import dev.engagement.liveview.WriteOutcome;

/** What Redis answered to one write. */
sealed interface Reply {

    /** The script ran. */
    record Done(WriteOutcome outcome) implements Reply {}

    /** An error, as Redis words it. */
    record Failed(String error) implements Reply {

        /** What it means. */
        RedisVerdict verdict() {
            return RedisVerdict.ofError(error);
        }
    }
}
