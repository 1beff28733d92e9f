package dev.engagement.api.definition;

/** How things are called in documents that have rules for it. */
final class Names {

    private Names() {}

    /** Such as {@code LiveMetrics} for {@code live-metrics}, {@code LastEvent} for {@code last_event}. */
    static String pascal(String name) {
        StringBuilder pascal = new StringBuilder(name.length());
        boolean begins = true;
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c == '-' || c == '_') {
                begins = true;
            } else {
                pascal.append(begins ? Character.toUpperCase(c) : c);
                begins = false;
            }
        }
        return pascal.toString();
    }
}
