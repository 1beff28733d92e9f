package dev.engagement.api.live;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.api.definition.ApiDefinition;
import dev.engagement.api.definition.Operation;
import dev.engagement.api.definition.Parameters;
import dev.engagement.api.read.NotFoundException;
import dev.engagement.api.read.Read;
import dev.engagement.api.read.UnavailableException;
import java.util.Map;

/** The leaderboards as {@code GET /leaderboard} answers them. */
final class ReadBoards implements Boards {

    private static final String LEADERBOARD = "leaderboard";

    private static final String AS_OF = "as_of";

    private final Operation operation = ApiDefinition.get().operation(LEADERBOARD);
    private final Read read;

    /** @param reads by operation id */
    ReadBoards(Map<String, Read> reads) {
        Read found = reads.get(LEADERBOARD);
        if (found == null) {
            throw new IllegalStateException("There is no read that answers " + LEADERBOARD);
        }
        this.read = found;
    }

    @Override
    public Board board(String by) throws UnavailableException {
        Map<String, String> given = Map.of("by", by);
        ObjectNode body;
        try {
            // A copy, as others may have been given the same one.
            body = read.answer(Parameters.of(operation, given::get, given.keySet()))
                    .body()
                    .deepCopy();
        } catch (NotFoundException e) {
            throw new IllegalStateException("A leaderboard may be empty, and is always there", e);
        }
        String json = body.toString();
        body.remove(AS_OF);
        return new Board(by, json, body.toString());
    }
}
