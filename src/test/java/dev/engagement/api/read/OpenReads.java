package dev.engagement.api.read;

import dev.engagement.api.definition.ApiDefinition;
import dev.engagement.api.definition.Parameters;
import java.util.HashMap;
import java.util.Map;

/** Asks reads as a request does. */
final class OpenReads {

    private OpenReads() {}

    /**
     * The answer to an operation.
     *
     * @param given names and values of its parameters, in turn
     */
    static Answer ask(Reads reads, String operation, String... given) throws Exception {
        Map<String, String> raw = new HashMap<>();
        for (int i = 0; i < given.length; i += 2) {
            raw.put(given[i], given[i + 1]);
        }
        Read read = reads.byOperation().get(operation);
        return read.answer(Parameters.of(ApiDefinition.get().operation(operation), raw::get, raw.keySet()));
    }
}
