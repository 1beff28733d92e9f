package dev.engagement.api;

import dev.engagement.options.testing.CommentedOptions;

/** The commented file of every option of the API with its default: what {@link ApiKeys} declare, as text. */
final class ApiReferenceFile {

    /** Its name among the resources. */
    static final String NAME = "engagement-api-reference.properties";

    private static final String HEADER = """
            # Every option of the API with its default.
            #
            # To use it: copy it, uncomment what you change, and start with --config FILE. UTF-8, KEY=VALUE.
            # Precedence: command line (--KEY VALUE, --KEY=VALUE), environment (ENGAGEMENT_ and the key in capitals, '.' and '-'
            # as '_'), this file, default. It may be the file of the job, too: each takes what is its own.
            #
            # Durations: 250 ms, 30 s, 10 min, 1 h, 1 d or PT30S; a number without unit is refused.
            # Sizes: 512 kb, 1 mb, or bytes; kb and mb are powers of 1024.
            # Lines of the form '#ENGAGEMENT_…=' are given in the environment only, lines of the form '#--…=' on the command line
            # or in the environment.
            """;

    private ApiReferenceFile() {}

    /** The whole file. */
    static String text() {
        CommentedOptions file = new CommentedOptions(HEADER);
        for (int i = 0; i < ApiKeys.ALL.size(); i++) {
            String section = ApiKeys.sectionAt(i);
            if (section != null) {
                file.section(section);
            }
            ApiKey<?> key = ApiKeys.ALL.get(i);
            file.option(entry(key), key.defaultText(), key.explanation());
        }
        return file.text();
    }

    /** How a key stands in it. */
    static String entry(ApiKey<?> key) {
        return switch (key.kind()) {
            case SECRET -> key.variable();
            case FILE -> "--" + key;
            case NAMESPACE -> key + "*";
            case VALUE -> key.name();
        };
    }
}
