package dev.engagement.api.web;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What went wrong, as RFC 9457 has it, and the way out. It holds nothing that the one who asks may not see. Immutable.
 *
 * @param slug last part of the type, which is the same for all problems of a kind
 * @param status of the response
 * @param title the kind, in words
 * @param detail this one
 * @param wayOut what would do; null if there is nothing to be done
 * @param headers of the response, beside those of every one
 * @param errors further details, an array; null if there are none
 */
public record Problem(
        String slug,
        int status,
        String title,
        String detail,
        @Nullable String wayOut,
        Map<String, String> headers,
        @Nullable JsonNode errors) {

    /** Media type of a problem document. */
    public static final String MEDIA_TYPE = "application/problem+json";

    private static final String TYPE_PREFIX = "urn:engagement:problem:";

    private static final ObjectMapper JSON = new ObjectMapper();

    public Problem {
        headers = Map.copyOf(headers);
    }

    Problem(String slug, int status, String title, String detail, @Nullable String wayOut) {
        this(slug, status, title, detail, wayOut, Map.of(), null);
    }

    /** The same with one more header. */
    public Problem with(String header, String value) {
        Map<String, String> more = new LinkedHashMap<>(headers);
        more.put(header, value);
        return new Problem(slug, status, title, detail, wayOut, more, errors);
    }

    /** The same with further details. */
    public Problem with(JsonNode details) {
        return new Problem(slug, status, title, detail, wayOut, headers, details);
    }

    /** The exception that carries it to where it is written. */
    public ProblemException exception() {
        return new ProblemException(this);
    }

    /** The document, UTF-8. */
    public byte[] json() {
        ObjectNode document = JsonNodeFactory.instance.objectNode();
        document.put("type", TYPE_PREFIX + slug);
        document.put("title", title);
        document.put("status", status);
        document.put("detail", detail);
        document.put("wayOut", wayOut);
        if (errors != null) {
            document.set("errors", errors);
        }
        try {
            return JSON.writeValueAsBytes(document);
        } catch (IOException e) {
            throw new UncheckedIOException("A problem cannot be written as JSON", e);
        }
    }

    /** Writes it as the response, if none has been begun. */
    public void write(HttpServletResponse response) throws IOException {
        if (response.isCommitted()) {
            return;
        }
        response.resetBuffer();
        byte[] document = json();
        response.setStatus(status);
        headers.forEach(response::setHeader);
        response.setHeader("Cache-Control", "no-store");
        response.setContentType(MEDIA_TYPE);
        response.setContentLength(document.length);
        response.getOutputStream().write(document);
    }
}
