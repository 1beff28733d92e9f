package dev.engagement.api.live;

/**
 * A leaderboard, as it is answered.
 *
 * @param by what its places are by
 * @param json one JSON object, in a line
 * @param content what of it is worth a message when it changes: all but the time
 */
record Board(String by, String json, String content) {}
