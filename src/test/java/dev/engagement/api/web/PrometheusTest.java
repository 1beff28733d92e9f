package dev.engagement.api.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class PrometheusTest {

    @Test
    void requests_are_counted_by_operation_and_status_and_timed_in_buckets_that_add_up() {
        Prometheus numbers = new Prometheus();
        numbers.answered("realtime", 200, Duration.ofMillis(3).toNanos());
        numbers.answered("realtime", 200, Duration.ofSeconds(20).toNanos());
        numbers.answered("realtime", 400, Duration.ofNanos(1).toNanos());
        numbers.answered("a\"b\\c\nd", 200, 0);
        numbers.refused("too-many-requests");
        numbers.supply("engagement_api_things", "Things", () -> 42);
        numbers.supply("engagement_api_done_total", "Done", () -> 7);

        List<String> lines = numbers.text().lines().toList();

        assertThat(lines)
                .contains(
                        "# TYPE engagement_api_requests_total counter",
                        "engagement_api_requests_total{operation=\"realtime\",status=\"200\"} 2",
                        "engagement_api_requests_total{operation=\"realtime\",status=\"400\"} 1",
                        "engagement_api_requests_total{operation=\"a\\\"b\\\\c\\nd\",status=\"200\"} 1",
                        "# TYPE engagement_api_request_seconds histogram",
                        "engagement_api_request_seconds_bucket{operation=\"realtime\",le=\"0.0005\"} 1",
                        "engagement_api_request_seconds_bucket{operation=\"realtime\",le=\"0.0025\"} 1",
                        "engagement_api_request_seconds_bucket{operation=\"realtime\",le=\"0.005\"} 2",
                        "engagement_api_request_seconds_bucket{operation=\"realtime\",le=\"10\"} 2",
                        "engagement_api_request_seconds_bucket{operation=\"realtime\",le=\"+Inf\"} 3",
                        "engagement_api_request_seconds_sum{operation=\"realtime\"} 20.003",
                        "engagement_api_request_seconds_count{operation=\"realtime\"} 3",
                        "engagement_api_refused_total{reason=\"too-many-requests\"} 1",
                        "# TYPE engagement_api_things gauge",
                        "engagement_api_things 42",
                        "# TYPE engagement_api_done_total counter",
                        "engagement_api_done_total 7");
    }

    @Test
    void every_line_is_one_of_the_format_and_no_name_is_described_twice() {
        Prometheus numbers = new Prometheus();
        numbers.answered("x", 200, 1);
        numbers.refused("y");
        numbers.supply("engagement_api_z", "Z", () -> -1);

        Set<String> described = new HashSet<>();
        assertThat(numbers.text()).endsWith("\n");
        assertThat(numbers.text().lines()).allSatisfy(line -> {
            assertThat(line)
                    .matches("# (HELP [a-z_]+ .+\\.|TYPE [a-z_]+ (counter|gauge|histogram))"
                            + "|[a-z_]+(\\{([a-z]+=\"[^\"]*\",?)+})? -?[0-9.]+");
            if (line.startsWith("# TYPE ")) {
                assertThat(described.add(line.split(" ")[2])).as(line).isTrue();
            }
        });
    }
}
