package dev.engagement.api.track;

import static dev.engagement.api.track.Samples.CONTENT;
import static dev.engagement.api.track.Samples.JSON;
import static dev.engagement.api.track.Samples.array;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.engagement.api.read.UnavailableException;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.Schema;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Events into a PostgreSQL that crashes, and that is this test's alone. */
class TrackFaultsIT {

    private static final Path DIRECTORY = Path.of("target/it/track-faults");

    private final ExecutorService clients = Executors.newCachedThreadPool();
    private PostgresServer postgres;
    private Track track;

    @BeforeEach
    void start() throws Exception {
        PostgresServer.discard(DIRECTORY);
        postgres = PostgresServer.start(DIRECTORY, 0);
        Schema.create(postgres);
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO content VALUES ('" + CONTENT + "', 'slug', 'title', 'video', 60, now())");
        }
        track = Track.open(Samples.options(source()), new ManualClock(Samples.NOW));
    }

    private PostgresConnection source() throws Exception {
        Path password = DIRECTORY.resolve("postgres.password").toAbsolutePath();
        Files.writeString(password, postgres.password());
        return new PostgresConnection(
                postgres.jdbcUrl(), postgres.username(), SecretRef.inFile("postgres.password", password.toString()));
    }

    @AfterEach
    void stop() {
        clients.shutdownNow();
        track.close();
        postgres.close();
    }

    @Test
    void a_postgresql_that_is_away_is_told_and_written_to_once_it_is_back() throws Exception {
        assertThat(track.post(array(1), JSON, "before").ids()).hasSize(1);
        postgres.stop();

        UnavailableException away =
                catchThrowableOfType(UnavailableException.class, () -> track.post(array(2), JSON, "key"));
        assertThat(away.store()).isEqualTo("PostgreSQL");
        assertThat(away.retryAfter()).isPositive();
        postgres.restart();

        assertThat(TrackIT.sent(track, array(2), "key").repeated()).isFalse();
        assertThat(TrackIT.sent(track, array(1), "before").repeated()).isTrue();
        assertThat(ids()).hasSize(3);
    }

    @Test
    void a_connection_that_died_while_nobody_wrote_is_not_noticed() throws Exception {
        track.post(array(1), JSON, null);
        postgres.restart();

        assertThat(track.post(array(1), JSON, null).ids()).hasSize(1);
        assertThat(ids()).hasSize(2);
    }

    @Test
    void what_was_answered_is_there_once_through_crashes() throws Exception {
        AtomicInteger answered = new AtomicInteger();
        int requests = 60;
        List<Future<List<TrackAnswer>>> all = new ArrayList<>();
        for (int client = 0; client < 4; client++) {
            String name = "client-" + client;
            all.add(clients.submit(() -> {
                List<TrackAnswer> answers = new ArrayList<>();
                for (int i = 0; i < requests; i++) {
                    answers.add(TrackIT.sent(track, array(3), name + "-" + i));
                    answered.incrementAndGet();
                }
                return answers;
            }));
        }
        for (int crashes = 1; crashes <= 3; crashes++) {
            int next = crashes * 50;
            await().until(() -> answered.get() >= next || all.stream().allMatch(Future::isDone));
            postgres.kill();
            postgres.restart();
        }

        Set<Long> ids = new HashSet<>();
        for (Future<List<TrackAnswer>> each : all) {
            each.get().forEach(answer -> ids.addAll(answer.ids()));
        }
        assertThat(ids).hasSize(4 * requests * 3);
        assertThat(new HashSet<>(ids())).isEqualTo(ids);
        assertThat(ids()).hasSize(ids.size());
    }

    private List<Long> ids() throws SQLException {
        List<Long> ids = new ArrayList<>();
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT id FROM engagement_events ORDER BY id")) {
            while (row.next()) {
                ids.add(row.getLong(1));
            }
        }
        return ids;
    }
}
