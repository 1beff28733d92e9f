package dev.engagement.local.receiver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class BehavioursTest {

    private final AtomicLong nanos = new AtomicLong();
    private final Behaviours behaviours = new Behaviours(nanos::get);

    private void set(String json) throws Exception {
        behaviours.set(Desk.MAPPER.readTree(json));
    }

    private List<String> next(int count) {
        List<String> modes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            modes.add(behaviours.next().mode().text());
        }
        return modes;
    }

    @Test
    void a_share_strikes_the_same_posts_by_the_same_seed() throws Exception {
        set("{\"mode\":\"fail\",\"share\":0.3,\"seed\":1}");
        List<String> first = next(1_000);
        set("{\"mode\":\"fail\",\"share\":0.3,\"seed\":1}");
        assertThat(next(1_000)).isEqualTo(first);
        set("{\"mode\":\"fail\",\"share\":0.3,\"seed\":2}");
        assertThat(next(1_000)).isNotEqualTo(first);
        assertThat(first.stream().filter("fail"::equals)).hasSizeBetween(230, 370);
    }

    @Test
    void the_first_that_strikes_is_it() throws Exception {
        set("[{\"mode\":\"reset\",\"times\":2},{\"mode\":\"fail\",\"times\":1},{\"mode\":\"hang\",\"share\":0}]");
        assertThat(next(5)).containsExactly("reset", "reset", "fail", "ok", "ok");
        assertThat(behaviours.toJson()).hasToString("{\"mode\":\"ok\",\"status\":200}");
    }

    @Test
    void a_behaviour_ends_after_its_time() throws Exception {
        set("{\"mode\":\"hang\",\"forMillis\":1000}");
        nanos.addAndGet(999_000_000);
        assertThat(next(1)).containsExactly("hang");
        assertThat(behaviours.toJson()).hasToString("{\"mode\":\"hang\",\"forMillis\":1}");
        nanos.addAndGet(1_000_000);
        assertThat(next(1)).containsExactly("ok");
    }

    @Test
    void what_is_told_can_be_set_again() throws Exception {
        String all = "[{\"mode\":\"fail\",\"status\":429,\"retryAfter\":\"2\",\"share\":0.5},"
                + "{\"mode\":\"slow\",\"status\":200,\"delayMillis\":50,\"times\":7}]";
        set(all);
        assertThat(behaviours.toJson()).hasToString(all);
    }
}
