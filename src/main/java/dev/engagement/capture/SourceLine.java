package dev.engagement.capture;

/**
 * The line of history that a server is on. All copies of a cluster have its identifier; each promotion, and each recovery
 * to a point in time, begins a timeline of a higher number.
 *
 * @param systemId identifier that a cluster was given when it was made, of 64 bits without a sign; 0 if it is not known
 * @param timeline 0 if it is not known
 */
record SourceLine(long systemId, int timeline) {

    static final SourceLine UNKNOWN = new SourceLine(0, 0);

    boolean isKnown() {
        return systemId != 0 && timeline != 0;
    }

    /** {@code system 7301834512345678901, timeline 3}. */
    @Override
    public String toString() {
        return isKnown()
                ? "system " + Long.toUnsignedString(systemId) + ", timeline " + timeline
                : "system and timeline not known";
    }
}
