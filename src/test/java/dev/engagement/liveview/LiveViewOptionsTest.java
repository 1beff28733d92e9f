package dev.engagement.liveview;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.engagement.connection.SecretRef;
import java.net.URI;
import org.junit.jupiter.api.Test;

class LiveViewOptionsTest {

    @Test
    void the_path_is_the_database() {
        assertThat(options("redis://host").database()).isZero();
        assertThat(options("redis://host:1234/3").database()).isEqualTo(3);
        assertThat(options("redis://host:1234/3").port()).isEqualTo(1234);
        assertThat(options("rediss://host/").port()).isEqualTo(6379);
    }

    @Test
    void a_path_that_is_no_number_is_refused() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> options("redis://host/live"))
                .withMessageContaining("redis.url ends with /live");
    }

    @Test
    void messages_name_the_server_without_who_logs_in() {
        LiveViewOptions ofAUser = new LiveViewOptions(
                URI.create("rediss://somebody@host/3"), SecretRef.inEnvironment("redis.password", "X"), "");

        assertThat(ofAUser.server()).isEqualTo("host:6379/3");
        assertThat(options("rediss://host").tls()).isTrue();
        assertThat(options("redis://host").tls()).isFalse();
    }

    @Test
    void a_user_without_a_password_is_refused_who_would_be_taken_for_the_default_one() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> options("redis://somebody@host"))
                .withMessageContaining("names the user somebody")
                .withMessageContaining("redis.password");
    }

    private static LiveViewOptions options(String url) {
        return new LiveViewOptions(URI.create(url), SecretRef.none(), "");
    }
}
