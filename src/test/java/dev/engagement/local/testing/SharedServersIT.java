package dev.engagement.local.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.local.BigQueryProcess;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.Schema;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

class SharedServersIT {

    private static final Path DIRECTORY = Path.of("target/it/shared-servers");

    @Test
    void the_next_lease_has_the_same_servers_and_nothing_of_what_the_one_before_left() throws Exception {
        long postgres;
        int kafka;
        int redis;
        try (SharedServers servers = SharedServers.lease(DIRECTORY)) {
            postgres = servers.postgres().pid();
            kafka = servers.kafka().port();
            redis = servers.redis().port();
            servers.sql("CREATE SCHEMA another; CREATE TABLE another.t (id INT)");
            servers.sql("INSERT INTO engagement_events (event_type, event_ts)" + " VALUES ('play', now())");
            servers.sql("SELECT pg_create_logical_replication_slot('" + Schema.SLOT + "', 'pgoutput')");
            try (Connection analytics = servers.analytics().connect(PostgresServer.ANALYTICS);
                    Statement statement = analytics.createStatement()) {
                statement.execute("CREATE TABLE left_over (id INT)");
            }
            try (Admin admin = admin(servers)) {
                admin.createTopics(List.of(new NewTopic("left", 2, (short) 1)))
                        .all()
                        .get();
                // The broker may know of a topic a moment after it has said that there is one.
                await().ignoreExceptionsMatching(e -> e.getCause() instanceof UnknownTopicOrPartitionException)
                        .until(() -> admin.alterConsumerGroupOffsets(
                                                "left", Map.of(new TopicPartition("left", 0), new OffsetAndMetadata(7)))
                                        .all()
                                        .get()
                                == null);
            }
            try (Jedis jedis = servers.redis().connect()) {
                jedis.set("left", "1");
            }
            servers.bigQuery().emulator().createDataset(BigQueryProcess.PROJECT, "left");
            assertThat(post(servers)).as("what is no event").isEqualTo(400);
            assertThat(servers.receiver().get("/stats").get("malformed").asLong())
                    .isEqualTo(1);
        }

        try (SharedServers servers = SharedServers.lease(DIRECTORY)) {
            assertThat(servers.postgres().pid()).isEqualTo(postgres);
            assertThat(servers.kafka().port()).isEqualTo(kafka);
            assertThat(servers.redis().port()).isEqualTo(redis);
            assertThat(number(servers, "SELECT count(*) FROM engagement_events"))
                    .isZero();
            assertThat(number(servers, "SELECT count(*) FROM pg_namespace WHERE nspname = 'another'"))
                    .isZero();
            assertThat(number(servers, "SELECT count(*) FROM pg_replication_slots"))
                    .isZero();
            try (Connection analytics = servers.analytics().connect(PostgresServer.ANALYTICS)) {
                assertThat(number(analytics, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
                        .isZero();
            }
            try (Admin admin = admin(servers)) {
                assertThat(admin.listTopics().names().get()).isEmpty();
                assertThat(admin.listConsumerGroups().all().get()).isEmpty();
            }
            try (Jedis jedis = servers.redis().connect()) {
                assertThat(jedis.dbSize()).isZero();
            }
            servers.bigQuery().emulator().createDataset(BigQueryProcess.PROJECT, "left");
            assertThat(servers.receiver().get("/stats").get("malformed").asLong())
                    .isZero();
        }
    }

    private static int post(SharedServers servers) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(servers.receiver().url() + "/events"))
                                .POST(HttpRequest.BodyPublishers.ofString("{\"event_id\": 1}"))
                                .build(),
                        HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }

    private static Admin admin(SharedServers servers) {
        return Admin.create(Map.of("bootstrap.servers", servers.kafka().bootstrapServers()));
    }

    private static long number(SharedServers servers, String query) throws SQLException {
        try (Connection connection = servers.postgres().connect()) {
            return number(connection, query);
        }
    }

    private static long number(Connection connection, String query) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getLong(1);
        }
    }
}
