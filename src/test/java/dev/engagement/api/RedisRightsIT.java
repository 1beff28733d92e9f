package dev.engagement.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.api.definition.ApiDefinition;
import dev.engagement.api.definition.Operation;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.local.testing.SharedServers;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol;

/** The API as a user of Redis who may do what the documentation says, and nothing else. */
class RedisRightsIT {

    private static final String RULE = "ACL SETUSER api on >PASSWORD ";

    @TempDir
    private Path folder;

    @Test
    void the_documented_rights_are_enough_for_every_read_and_for_live_clients() throws Exception {
        HttpClient http = HttpClient.newHttpClient();
        try (SharedServers servers = SharedServers.lease(Path.of("target/it/api-redis-rights"));
                Jedis redis = servers.redis().connect()) {
            redis.aclSetUser("api", rights());
            // Of a place the title is asked for.
            redis.zadd(new LiveViewKeys("p:").topByEvents(), 5, "a-content");
            redis.configResetStat();
            try {
                Path password = Files.writeString(folder.resolve("password"), "a-password");
                String url = servers.redis().url().replace("redis://", "redis://api@");
                String[] options = {
                    "--api.port",
                    "0",
                    "--redis.url",
                    url,
                    "--redis.password.secret-file",
                    password.toString(),
                    "--redis.key-prefix",
                    "p:",
                    "--api.store-timeout",
                    "30 s"
                };
                try (EngagementApi api = EngagementApi.start(ApiOptions.parse(options, Map.of()), Clock.systemUTC())) {
                    List<Operation> reads = ApiDefinition.get().reads();
                    for (Operation operation : reads) {
                        HttpResponse<String> answer = http.send(
                                HttpRequest.newBuilder(URI.create(api.address() + operation.example()))
                                        .build(),
                                HttpResponse.BodyHandlers.ofString());
                        // What is in PostgreSQL alone is not there.
                        assertThat(answer.body()).as(operation.id()).doesNotContain("Redis");
                    }
                    await().until(() -> http.send(
                                    HttpRequest.newBuilder(URI.create(api.address() + "/prometheus"))
                                            .build(),
                                    HttpResponse.BodyHandlers.ofString())
                            .body()
                            .contains("engagement_api_live_stale 0"));
                    // Of the subscription, now and then; refused or not.
                    await().until(() -> redis.info("commandstats").contains("cmdstat_ping:"));
                }
                List<?> refused = (List<?>) redis.sendCommand(Protocol.Command.ACL, "LOG");
                assertThat(refused).as("what Redis refused").isEmpty();
            } finally {
                redis.aclDelUser("api");
            }
        }
    }

    private static String[] rights() throws Exception {
        String page = Files.readString(Path.of("src/site/markdown/live-view.md"), StandardCharsets.UTF_8);
        String rule = page.lines()
                .filter(line -> line.startsWith(RULE))
                .findFirst()
                .orElseThrow(() -> new AssertionError("live-view.md says nothing of the API's user"));
        return ("on >a-password " + rule.substring(RULE.length())).split(" ");
    }
}
