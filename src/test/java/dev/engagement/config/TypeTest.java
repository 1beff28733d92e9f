package dev.engagement.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import org.apache.flink.configuration.MemorySize;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TypeTest {

    private static final Type<Duration> DURATION = Type.duration(Duration.ZERO);
    private static final Type<MemorySize> SIZE = Type.size(MemorySize.parse("1 kb"), MemorySize.parse("8 mb"));

    @ParameterizedTest
    @CsvSource({
        "30 s, PT30S",
        "10min, PT10M",
        "10 min, PT10M",
        "1 h, PT1H",
        "1 d, PT24H",
        "250ms, PT0.25S",
        "PT30S, PT30S",
        "pt1.5s, PT1.5S",
        "P1D, PT24H",
        "0 s, PT0S"
    })
    void readsDurations(String text, Duration duration) {
        assertThat(DURATION.parser().parse(text)).isEqualTo(duration);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "30", "s", "-5 s", "PT-5S", "1.5 s", "30 parsecs", "99999999999999 d", "200 years", "P"})
    void refusesOtherDurations(String text) {
        assertThatThrownBy(() -> DURATION.parser().parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void numberWithoutUnitIsNotTakenForMilliseconds() {
        assertThatThrownBy(() -> DURATION.parser().parse("30")).hasMessageStartingWith("it has no unit");
    }

    @Test
    void readsNoneOrADuration() {
        assertThat(Type.NONE_OR_DURATION.parser().parse("None")).isEmpty();
        assertThat(Type.NONE_OR_DURATION.parser().parse("7 d")).isEqualTo(Optional.of(Duration.ofDays(7)));
        assertThatThrownBy(() -> Type.NONE_OR_DURATION.parser().parse("never")).hasMessageEndingWith("or 'none'");
    }

    @ParameterizedTest
    @CsvSource({"1 mb, 1048576", "8128kb, 8323072", "2048, 2048", "1 kb, 1024", "8 mb, 8388608"})
    void readsSizes(String text, long bytes) {
        assertThat(SIZE.parser().parse(text).getBytes()).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "1.5 mb", "-1 mb", "1023", "8193 kb", "99999999999 gb", "much"})
    void refusesOtherSizes(String text) {
        assertThatThrownBy(() -> SIZE.parser().parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost:9092", "a:1,b:65535", "[::1]:9092", "kafka_1.example.org:9092", "SSL://a:9093"})
    void readsServers(String text) {
        assertThat(Type.SERVERS.parser().parse(text)).isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "localhost", "localhost:", ":9092", "a:1,", "a:0", "a:65536", "u:p@a:1", "a:1;b:2"})
    void refusesOtherServers(String text) {
        assertThatThrownBy(() -> Type.SERVERS.parser().parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource({
        "redis://h, redis://h:6379",
        "redis://h:1, redis://h:1",
        "rediss://user@h/3, rediss://user@h:6379/3",
        "redis://[::1]:6380/, redis://[::1]:6380/"
    })
    void readsRedisUrls(String text, URI url) {
        assertThat(Type.REDIS_URL.parser().parse(text)).isEqualTo(url);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "localhost:6379", "http://h", "redis://", "redis:h", "redis://h/x", "redis://a b"})
    void refusesOtherRedisUrls(String text) {
        assertThatThrownBy(() -> Type.REDIS_URL.parser().parse(text)).hasMessageContaining("redis://host:port");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ".", "..", "a b", "a/b", "ä"})
    void refusesWhatIsNoTopicName(String text) {
        assertThatThrownBy(() -> Type.TOPIC.parser().parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "-2", "32768", "three"})
    void refusesWhatIsNoReplicationFactor(String text) {
        assertThatThrownBy(() -> Type.replicationFactor().parser().parse(text))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
