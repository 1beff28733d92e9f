package dev.engagement.api.track;

import java.util.Locale;
import java.util.Set;

/** How a body holds its events. */
enum BodyForm {
    /** One document: an event, or an array of them. */
    DOCUMENT,
    /** An event in each line. */
    LINES;

    private static final Set<String> LINES_TYPES =
            Set.of("application/x-ndjson", "application/ndjson", "application/jsonl");

    private static final String DOCUMENT_TYPE = "application/json";

    private static final Set<String> UTF_8 = Set.of("utf-8", "utf8", "us-ascii");

    private static final int MAX_SHOWN = 64;

    /**
     * As the header says.
     *
     * @param contentType media type, perhaps with parameters
     * @throws TrackRefusedException with 415 if it is another type, or another charset than UTF-8
     */
    static BodyForm of(String contentType) throws TrackRefusedException {
        String[] parts = contentType.toLowerCase(Locale.ROOT).split(";");
        for (int i = 1; i < parts.length; i++) {
            String parameter = parts[i].strip();
            if (parameter.startsWith("charset=")
                    && !UTF_8.contains(parameter
                            .substring("charset=".length())
                            .replace("\"", "")
                            .strip())) {
                throw TrackRefusedException.unsupported("is '" + shown(contentType) + "'", "encode the body as UTF-8");
            }
        }
        String type = parts.length == 0 ? "" : parts[0].strip();
        if (type.equals(DOCUMENT_TYPE)) {
            return DOCUMENT;
        }
        if (LINES_TYPES.contains(type)) {
            return LINES;
        }
        throw TrackRefusedException.unsupported(
                "is '" + shown(contentType) + "'",
                "send " + DOCUMENT_TYPE + " with an event or an array of events, or application/x-ndjson with an event"
                        + " in each line");
    }

    /** As it may stand in a message. */
    static String shown(String text) {
        return shown(text, MAX_SHOWN);
    }

    /** As {@link #shown(String)}, with that many characters at most. */
    static String shown(String text, int max) {
        int end = Math.min(text.length(), max);
        StringBuilder shown = new StringBuilder();
        for (int i = 0; i < end; i++) {
            char c = text.charAt(i);
            shown.append(c < ' ' || c > '~' ? '?' : c);
        }
        return text.length() > end ? shown + "…" : shown.toString();
    }
}
