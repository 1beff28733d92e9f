package dev.engagement.audit;

import java.io.IOException;
import java.util.Collection;
import java.util.Map;
import java.util.function.Consumer;

/** The live view's counts, {@code content:count:{content_id}}. */
interface Counts {

    /**
     * What stands there, as text, as somebody may have put anything there; contents without a count are left out.
     *
     * @throws IOException if the store does not answer
     */
    Map<String, String> of(Collection<String> contentIds) throws IOException;

    /**
     * Every content that has a count; one may come twice.
     *
     * @throws IOException if the store does not answer
     */
    void contents(Consumer<String> each) throws IOException;
}
