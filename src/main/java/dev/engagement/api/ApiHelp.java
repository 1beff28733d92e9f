package dev.engagement.api;

/** What {@code --help} shows, made of {@link ApiKeys}. */
final class ApiHelp {

    private ApiHelp() {}

    private static final String BEGIN = """
            Usage: java -jar engagement-api.jar [--config FILE] [--KEY VALUE …]

            Serves what the job computes, over HTTP: a page, REST, GraphQL, server-sent events and a WebSocket out of Redis and
            PostgreSQL; and takes events, which it commits to PostgreSQL. Listens on 127.0.0.1 alone unless told otherwise,
            and elsewhere only with tokens. /docs describes every path. Ends by a signal.

            Keys (unit or words, [default])
            """;

    private static final String END = """

            Precedence: command line, environment, file of --config, default.
            In the environment a key is ENGAGEMENT_ and its name in capitals, '.' and '-' as '_': api.port is
            ENGAGEMENT_API_PORT. In the file a key stands as it is here, without the --; it may be the file of the job.
            Durations: 250 ms, 30 s, 10 min, 1 h, 1 d, PT30S. Sizes: 512 kb, 1 mb, 1048576 (bytes).
            Each key at length: engagement-api-reference.properties, in the jar.
            Exit codes: 0 told to end; 1 it could not start; 2 the options cannot be used.
            """;

    static String text() {
        StringBuilder text = new StringBuilder(BEGIN);
        for (ApiKey<?> key : ApiKeys.ALL) {
            text.append("  ").append(name(key)).append("  ").append(key.type().form());
            text.append("  [").append(standsIfNotGiven(key)).append("]\n");
            text.append("      ").append(key.description()).append('\n');
        }
        return text.append(END).toString();
    }

    private static String name(ApiKey<?> key) {
        return switch (key.kind()) {
            case SECRET -> key.variable();
            case NAMESPACE -> "--" + key + "*";
            case VALUE, FILE -> "--" + key;
        };
    }

    private static String standsIfNotGiven(ApiKey<?> key) {
        if (key.isSecret()) {
            return "none; environment, or --" + key + ApiKey.SECRET_FILE;
        }
        String text = key.defaultText();
        return text == null ? "none" : text.isEmpty() ? "empty" : text;
    }
}
