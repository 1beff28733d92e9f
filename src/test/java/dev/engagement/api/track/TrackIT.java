package dev.engagement.api.track;

import static dev.engagement.api.track.Samples.CONTENT;
import static dev.engagement.api.track.Samples.JSON;
import static dev.engagement.api.track.Samples.LINES;
import static dev.engagement.api.track.Samples.USER;
import static dev.engagement.api.track.Samples.array;
import static dev.engagement.api.track.Samples.bytes;
import static dev.engagement.api.track.Samples.event;
import static dev.engagement.api.track.Samples.keyed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import dev.engagement.api.read.UnavailableException;
import dev.engagement.api.track.TrackRefusedException.Refusal;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.local.testing.SharedServers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Events into a real PostgreSQL. */
class TrackIT {

    private static final Path DIRECTORY = Path.of("target/it/track");

    private static final String WAITS_FOR_A_LOCK = "SELECT count(*) FROM pg_stat_activity WHERE application_name = '"
            + TrackSession.APPLICATION + "' AND wait_event_type = 'Lock'";

    private final ExecutorService clients = Executors.newCachedThreadPool();
    private SharedServers servers;
    private PostgresConnection source;
    private Track track;

    @BeforeEach
    void lease() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
        source = new PostgresConnection(
                servers.postgres().jdbcUrl(),
                servers.postgres().username(),
                SecretRef.inFile("postgres.password", servers.postgresPasswordFile()));
        servers.sql("INSERT INTO content VALUES ('" + CONTENT + "', 'slug', 'title', 'video', 60, now())");
        track = open();
    }

    @AfterEach
    void giveBack() {
        clients.shutdownNow();
        track.close();
        servers.close();
    }

    /** One more process of the API. */
    private Track open() {
        return Track.open(Samples.options(source), new ManualClock(Samples.NOW));
    }

    @Test
    void what_was_sent_is_in_the_table_under_the_ids_that_were_answered() throws Exception {
        String strange = "'); DROP TABLE engagement_events; --\\\\ \\\" {}, \u00e4 \ud83d\ude00";
        String full = event(",\"event_ts\":\"2026-01-08T10:00:00.123456+01:00\",\"duration_ms\":7,\"device\":\""
                + strange + "\",\"payload\":{\"t\":\"" + strange + "\",\"n\":1.50}");

        TrackAnswer answer = track.post(bytes(full + "\n" + event()), LINES, null);

        assertThat(answer.repeated()).isFalse();
        assertThat(answer.ids()).hasSize(2).doesNotHaveDuplicates();
        String text = strange.replace("\\\\", "\\").replace("\\\"", "\"");
        assertThat(rows("SELECT concat_ws('|', id, content_id, user_id, event_type, event_ts AT TIME ZONE 'UTC',"
                        + " duration_ms, device, raw_payload ->> 't', raw_payload ->> 'n')"
                        + " FROM engagement_events ORDER BY id"))
                .containsExactly(
                        answer.ids().get(0) + "|" + CONTENT + "|" + USER + "|click|2026-01-08 09:00:00.123456|7|" + text
                                + "|" + text + "|1.50",
                        answer.ids().get(1) + "|" + CONTENT + "|" + USER + "|click|2026-01-08 09:00:30");
    }

    @Test
    void a_request_that_is_sent_again_inserts_nothing_and_is_answered_with_the_same_ids() throws Exception {
        TrackAnswer first = track.post(array(5), JSON, "key");

        TrackAnswer again = track.post(array(5), JSON, "key");
        TrackAnswer afterRestart;
        try (Track other = open()) {
            afterRestart = other.post(array(5), JSON, "key");
        }

        assertThat(first.repeated()).isFalse();
        assertThat(again).isEqualTo(new TrackAnswer(first.ids(), true));
        assertThat(afterRestart).isEqualTo(again);
        assertThat(ids()).isEqualTo(first.ids());
        assertThat(track.post(array(5), JSON, "another").ids()).doesNotContainAnyElementsOf(first.ids());
    }

    @Test
    void a_key_that_comes_with_another_body_is_refused() throws Exception {
        TrackAnswer first = track.post(array(1), JSON, "key");

        TrackRefusedException refused = refused(array(2), "key");

        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.refusals()).extracting(Refusal::field).containsExactly("Idempotency-Key");
        assertThat(ids()).isEqualTo(first.ids());
    }

    @Test
    void what_was_refused_may_be_sent_again_under_its_key_once_it_is_right() throws Exception {
        servers.sql("DELETE FROM content");
        assertThat(refused(array(2), "key").refusals())
                .extracting(Refusal::line, Refusal::field)
                .containsExactly(tuple(1, "content_id"), tuple(2, "content_id"));
        servers.sql("INSERT INTO content VALUES ('" + CONTENT + "', 'slug', 'title', 'video', 60, now())");

        assertThat(track.post(array(2), JSON, "key").repeated()).isFalse();
        assertThat(ids()).hasSize(2);
    }

    @Test
    void an_event_that_is_sent_again_has_the_id_that_it_had() throws Exception {
        TrackAnswer first = track.post(bytes("[" + keyed("a") + "," + event() + "," + keyed("a") + "]"), JSON, null);
        assertThat(first.ids().get(0)).isEqualTo(first.ids().get(2));

        TrackAnswer mixed = track.post(bytes(keyed("b") + "\n" + keyed("a")), LINES, "key");
        TrackAnswer all = track.post(bytes(keyed("a") + "\n" + keyed("b")), LINES, null);

        assertThat(mixed.repeated()).isFalse();
        assertThat(mixed.ids().get(1)).isEqualTo(first.ids().get(0));
        assertThat(all)
                .isEqualTo(
                        new TrackAnswer(List.of(first.ids().get(0), mixed.ids().get(0)), true));
        assertThat(track.post(bytes(keyed("b") + "\n" + keyed("a")), LINES, "key")
                        .ids())
                .isEqualTo(mixed.ids());
        assertThat(ids()).hasSize(3);
        assertThat(count("SELECT count(*) FROM engagement_track_keys WHERE kind <> 'GROUP'"))
                .isEqualTo(3);
    }

    @Test
    void a_key_of_a_request_is_no_key_of_an_event() throws Exception {
        track.post(bytes(keyed("k")), JSON, "k");

        assertThat(ids()).hasSize(1);
        assertThat(count("SELECT count(*) FROM engagement_track_keys")).isEqualTo(2);
    }

    @Test
    void one_request_that_comes_many_times_at_once_into_two_processes_is_written_once() throws Exception {
        try (Track other = open()) {
            for (int round = 0; round < 10; round++) {
                String key = "round-" + round;
                List<TrackAnswer> answers =
                        atOnce(16, client -> (client % 2 == 0 ? track : other).post(array(7), JSON, key));

                assertThat(answers.stream().map(TrackAnswer::ids).distinct()).hasSize(1);
                assertThat(answers.stream().filter(answer -> !answer.repeated()))
                        .hasSize(1);
            }
        }

        assertThat(ids()).hasSize(70);
    }

    @Test
    void events_that_come_many_times_at_once_in_any_order_and_mixture_are_written_once() throws Exception {
        Map<String, Set<Long>> idsByKey = new ConcurrentHashMap<>();
        try (Track other = open()) {
            atOnce(8, client -> {
                Random random = new Random(client);
                for (int round = 0; round < 25; round++) {
                    List<String> keys = new ArrayList<>();
                    for (int i = 0; i < 40; i++) {
                        keys.add("k" + i);
                    }
                    Collections.shuffle(keys, random);
                    keys = keys.subList(0, 1 + random.nextInt(10));
                    String body = keys.stream().map(Samples::keyed).collect(Collectors.joining("\n"));
                    Track process = random.nextBoolean() ? track : other;
                    List<Long> ids = process.post(
                                    bytes(body), LINES, random.nextBoolean() ? client + "-" + round : null)
                            .ids();
                    for (int i = 0; i < keys.size(); i++) {
                        idsByKey.computeIfAbsent(keys.get(i), key -> ConcurrentHashMap.newKeySet())
                                .add(ids.get(i));
                    }
                }
                return round(client);
            });
        }

        assertThat(idsByKey.values()).allSatisfy(ids -> assertThat(ids).hasSize(1));
        Set<Long> answered = new HashSet<>();
        idsByKey.values().forEach(answered::addAll);
        assertThat(new HashSet<>(ids())).isEqualTo(answered);
        assertThat(ids()).hasSize(idsByKey.size());
    }

    private static TrackAnswer round(int client) {
        return new TrackAnswer(List.of((long) client), false);
    }

    @Test
    void who_finds_a_key_that_is_being_written_waits_and_is_answered_with_its_ids() throws Exception {
        track.post(array(1), JSON, null);
        try (Connection other = servers.postgres().connect();
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("INSERT INTO engagement_track_keys (kind, key, ids, fingerprint)"
                    + " VALUES ('EVENT', 'held', '{4711}', NULL)");
            Future<TrackAnswer> waiting = clients.submit(() -> track.post(bytes(keyed("held")), JSON, null));
            await().until(() -> count(WAITS_FOR_A_LOCK) == 1);
            assertThat(waiting).isNotDone();

            other.commit();

            assertThat(waiting.get()).isEqualTo(new TrackAnswer(List.of(4711L), true));
        }
        assertThat(ids()).hasSize(1);
    }

    @Test
    void who_finds_a_key_that_is_rolled_back_is_written() throws Exception {
        track.post(array(1), JSON, null);
        try (Connection other = servers.postgres().connect();
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("INSERT INTO engagement_track_keys (kind, key, ids, fingerprint)"
                    + " VALUES ('REQUEST', 'held', '{4711}', 'x')");
            Future<TrackAnswer> waiting = clients.submit(() -> track.post(array(3), JSON, "held"));
            await().until(() -> count(WAITS_FOR_A_LOCK) == 1);

            other.rollback();

            assertThat(waiting.get().repeated()).isFalse();
            assertThat(ids()).containsAll(waiting.get().ids()).hasSize(4);
        }
    }

    @Test
    void what_a_rule_of_the_table_refuses_is_found_and_holds_nobody_else_up() throws Exception {
        servers.sql("ALTER TABLE engagement_events ADD CHECK (duration_ms <> 3)");
        try (Track one = Track.open(Samples.options(source, 1, 20_000, 2_000), new ManualClock(Samples.NOW));
                Connection other = servers.postgres().connect();
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("LOCK TABLE engagement_events IN EXCLUSIVE MODE");
            Future<TrackAnswer> first = clients.submit(() -> one.post(array(1), JSON, null));
            await().until(() -> count(WAITS_FOR_A_LOCK) == 1);
            Future<TrackAnswer> good = clients.submit(() -> one.post(array(3), JSON, "good"));
            await().until(() -> one.waitingEvents() == 3);
            Future<TrackAnswer> bad = clients.submit(() -> one.post(array(5), JSON, "bad"));
            await().until(() -> one.waitingEvents() == 8);
            Future<TrackAnswer> alsoGood = clients.submit(() -> one.post(array(2), JSON, null));
            await().until(() -> one.waitingEvents() == 10);

            other.commit();

            assertThat(first.get().ids()).hasSize(1);
            assertThat(good.get().ids()).hasSize(3);
            assertThat(alsoGood.get().ids()).hasSize(2);
            assertThatThrownBy(bad::get).cause().isInstanceOfSatisfying(TrackRefusedException.class, refused -> {
                assertThat(refused.refusals()).extracting(Refusal::line).containsExactly(4);
                assertThat(refused).hasMessageContaining("violates check constraint");
            });
        }
        assertThat(ids()).hasSize(6);
        assertThat(rows("SELECT key FROM engagement_track_keys WHERE kind <> 'GROUP'"))
                .containsExactly("good");
    }

    @Test
    void a_rule_that_speaks_at_the_commit_is_found_too() throws Exception {
        servers.sql("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                + " IF NEW.duration_ms = 3 THEN RAISE EXCEPTION 'three is not liked'; END IF; RETURN NULL; END $$");
        servers.sql("CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON engagement_events"
                + " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()");

        TrackRefusedException refused = refused(array(5), "key");

        assertThat(refused.refusals()).extracting(Refusal::line).containsExactly(4);
        assertThat(refused).hasMessageContaining("three is not liked");
        assertThat(ids()).isEmpty();
        assertThat(count("SELECT count(*) FROM engagement_track_keys")).isZero();
    }

    @Test
    void an_unknown_content_is_refused_with_its_line_and_a_known_event_of_it_is_not() throws Exception {
        TrackAnswer known = track.post(bytes(keyed("k")), JSON, null);
        String unknown = event().replace(CONTENT, USER);

        assertThat(refused(bytes("[" + event() + "," + unknown + "]"), null).refusals())
                .extracting(Refusal::line)
                .containsExactly(2);
        // It was written when there was such a content; what was known stays known.
        servers.sql("DELETE FROM engagement_events");
        servers.sql("DELETE FROM content");
        assertThat(track.post(bytes(keyed("k")), JSON, null).ids()).isEqualTo(known.ids());
    }

    @Test
    void ids_that_are_none_are_refused_before_and_after_the_table_is_known() throws Exception {
        byte[] body = bytes("[" + event() + "," + event().replace(CONTENT, "x") + "]");

        for (int i = 0; i < 2; i++) {
            assertThat(refused(body, null).refusals()).extracting(Refusal::line).containsExactly(2);
            assertThat(track.post(array(1), JSON, null).ids()).hasSize(1);
        }
    }

    @Test
    void a_table_of_another_form_is_written_to_as_it_is() throws Exception {
        servers.sql("CREATE TABLE numbered (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, content_id BIGINT,"
                + " user_id TEXT, event_type VARCHAR(5), event_ts TIMESTAMPTZ, duration_ms BIGINT, device TEXT,"
                + " raw_payload JSON)");
        TrackOptions usual = Samples.options(source);
        TrackOptions options = new TrackOptions(
                source,
                usual.schema(),
                "numbered",
                usual.eventTypes(),
                usual.maxBodyBytes(),
                usual.maxEventBytes(),
                usual.maxEvents(),
                usual.connections(),
                usual.maxWaitingEvents(),
                usual.maxGroupEvents(),
                usual.timeout(),
                usual.keysKeptFor(),
                usual.maxAhead());
        String event = "{\"content_id\":5,\"user_id\":\"somebody\",\"event_type\":\"%s\",\"payload\":[1]}";
        try (Track other = Track.open(options, new ManualClock(Samples.NOW))) {
            TrackAnswer answer = other.post(bytes(event.formatted("click")), JSON, "key");

            assertThat(rows("SELECT concat_ws('|', id, content_id, user_id, event_type, raw_payload) FROM numbered"))
                    .containsExactly(answer.ids().get(0) + "|5|somebody|click|[1]");
            // Longer than the column: refused, and not cut short.
            TrackRefusedException refused = catchThrowableOfType(
                    TrackRefusedException.class, () -> other.post(bytes(event.formatted("finish")), JSON, null));
            assertThat(refused.refusals()).extracting(Refusal::line).containsExactly(1);
        }
    }

    @Test
    void keys_are_removed_when_their_time_is_over_and_not_before() throws Exception {
        track.post(bytes(keyed("young")), JSON, "young");
        servers.sql("INSERT INTO engagement_track_keys (kind, key, ids, made_at) SELECT 'EVENT', 'old-' || i,"
                + " ARRAY[1::bigint], now() - interval '25 hours' FROM generate_series(1, 2500) AS i");
        KeySweep sweep = new KeySweep(Samples.options(source));

        sweep.run();

        assertThat(sweep.removed()).isEqualTo(2_500);
        assertThat(rows("SELECT key FROM engagement_track_keys")).containsExactlyInAnyOrder("young", "young");
        sweep.run();
        assertThat(sweep.removed()).isEqualTo(2_500);
    }

    @Test
    void a_sweep_makes_no_table() throws Exception {
        new KeySweep(Samples.options(source)).run();

        assertThat(count("SELECT count(*) FROM pg_class WHERE relname = '" + TrackKeys.TABLE + "'"))
                .isZero();
    }

    @Test
    void a_role_needs_the_rights_that_are_named_and_no_others() throws Exception {
        servers.sql("DROP ROLE IF EXISTS tracker");
        servers.sql("CREATE ROLE tracker LOGIN PASSWORD 'secret'");
        servers.sql("GRANT INSERT ON engagement_events TO tracker");
        servers.sql("GRANT USAGE ON SEQUENCE engagement_events_id_seq TO tracker");
        servers.sql("GRANT SELECT ON content TO tracker");
        Path password = DIRECTORY.resolve("tracker.password").toAbsolutePath();
        Files.writeString(password, "secret");
        TrackOptions options = Samples.options(new PostgresConnection(
                servers.postgres().jdbcUrl(), "tracker", SecretRef.inFile("postgres.password", password.toString())));
        try (Track other = Track.open(options, new ManualClock(Samples.NOW))) {
            UnavailableException away =
                    catchThrowableOfType(UnavailableException.class, () -> other.post(array(1), JSON, "key"));
            assertThat(away.store()).isEqualTo("PostgreSQL");
        }
        for (String sql : new TrackKeys("public").create()) {
            servers.sql(sql);
        }
        servers.sql("GRANT SELECT, INSERT, UPDATE, DELETE ON engagement_track_keys TO tracker");

        try (Track other = Track.open(options, new ManualClock(Samples.NOW))) {
            assertThat(other.post(array(1), JSON, "key").ids()).hasSize(1);
            assertThat(other.post(array(1), JSON, "key").repeated()).isTrue();
        }
        KeySweep sweep = new KeySweep(options);
        servers.sql("UPDATE engagement_track_keys SET made_at = now() - interval '2 days'");
        sweep.run();
        assertThat(sweep.removed()).isOne();
        servers.sql("DROP OWNED BY tracker");
        servers.sql("DROP ROLE tracker");
    }

    @Test
    void who_does_not_know_whether_a_commit_came_through_is_told_by_postgresql() throws Exception {
        try (TrackSession session = TrackSession.open(Samples.options(source))) {
            TrackSession.Pending written = session.write(List.of(Samples.request("a", 1, 0)));
            assertThat(written).isNotNull();
            try (TrackSession other = TrackSession.open(Samples.options(source))) {
                assertThat(other.fateOf(written)).isEqualTo(TrackSession.Fate.UNDER_WAY);
            }
            session.commit();
            assertThat(session.fateOf(written)).isEqualTo(TrackSession.Fate.COMMITTED);
            TrackSession.Pending dropped = session.write(List.of(Samples.request("b", 1, 0)));
            assertThat(dropped).isNotNull();
            session.rollback();
            assertThat(session.fateOf(dropped)).isEqualTo(TrackSession.Fate.ABORTED);
        }
    }

    @Test
    void a_number_that_another_transaction_has_after_a_crash_proves_no_commit() throws Exception {
        for (String key : new String[] {null, "key"}) {
            try (TrackSession session = TrackSession.open(Samples.options(source))) {
                TrackSession.Pending lost = session.write(List.of(Samples.request(key, 1, 0)));
                assertThat(lost).isNotNull();
                session.rollback();
                TrackSession.Pending next = session.write(List.of(Samples.request(null, 1, 0)));
                assertThat(next).isNotNull();
                session.commit();

                TrackSession.Pending reused =
                        new TrackSession.Pending(lost.outcomes(), next.transaction(), lost.keys());
                assertThat(session.fateOf(reused)).isEqualTo(TrackSession.Fate.ABORTED);
                TrackSession.Pending notYetGivenOut =
                        new TrackSession.Pending(lost.outcomes(), next.transaction() + 1_000, lost.keys());
                assertThat(session.fateOf(notYetGivenOut)).isEqualTo(TrackSession.Fate.ABORTED);
                assertThat(session.fateOf(next)).isEqualTo(TrackSession.Fate.COMMITTED);
            }
        }
    }

    @Test
    void connections_that_are_cut_lose_nothing_and_double_nothing() throws Exception {
        AtomicInteger answered = new AtomicInteger();
        int requests = 60;
        List<Future<List<TrackAnswer>>> all = new ArrayList<>();
        for (int client = 0; client < 4; client++) {
            String name = "client-" + client;
            all.add(clients.submit(() -> {
                List<TrackAnswer> answers = new ArrayList<>();
                for (int i = 0; i < requests; i++) {
                    answers.add(sent(track, array(3), name + "-" + i));
                    answered.incrementAndGet();
                }
                return answers;
            }));
        }
        for (int cuts = 1; cuts <= 10; cuts++) {
            int next = cuts * 15;
            await().until(() -> answered.get() >= next || all.stream().allMatch(Future::isDone));
            servers.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '"
                    + TrackSession.APPLICATION + "'");
        }

        Set<Long> ids = new HashSet<>();
        for (Future<List<TrackAnswer>> each : all) {
            each.get().forEach(answer -> ids.addAll(answer.ids()));
        }
        assertThat(ids).hasSize(4 * requests * 3);
        assertThat(new HashSet<>(ids())).isEqualTo(ids);
        assertThat(ids()).hasSize(ids.size());
    }

    /** Sends a request until it is answered, as a client does. */
    static TrackAnswer sent(Track track, byte[] body, String key) {
        return await().ignoreException(UnavailableException.class)
                .until(() -> track.post(body, JSON, key), answer -> true);
    }

    /** What a client does. */
    @FunctionalInterface
    private interface Client {
        TrackAnswer run(int number) throws Exception;
    }

    /** Runs so many clients, which begin together. */
    private List<TrackAnswer> atOnce(int count, Client client) throws Exception {
        CountDownLatch ready = new CountDownLatch(count);
        List<Future<TrackAnswer>> running = IntStream.range(0, count)
                .mapToObj(number -> clients.submit(() -> {
                    ready.countDown();
                    ready.await();
                    return client.run(number);
                }))
                .toList();
        List<TrackAnswer> answers = new ArrayList<>();
        for (Future<TrackAnswer> each : running) {
            answers.add(each.get());
        }
        return answers;
    }

    private TrackRefusedException refused(byte[] body, String key) {
        TrackRefusedException refused =
                catchThrowableOfType(TrackRefusedException.class, () -> track.post(body, JSON, key));
        assertThat(refused).isNotNull();
        return refused;
    }

    private List<Long> ids() throws SQLException {
        return rows("SELECT id FROM engagement_events ORDER BY id").stream()
                .map(Long::valueOf)
                .toList();
    }

    private long count(String sql) throws SQLException {
        return Long.parseLong(rows(sql).get(0));
    }

    private List<String> rows(String sql) throws SQLException {
        List<String> rows = new ArrayList<>();
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            while (row.next()) {
                rows.add(row.getString(1));
            }
        }
        return rows;
    }
}
