package dev.engagement.api.live;

/**
 * One message to a client. Immutable; clients share it.
 *
 * @param id how far a client has come that has received it, to be given to {@link LiveHub#join} when it comes back. Of
 *     one connection ids never go back, and messages that change nothing have the one of the message before
 * @param event {@value #SNAPSHOT}, {@value #METRIC}, {@value #LEADERBOARD} or {@value #HEARTBEAT}
 * @param json one JSON object, without line ends
 */
public record LiveMessage(String id, String event, String json) {

    /** All that is known: the newest windows and the leaderboards. What came before counts no more. */
    public static final String SNAPSHOT = "snapshot";

    /** A window of a rollup that has changed, as Redis has it. */
    public static final String METRIC = "metric";

    /** A leaderboard that has changed, as {@code GET /leaderboard} answers it. */
    public static final String LEADERBOARD = "leaderboard";

    /** The time, and whether anything is missing. */
    public static final String HEARTBEAT = "heartbeat";
}
