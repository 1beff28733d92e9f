package dev.engagement.api.track;

import dev.engagement.api.read.UnavailableException;

/** What became of a request. */
sealed interface Outcome {

    /** It is committed, by this request or one before. */
    record Answered(TrackAnswer answer) implements Outcome {}

    /** It never will be. */
    record Refused(TrackRefusedException why) implements Outcome {}

    /** It is not, and may be later. */
    record Away(UnavailableException why) implements Outcome {}
}
