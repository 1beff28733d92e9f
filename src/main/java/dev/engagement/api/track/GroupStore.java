package dev.engagement.api.track;

import dev.engagement.api.read.UnavailableException;
import java.util.List;

/** Brings groups of requests into the database, on one connection. Used by one thread. */
interface GroupStore extends AutoCloseable {

    /**
     * Writes a group in one transaction; or, if one of the requests does not let the others through, each in one of its
     * own.
     *
     * @param group of which no two have the same key
     * @return of each request what became of it, in their order
     * @throws UnavailableException if the database is away; then nothing of it was written, as far as anybody knows
     */
    List<Outcome> write(List<TrackRequest> group) throws UnavailableException;

    @Override
    void close();
}
