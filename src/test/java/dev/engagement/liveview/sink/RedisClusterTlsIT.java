package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.connection.SecretRef;
import dev.engagement.connection.testing.SelfSigned;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.liveview.WriteOutcome;
import dev.engagement.local.RedisClusterServers;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A Redis Cluster over {@code rediss://}, whose nodes announce the name in their certificate, with a password. */
class RedisClusterTlsIT {

    @TempDir
    private Path directory;

    @Test
    void every_master_is_written_to_under_the_name_in_its_certificate() throws Exception {
        SelfSigned certificate = SelfSigned.in(directory);
        Path secret = Files.writeString(directory.resolve("password"), "s3cret");
        List<ScriptedWrite> writes = IntStream.range(0, 100)
                .mapToObj(i -> Writes.count("c" + i, 1, new LiveViewKeys("")))
                .toList();
        try (RedisClusterServers cluster = RedisClusterServers.start(
                Path.of("target/redis/RedisClusterTlsIT"),
                "s3cret",
                new RedisClusterServers.Tls(certificate.certificate(), certificate.key(), SelfSigned.HOST))) {
            LiveViewOptions options = new LiveViewOptions(
                    URI.create(cluster.url(0)), SecretRef.inFile("redis.password", secret.toString()), "");
            RedisLink link = new RedisLink(
                    new RedisConnector(options, certificate.context().getSocketFactory(), null));

            RedisLink.Attempt attempt = link.attempt(writes);

            assertThat(options.tls()).isTrue();
            assertThat(attempt.failure()).isNull();
            assertThat(attempt.replies()).hasSize(100).containsOnly(new Reply.Done(WriteOutcome.WRITTEN));
            assertThat(attempt.incarnation().split(" ")).hasSize(3).doesNotHaveDuplicates();
            assertThat(RedisVerdict.of(new RedisLink(new RedisConnector(options))
                            .attempt(writes)
                            .failure()))
                    .isEqualTo(RedisVerdict.REFUSED);
            link.close();
        }
    }
}
