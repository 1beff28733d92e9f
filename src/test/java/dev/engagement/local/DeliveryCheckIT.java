package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.event.EventId;
import dev.engagement.local.DestinationCheck.Comparison;
import dev.engagement.local.testing.SharedServers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The self-check must not be satisfied with less: every event delivered passes, and nothing short of it does. */
class DeliveryCheckIT {

    private static final Path DIRECTORY = Path.of("target/it/delivery-check");
    private static final ObjectMapper JSON = new ObjectMapper();

    private static SharedServers servers;
    private static PostgresServer postgres;

    private final Map<String, String> answers = new HashMap<>();
    private final Set<EventId> letters = new TreeSet<>();

    @BeforeAll
    static void start() throws SQLException, IOException {
        servers = SharedServers.lease(DIRECTORY);
        postgres = servers.postgres();
        // With the gaps that rolled back transactions leave.
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO " + Schema.EVENTS
                    + " (id, event_type, event_ts) SELECT id, 'play', now() FROM generate_series(1, 30000) id"
                    + " WHERE id NOT IN (7, 8, 20000)");
        }
    }

    @AfterAll
    static void stop() {
        servers.close();
    }

    private List<Comparison> compare(String ids) throws Exception {
        answers.put("/received/ids", "{\"ids\": " + ids + ", \"next\": null}");
        return compare();
    }

    private List<Comparison> compare() throws Exception {
        answers.putIfAbsent("/stats", "{\"misnamed\":0,\"badSignatures\":0,\"malformed\":0,\"redirected\":0}");
        return new DeliveryCheck(postgres, this::answer, () -> letters).compare();
    }

    private JsonNode answer(String path) {
        try {
            return JSON.readTree(answers.get(path));
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> differing(List<Comparison> comparisons) {
        return comparisons.stream().flatMap(each -> each.differing().stream()).toList();
    }

    @Test
    void everything_delivered_passes_however_the_receiver_pages_it() throws Exception {
        assertThat(SelfCheck.isPassed(compare("[[1, 6], [9, 19999], [20001, 30000]]")))
                .isTrue();
        answers.put("/received/ids", "{\"ids\": [[1, 6], [9, 100]], \"next\": 101}");
        answers.put("/received/ids?from=101", "{\"ids\": [[101, 19999], [20001, 30000]], \"next\": null}");
        assertThat(SelfCheck.isPassed(compare())).isTrue();
    }

    @Test
    void what_is_missing_is_named_unless_it_is_a_dead_letter() throws Exception {
        String ids = "[[2, 6], [9, 9999], [10001, 19999], [20001, 29999]]";
        letters.add(EventId.of(10_000L));
        List<Comparison> found = compare(ids);
        assertThat(SelfCheck.isPassed(found)).isFalse();
        assertThat(differing(found))
                .containsExactly(
                        "event 1 was not delivered and is no dead letter",
                        "event 30000 was not delivered and is no dead letter");
        letters.addAll(List.of(EventId.of(1), EventId.of(30_000)));
        assertThat(SelfCheck.isPassed(compare(ids))).isTrue();
    }

    @Test
    void what_the_source_does_not_have_is_named() throws Exception {
        assertThat(differing(compare("[[0, 7], [9, 19999], [20000, 30002]]")))
                .containsExactly(
                        "event 0 was delivered and is not in the source",
                        "event 7 was delivered and is not in the source",
                        "event 20000 was delivered and is not in the source",
                        "event 30001 was delivered and is not in the source",
                        "event 30002 was delivered and is not in the source");
    }

    @Test
    void a_lost_and_an_invented_event_do_not_make_up_for_each_other() throws Exception {
        assertThat(SelfCheck.isPassed(compare("[[1, 7], [10, 19999], [20001, 30000]]")))
                .isFalse();
    }

    @Test
    void a_receiver_that_got_nothing_is_missing_everything() throws Exception {
        assertThat(differing(compare("[]"))).hasSize(1_000);
        assertThat(compare("[]").get(0).destination()).isEqualTo("0");
    }

    @Test
    void posts_that_a_receiver_would_turn_away_are_told() throws Exception {
        for (String each : List.of("misnamed", "badSignatures", "malformed", "redirected")) {
            answers.put(
                    "/stats",
                    "{\"misnamed\":0,\"badSignatures\":0,\"malformed\":0,\"redirected\":0}"
                            .replace("\"" + each + "\":0", "\"" + each + "\":1"));
            assertThat(SelfCheck.isPassed(compare("[[1, 6], [9, 19999], [20001, 30000]]")))
                    .as(each)
                    .isFalse();
        }
    }
}
