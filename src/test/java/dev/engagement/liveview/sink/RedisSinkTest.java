package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;

import dev.engagement.connection.SecretRef;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewOptions;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.util.InstantiationUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RedisSinkTest {

    @Test
    void what_is_missing_is_named() {
        assertThatNullPointerException()
                .isThrownBy(() -> RedisSink.<LiveValue>builder()
                        .mapping(LiveViewMappings.values())
                        .build())
                .withMessageContaining("options");
        assertThatNullPointerException()
                .isThrownBy(() -> RedisSink.<LiveValue>builder()
                        .options(options(SecretRef.none()))
                        .build())
                .withMessageContaining("mapping");
    }

    @Test
    void it_travels_to_the_task_managers_without_the_password(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("password"), "s3cret-of-the-live-view");

        byte[] bytes = InstantiationUtil.serializeObject(RedisSink.<LiveValue>builder()
                .options(options(SecretRef.inFile("redis.password", file.toString())))
                .mapping(LiveViewMappings.values())
                .build());

        assertThat(new String(bytes, StandardCharsets.ISO_8859_1)).doesNotContain("s3cret-of-the-live-view");
    }

    private static LiveViewOptions options(SecretRef password) {
        return new LiveViewOptions(URI.create("redis://localhost"), password, "");
    }
}
