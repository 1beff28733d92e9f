package dev.engagement.config;

import dev.engagement.options.testing.CommentedOptions;

/** The commented file of every option with its default: what {@link Keys} declare, as text. */
final class ReferenceFile {

    /** Its name among the resources. */
    static final String NAME = "engagement-reference.properties";

    private static final String HEADER = """
            # Every option of the engagement pipeline with its default.
            #
            # To use it: copy it, uncomment what you change, and start with --config FILE. UTF-8, KEY=VALUE.
            # Precedence: command line (--KEY VALUE, --KEY=VALUE), environment (ENGAGEMENT_ and the key in capitals, '.' and '-'
            # as '_'), this file, default. The commands may share one file: each takes what is its own.
            #
            # Durations: 250 ms, 30 s, 10 min, 1 h, 1 d or PT30S; a number without unit is refused.
            # Sizes: 512 kb, 1 mb, or bytes; kb and mb are powers of 1024.
            # Braces in a default stand for another key's value: they are explained here and mean nothing in a value of yours.
            # Lines of the form '#ENGAGEMENT_…=' are given in the environment only, lines of the form '#--…=' on the command line
            # only.
            """;

    private ReferenceFile() {}

    /** The whole file. */
    static String text() {
        CommentedOptions file = new CommentedOptions(HEADER);
        for (int i = 0; i < Keys.ALL.size(); i++) {
            String section = Keys.sectionAt(i);
            if (section != null) {
                file.section(section);
            }
            Key<?> key = Keys.ALL.get(i);
            file.option(entry(key), key.defaultText(), key.explanation());
        }
        return file.text();
    }

    /** How a key stands in it. */
    static String entry(Key<?> key) {
        return switch (key.kind()) {
            case SECRET -> key.variable();
            case FLAG, ARGUMENT, FILE -> "--" + key;
            case NAMESPACE -> key + "*";
            case VALUE -> key.name();
        };
    }
}
