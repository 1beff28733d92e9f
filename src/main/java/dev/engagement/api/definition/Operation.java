package dev.engagement.api.definition;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One thing that the API does. Immutable.
 *
 * @param id its name everywhere: among the reads, in OpenAPI, in GraphQL
 * @param method of HTTP; {@value #WEB_SOCKET} for a GET that becomes a WebSocket
 * @param paths where it is found, parameters in braces; the first is the canonical one
 * @param summary a few words
 * @param description what it answers, and what it does when there is nothing
 * @param parameters of path and query
 * @param answer the document that it answers, or of a stream the one that comes most often
 * @param writes whether it changes something, and so needs the right to
 * @param example path and query of a request that works, without a host
 */
public record Operation(
        String id,
        String method,
        List<String> paths,
        String summary,
        String description,
        List<Parameter> parameters,
        Field answer,
        boolean writes,
        String example) {

    /** {@link #method} of a WebSocket. */
    public static final String WEB_SOCKET = "WS";

    public Operation {
        paths = List.copyOf(paths);
        parameters = List.copyOf(parameters);
    }

    /** The first of its paths. */
    public String path() {
        return paths.get(0);
    }

    /** The parameter of that name, or null if there is none. */
    public @Nullable Parameter parameter(String name) {
        for (Parameter parameter : parameters) {
            if (parameter.name().equals(name)) {
                return parameter;
            }
        }
        return null;
    }
}
