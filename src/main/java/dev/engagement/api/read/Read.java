package dev.engagement.api.read;

import dev.engagement.api.definition.Parameters;

/** One operation's way to its answer. Thread-safe; it blocks, for a bounded time. */
@FunctionalInterface
public interface Read {

    /**
     * The answer.
     *
     * @param parameters of the operation that this read is of
     * @throws NotFoundException if there is nothing of that name or id
     * @throws UnavailableException if a store that is needed for it does not answer now
     */
    Answer answer(Parameters parameters) throws NotFoundException, UnavailableException;
}
