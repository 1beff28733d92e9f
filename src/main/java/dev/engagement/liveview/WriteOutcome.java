package dev.engagement.liveview;

/** What a {@link LiveViewScript} answers. */
public enum WriteOutcome {
    /** The value is shown. */
    WRITTEN(1),
    /** What was there was not older, and stays. */
    SUPERSEDED(0),
    /** The value's time was over; nothing changed. */
    EXPIRED(-1),
    /** The value is shown, in place of something that the live view did not write. */
    REPLACED_UNREADABLE(2),
    /** The value is shown, and Redis refused to tell it to those who listen on the channel. */
    UNANNOUNCED(3);

    private final long reply;

    WriteOutcome(long reply) {
        this.reply = reply;
    }

    /**
     * The outcome that Redis answered.
     *
     * @throws IllegalArgumentException for any other answer
     */
    public static WriteOutcome of(long reply) {
        for (WriteOutcome outcome : values()) {
            if (outcome.reply == reply) {
                return outcome;
            }
        }
        throw new IllegalArgumentException("No script of the live view answers " + reply);
    }
}
