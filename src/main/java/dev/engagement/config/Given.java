package dev.engagement.config;

/**
 * The text of one option and where it came from.
 *
 * @param text as it was given, surrounding white space left off
 * @param origin for messages: the argument, the variable or the file
 */
record Given(String text, String origin) {

    Given {
        text = text.trim();
    }

    static final String DEFAULT = "default";
}
