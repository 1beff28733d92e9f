package dev.engagement.api.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.api.read.Answer;
import dev.engagement.api.read.Read;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReadBoardsTest {

    private final List<ObjectNode> answered = new ArrayList<>();

    private final Read read = parameters -> {
        ObjectNode body = JsonNodeFactory.instance.objectNode();
        body.put("by", parameters.text("by"));
        body.put("as_of", "2026-01-08T09:00:0" + answered.size() + "Z");
        answered.add(body);
        return new Answer(body, 0);
    };

    @Test
    void the_time_of_an_answer_is_no_change() throws Exception {
        Boards boards = new ReadBoards(Map.of("leaderboard", read));

        Board first = boards.board("seconds");
        Board second = boards.board("seconds");

        assertThat(first.json()).isEqualTo("{\"by\":\"seconds\",\"as_of\":\"2026-01-08T09:00:00Z\"}");
        assertThat(second.json()).isNotEqualTo(first.json());
        assertThat(second.content()).isEqualTo(first.content());
        // Others may have been given the same one.
        assertThat(answered).allSatisfy(body -> assertThat(body.has("as_of")).isTrue());
    }

    @Test
    void without_a_read_there_is_no_hub() {
        assertThatThrownBy(() -> new ReadBoards(Map.of())).isInstanceOf(IllegalStateException.class);
    }
}
