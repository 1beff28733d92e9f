package dev.engagement.api.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** On a server that answers in BigQuery's form. */
class WarehouseRowTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String QUERIES = "/bigquery/v2/projects/p/queries";

    private static final String ROW = "{\"jobComplete\":true,\"totalRows\":\"1\",\"rows\":[{\"f\":[{\"v\":\"7\"},"
            + "{\"v\":\"c\"},{\"v\":\"u\"},{\"v\":\"play\"},{\"v\":\"1767882112000001\"},{\"v\":null},{\"v\":\"web\"},"
            + "{\"v\":\"{\\\"a\\\":1}\"},{\"v\":\"s\"},{\"v\":\"T\"},{\"v\":\"video\"},{\"v\":\"60\"},"
            + "{\"v\":\"-1\"},{\"v\":\"7\"},{\"v\":\"0.02\"}]}]}";

    private static final String NONE = "{\"jobComplete\":true,\"totalRows\":\"0\"}";

    private ScriptedHttp bigQuery;

    @BeforeEach
    void start() throws IOException {
        bigQuery = new ScriptedHttp();
    }

    @AfterEach
    void stop() {
        bigQuery.close();
    }

    private WarehouseRow row(Duration timeout) {
        return WarehouseRow.of(
                new WarehouseReadOptions("p", "d", "t", URI.create(bigQuery.url()), null, timeout, 1_000_000_000),
                Clock.fixed(Instant.EPOCH, ZoneOffset.UTC));
    }

    /** Of which no verdict depends: the server answers at once. */
    private WarehouseRow row() {
        return row(Duration.ofMinutes(1));
    }

    @Test
    void a_row_is_what_the_event_cache_would_have() throws Exception {
        bigQuery.answers(200, ROW);

        assertThat(row().find(7, 1_767_882_112_000_001L))
                .isEqualTo(Map.ofEntries(
                        Map.entry("event_id", "7"),
                        Map.entry("content_id", "c"),
                        Map.entry("user_id", "u"),
                        Map.entry("event_type", "play"),
                        Map.entry("event_ts", "2026-01-08T14:21:52.000001Z"),
                        Map.entry("device", "web"),
                        Map.entry("raw_payload", "{\"a\":1}"),
                        Map.entry("slug", "s"),
                        Map.entry("title", "T"),
                        Map.entry("content_type", "video"),
                        Map.entry("length_seconds", "60"),
                        Map.entry("publish_ts", "1969-12-31T23:59:59.999999Z"),
                        Map.entry("engagement_seconds", "7"),
                        Map.entry("engagement_pct", "0.02")));
    }

    @Test
    void the_question_is_bounded_and_the_id_is_a_parameter() throws Exception {
        bigQuery.answers(200, NONE);

        assertThat(row().find(Long.MAX_VALUE, 1_767_882_112_000_001L)).isNull();

        ScriptedHttp.Asked asked = bigQuery.asked.remove();
        assertThat(asked.method() + " " + asked.target()).isEqualTo("POST " + QUERIES);
        assertThat(asked.authorization()).isEqualTo("null");
        JsonNode body = JSON.readTree(asked.body());
        assertThat(body.get("query").asText())
                .contains("FROM `p.d.t` WHERE event_id = @event_id")
                .doesNotContain("9223372036854775807");
        assertThat(body.get("useLegacySql").asBoolean()).isFalse();
        assertThat(body.get("maximumBytesBilled").asText()).isEqualTo("1000000000");
        assertThat(body.get("timeoutMs").asLong()).isBetween(1L, 60_000L);
        assertThat(body.get("queryParameters").findValuesAsText("value"))
                .containsExactly("9223372036854775807", "2026-01-08T14:21:52.000001Z", "2026-01-08T14:21:52.000001Z");
    }

    @Test
    void without_the_time_of_the_event_every_partition_is_named() throws Exception {
        bigQuery.answers(200, NONE);

        row().find(1, null);

        assertThat(JSON.readTree(bigQuery.asked.remove().body())
                        .get("queryParameters")
                        .findValuesAsText("value"))
                .containsExactly("1", "0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z");
    }

    @Test
    void a_query_that_is_not_done_is_asked_for_again() throws Exception {
        String running = "{\"jobComplete\":false,\"jobReference\":{\"projectId\":\"p\",\"jobId\":\"job/1\","
                + "\"location\":\"europe-west3\"}}";
        bigQuery.answers(200, running).answers(200, running).answers(200, ROW);

        assertThat(row().find(7, null)).containsEntry("event_id", "7");

        bigQuery.asked.remove();
        assertThat(bigQuery.asked).hasSize(2).allSatisfy(asked -> {
            assertThat(asked.method()).isEqualTo("GET");
            assertThat(asked.target())
                    .startsWith(QUERIES + "/job%2F1?")
                    .contains("location=europe-west3", "formatOptions.useInt64Timestamp=true", "maxResults=1");
        });
    }

    @Test
    void a_query_that_is_never_done_is_given_up() {
        String running = "{\"jobComplete\":false,\"jobReference\":{\"jobId\":\"j\"}}";
        for (int i = 0; i < 100; i++) {
            bigQuery.answers(200, running);
        }

        assertUnavailable(row(), "The warehouse does not answer now");

        assertThat(bigQuery.asked).hasSizeBetween(2, 20);
    }

    @ParameterizedTest
    @CsvSource({
        "500, {}, does not answer now",
        "503, {}, does not answer now",
        "429, {}, does not answer now",
        "403, rateLimitExceeded, does not answer now",
        "403, accessDenied, refuses the question",
        "401, {}, refuses the question",
        "302, {}, refuses the question",
        "404, notFound, has no table of events yet",
        "400, bytesBilledLimitExceeded, api.warehouse-max-bytes",
        "200, <html>, does not answer now",
        "200, {}, does not answer now",
    })
    void what_is_no_answer_is_unavailable_and_quotes_nothing(int status, String body, String saying) {
        bigQuery.answers(status, body);

        UnavailableException refusal = assertUnavailable(row(), saying);

        assertThat(refusal.retryAfter()).isPositive();
        assertThat(refusal.saying()).doesNotContain("127.0.0.1", "<html>", "accessDenied");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"jobComplete\":true,\"rows\":[{\"f\":[{\"v\":\"7\"}]}]}",
                "{\"jobComplete\":true,\"rows\":[{\"f\":[{},{},{},{},{\"v\":\"1.7E9\"},{},{},{},{},{},{},{},{},{},"
                        + "{}]}]}"
            })
    void a_row_of_another_form_is_no_answer(String answer) {
        bigQuery.answers(200, answer);

        assertUnavailable(row(), "does not answer now");
    }

    @Test
    void an_answer_without_an_end_ends_with_the_timeout() {
        bigQuery.begins("{\"jobComplete\":");

        assertUnavailable(row(Duration.ofSeconds(1)), "does not answer now");
    }

    @Test
    void an_answer_that_is_too_large_is_not_kept() {
        bigQuery.answers(200, " ".repeat(9 * 1_024 * 1_024));

        assertThat(assertUnavailable(row(), "does not answer now")).hasMessageContaining("8388608 bytes");
    }

    @Test
    void who_did_not_answer_is_left_alone_for_a_moment() {
        bigQuery.answers(503, "{}").answers(200, ROW);
        WarehouseRow row = row();
        assertUnavailable(row, "does not answer now");

        // A machine that is slower than the pause asks again, and is answered.
        Throwable again = catchThrowable(() -> row.find(7, null));

        assertThat(bigQuery.asked).hasSize(again == null ? 2 : 1);
    }

    @Test
    void so_many_ask_at_once_and_no_more() throws Exception {
        CountDownLatch arrived = bigQuery.holds(WarehouseRow.MOST_AT_ONCE);
        WarehouseRow row = row();
        ExecutorService threads = Executors.newFixedThreadPool(WarehouseRow.MOST_AT_ONCE);
        try {
            List<Future<?>> asking = new ArrayList<>();
            for (int i = 0; i < WarehouseRow.MOST_AT_ONCE; i++) {
                asking.add(threads.submit(() -> row.find(7, null)));
            }
            assertThat(arrived.await(5, TimeUnit.MINUTES)).isTrue();

            UnavailableException refusal = assertUnavailable(row, "As many look into the warehouse");

            assertThat(refusal.retryAfter()).isPositive();
            assertThat(bigQuery.asked).hasSize(WarehouseRow.MOST_AT_ONCE);
            bigQuery.close();
            for (Future<?> each : asking) {
                assertThatThrownBy(() -> each.get(1, TimeUnit.MINUTES)).hasCauseInstanceOf(UnavailableException.class);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private static UnavailableException assertUnavailable(WarehouseRow row, String saying) {
        UnavailableException refusal = catchThrowableOfType(UnavailableException.class, () -> row.find(7, null));
        assertThat(refusal).isNotNull();
        assertThat(refusal.saying()).contains(saying);
        return refusal;
    }
}
