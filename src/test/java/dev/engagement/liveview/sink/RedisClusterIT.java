package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.SecretRef;
import dev.engagement.event.Standings;
import dev.engagement.liveview.EventCache;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.Samples;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.liveview.Tally;
import dev.engagement.liveview.WriteOutcome;
import dev.engagement.local.RedisClusterServers;
import dev.engagement.local.RedisServer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.args.ClientType;
import redis.clients.jedis.params.ClientKillParams;
import redis.clients.jedis.util.JedisClusterCRC16;

/** The link on a real Redis Cluster of three masters with a password, whose nodes die, freeze, forget and trade slots. */
class RedisClusterIT {

    private static final String PASSWORD = "s3cret-of-the-live-view";
    private static final LiveViewKeys KEYS = new LiveViewKeys("stage:");
    private static final int CONTENTS = 300;
    /** A guard against hanging. */
    private static final Duration LIMIT = Duration.ofMinutes(5);

    private static final Duration POLL_INTERVAL = Duration.ofMillis(20);

    private static RedisClusterServers cluster;

    @TempDir
    private static Path secrets;

    private static Path secret;

    private final RedisConnector connector = connector(0);
    private final RedisLink link = new RedisLink(connector);
    private long total;

    @BeforeAll
    static void start() throws IOException {
        secret = Files.writeString(secrets.resolve("password"), PASSWORD + "\n");
        cluster = RedisClusterServers.start(Path.of("target/redis/RedisClusterIT"), PASSWORD, null);
    }

    @AfterAll
    static void stop() {
        cluster.close();
    }

    @BeforeEach
    void empty() {
        cluster.awaitWhole();
        for (RedisServer node : cluster.nodes()) {
            try (Jedis jedis = node.connect()) {
                jedis.flushAll();
            }
        }
    }

    @AfterEach
    void close() {
        link.close();
        for (RedisServer node : cluster.nodes()) {
            if (node.isAlive()) {
                node.thaw();
            } else {
                node.restart();
            }
        }
    }

    @Test
    void writes_of_all_kinds_reach_the_node_of_their_key_and_answers_keep_their_order() {
        long now = System.currentTimeMillis() * 1_000;
        long minute = Tally.minuteOf(now);
        List<ScriptedWrite> writes = new ArrayList<>();
        List<Reply> expected = new ArrayList<>();
        for (int i = 0; i < CONTENTS; i++) {
            writes.add(Writes.count("c" + i, 5, KEYS));
            writes.add(Writes.one(Samples.last("c" + i, i, now), KEYS));
            writes.add(Writes.count("c" + i, 4, KEYS));
            writes.add(Writes.one(new LiveValue.Meta(Samples.content("c" + i), 7), KEYS));
            writes.add(Writes.one(new LiveValue.MetaGone("gone" + i, 7, System.currentTimeMillis()), KEYS));
            writes.addAll(Writes.of(Tally.none("t" + i).plus(1).plusInMinute(minute - i % 10, 1), KEYS));
            writes.add(Writes.one(
                    new LiveValue.Board(
                            LiveValue.Board.Kind.values()[i % 2],
                            now / 1_000 + i,
                            List.of(new Standings.Place("c" + i, 1))),
                    KEYS));
            writes.add(EventCache.write(Samples.last("c" + i, i, now).enriched(), KEYS, now / 1_000));
            writes.add(Writes.one(Samples.cell(Samples.metric("t{" + i + "}", now / 1_000, 1)), KEYS));
            for (WriteOutcome outcome : List.of(
                    WriteOutcome.WRITTEN,
                    WriteOutcome.WRITTEN,
                    WriteOutcome.SUPERSEDED,
                    WriteOutcome.WRITTEN,
                    WriteOutcome.WRITTEN,
                    WriteOutcome.WRITTEN,
                    WriteOutcome.WRITTEN,
                    WriteOutcome.WRITTEN,
                    WriteOutcome.WRITTEN,
                    WriteOutcome.WRITTEN)) {
                expected.add(new Reply.Done(outcome));
            }
        }

        assertThat(link.attempt(writes).replies()).isEqualTo(expected);
        assertThat(exists(KEYS.topByEvents())).isTrue();
        assertThat(exists(KEYS.boardVersion(KEYS.topByEngagement()))).isTrue();
        for (int i = 0; i < CONTENTS; i++) {
            assertThat(exists(KEYS.count("c" + i))).isTrue();
            assertThat(exists(KEYS.last("c" + i))).isTrue();
            assertThat(exists(KEYS.meta("c" + i))).isTrue();
            assertThat(exists(KEYS.metaTombstone("gone" + i))).isTrue();
            assertThat(exists(KEYS.bucket(minute - i % 10))).isTrue();
            assertThat(exists(KEYS.event(i))).isTrue();
            String windows = KEYS.windows(Samples.METRICS, List.of("t{" + i + "}"));
            assertThat(exists(windows)).isTrue();
            assertThat(exists(KEYS.windowVersions(windows))).isTrue();
        }
    }

    @Test
    void a_node_that_is_killed_fails_its_own_writes_alone_until_it_is_back() {
        assertThat(link.attempt(counts()).hasFailures()).isFalse();
        cluster.nodes().get(1).kill();

        for (int i = 0; i < 20; i++) {
            othersAreWritten(1);
        }

        cluster.nodes().get(1).restart();
        awaitAllWritten(LIMIT);
    }

    @Test
    void a_frozen_node_costs_the_others_its_timeout_once_and_then_a_moment_now_and_then() {
        assertThat(link.attempt(counts()).hasFailures()).isFalse();
        long before = connections(2);
        cluster.nodes().get(2).freeze();
        long start = System.nanoTime();
        for (int i = 0; i < 50; i++) {
            othersAreWritten(2);
        }
        Duration frozen = Duration.ofNanos(System.nanoTime() - start);
        cluster.nodes().get(2).thaw();

        // Each look at it is a connection that it finds when it lives again; between two looks it is left alone.
        assertThat(connections(2) - before - 1)
                .as("looks in %s", frozen)
                .isLessThanOrEqualTo(1 + frozen.dividedBy(KnownNodes.PAUSE));
        awaitAllWritten(LIMIT);
    }

    @Test
    void the_nodes_that_are_known_stand_in_for_the_configured_one() {
        assertThat(link.attempt(counts()).hasFailures()).isFalse();
        cluster.nodes().get(0).kill();
        // As after a connection that was given up: the connector knows what is left.
        link.close();

        othersAreWritten(0);
        assertThat(new RedisLink(connector(0)).attempt(counts()).failure()).isNotNull();
    }

    @Test
    void a_slot_that_moves_with_its_keys_is_followed() {
        String moving = "c1";
        int slot = slot(KEYS.count(moving));
        int from = owner(slot);
        int to = (from + 1) % 3;
        assertThat(link.attempt(counts()).hasFailures()).isFalse();

        cluster.moveSlot(slot, from, to);
        try {
            assertThat(link.attempt(counts()).replies().stream().filter(Reply.Failed.class::isInstance))
                    .isNotEmpty()
                    .allSatisfy(reply -> {
                        assertThat(((Reply.Failed) reply).error()).startsWith("MOVED " + slot);
                        assertThat(((Reply.Failed) reply).verdict()).isEqualTo(RedisVerdict.TRANSIENT);
                    });
            awaitAllWritten(LIMIT);
            try (Jedis node = cluster.nodes().get(to).connect()) {
                assertThat(node.get(KEYS.count(moving))).isEqualTo(Long.toString(total));
            }
        } finally {
            cluster.moveSlot(slot, to, from);
        }
        awaitAllWritten(LIMIT);
    }

    @Test
    void a_key_on_its_way_waits_for_the_end_of_the_move() {
        String moving = "c1";
        int slot = slot(KEYS.count(moving));
        int from = owner(slot);
        int to = (from + 1) % 3;
        ScriptedWrite write = Writes.count(moving, 1, KEYS);
        link.attempt(List.of());

        cluster.beginMove(slot, from, to);
        try {
            // It is not there, so the old owner sends whoever asks to the new one.
            assertThat(link.attempt(List.of(write)).replies().get(0))
                    .isInstanceOfSatisfying(Reply.Failed.class, failed -> {
                        assertThat(failed.error()).startsWith("ASK " + slot);
                        assertThat(failed.verdict()).isEqualTo(RedisVerdict.TRANSIENT);
                    });
        } finally {
            cluster.endMove(slot, from, to);
        }
        await(LIMIT, () -> !link.attempt(List.of(write)).hasFailures());
        cluster.moveSlot(slot, to, from);
    }

    @Test
    void memory_is_the_same_for_everybody_until_a_node_lost_its_own() {
        String before = link.attempt(counts()).incarnation();
        RedisLink other = new RedisLink(connector(2));
        assertThat(other.attempt(List.of()).incarnation()).isEqualTo(before).isNotEmpty();
        other.close();

        try (Jedis node = cluster.nodes().get(1).connect()) {
            node.flushAll();
        }
        await(LIMIT, () -> !String.valueOf(before).equals(incarnation()));
        String flushed = incarnation();

        cluster.nodes().get(2).kill();
        for (int i = 0; i < 5; i++) {
            link.attempt(counts());
        }
        assertThat(incarnation()).as("while a node is away").isEqualTo(flushed);
        cluster.nodes().get(2).restart();
        awaitAllWritten(LIMIT);
        await(LIMIT, () -> !String.valueOf(flushed).equals(incarnation()));
    }

    @Test
    void an_epoch_never_expires() {
        link.attempt(List.of());
        List<String> epochs = new ArrayList<>();
        for (RedisServer node : cluster.nodes()) {
            try (Jedis jedis = node.connect()) {
                for (String key : jedis.keys("stage:live-view:epoch*")) {
                    assertThat(jedis.ttl(key)).isEqualTo(-1);
                    epochs.add(key);
                }
            }
        }

        assertThat(epochs).hasSize(3).doesNotHaveDuplicates();
    }

    @Test
    void a_node_that_forgot_the_scripts_gets_them_again() {
        assertThat(link.attempt(counts()).hasFailures()).isFalse();
        try (Jedis node = cluster.nodes().get(1).connect()) {
            node.scriptFlush();
        }

        assertThat(link.attempt(counts()).hasFailures()).isFalse();
    }

    @Test
    void a_content_whose_keys_are_in_two_slots_is_given_up_and_costs_nothing_else() {
        // The one name of which no hash tag can be made.
        ScriptedWrite impossible = Writes.one(new LiveValue.MetaGone("a}b", 1, System.currentTimeMillis()), KEYS);
        List<ScriptedWrite> writes = new ArrayList<>(counts());
        writes.add(impossible);

        List<Reply> replies = link.attempt(writes).replies();

        assertThat(replies.subList(0, CONTENTS)).allMatch(Reply.Done.class::isInstance);
        assertThat(((Reply.Failed) replies.get(CONTENTS)).verdict()).isEqualTo(RedisVerdict.UNUSABLE);
    }

    @Test
    void a_database_of_a_cluster_is_refused_with_the_way_out() {
        RedisLink wrong = new RedisLink(new RedisConnector(options(cluster.url(0) + "/3")));

        RuntimeException failure = wrong.attempt(List.of()).failure();

        assertThat(failure).hasMessageContaining("database 3").hasMessageContaining("redis.key-prefix");
        assertThat(RedisVerdict.of(failure)).isEqualTo(RedisVerdict.REFUSED);
    }

    @Test
    void the_preflight_finds_its_way_in_a_cluster() {
        assertThat(LiveViewPreflight.check(options(cluster.url(1)), true)).isEmpty();
        assertThatThrownBy(() -> LiveViewPreflight.check(options(cluster.url(1) + "/3")))
                .isInstanceOf(LiveViewRefusedException.class)
                .hasMessageContaining("leave the database off");
    }

    @Test
    void a_password_that_is_rotated_on_all_nodes_is_found() throws IOException {
        assertThat(link.attempt(counts()).hasFailures()).isFalse();
        rotate("another");
        try {
            link.attempt(counts());
            awaitAllWritten(LIMIT);
        } finally {
            rotateBack("another");
        }
    }

    private static void rotate(String password) throws IOException {
        Files.writeString(secret, password);
        for (RedisServer node : cluster.nodes()) {
            try (Jedis jedis = node.connect()) {
                jedis.configSet("requirepass", password);
                killClients(jedis);
            }
        }
    }

    private static void rotateBack(String password) throws IOException {
        Files.writeString(secret, PASSWORD);
        for (RedisServer node : cluster.nodes()) {
            try (Jedis jedis = new Jedis(node.host(), node.port())) {
                jedis.auth(password);
                jedis.configSet("requirepass", PASSWORD);
            }
        }
    }

    private static void killClients(Jedis jedis) {
        jedis.clientKill(new ClientKillParams().type(ClientType.NORMAL).skipMe(ClientKillParams.SkipMe.YES));
    }

    /** One count per content, each time higher. */
    private List<ScriptedWrite> counts() {
        total++;
        return IntStream.range(0, CONTENTS)
                .mapToObj(i -> Writes.count("c" + i, total, KEYS))
                .toList();
    }

    private void othersAreWritten(int dead) {
        List<ScriptedWrite> writes = counts();
        RedisLink.Attempt attempt = link.attempt(writes);
        assertThat(attempt.failure()).isNull();
        for (int i = 0; i < CONTENTS; i++) {
            if (owner(slot(writes.get(i).key())) == dead) {
                assertThat(attempt.replies().get(i))
                        .isInstanceOfSatisfying(Reply.Failed.class, failed -> assertThat(failed.verdict())
                                .isEqualTo(RedisVerdict.TRANSIENT));
            } else {
                assertThat(attempt.replies().get(i)).isEqualTo(new Reply.Done(WriteOutcome.WRITTEN));
            }
        }
    }

    private void awaitAllWritten(Duration limit) {
        await(limit, () -> !link.attempt(counts()).hasFailures());
    }

    private @Nullable String incarnation() {
        return link.attempt(List.of()).incarnation();
    }

    private static void await(Duration limit, BooleanSupplier condition) {
        // The link belongs to one thread.
        Awaitility.await()
                .pollInSameThread()
                .pollInterval(POLL_INTERVAL)
                .atMost(limit)
                .until(condition::getAsBoolean);
    }

    /** That the node has taken since its start, the one that asks included. */
    private static long connections(int node) {
        try (Jedis jedis = cluster.nodes().get(node).connect()) {
            return jedis.info("stats")
                    .lines()
                    .filter(line -> line.startsWith("total_connections_received:"))
                    .mapToLong(line -> Long.parseLong(line.substring(line.indexOf(':') + 1)))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static boolean exists(String key) {
        try (Jedis node = cluster.nodes().get(owner(slot(key))).connect()) {
            return node.exists(key);
        }
    }

    private static int slot(String key) {
        return JedisClusterCRC16.getSlot(key);
    }

    /** As {@link RedisClusterServers} deals the slots out. */
    private static int owner(int slot) {
        return IntStream.range(0, 3)
                .filter(i -> slot < 16_384 * (i + 1) / 3)
                .findFirst()
                .orElseThrow();
    }

    private static RedisConnector connector(int seed) {
        return new RedisConnector(
                options(cluster.url(seed)),
                null,
                new JedisConnection.Patience(Duration.ofSeconds(1), Duration.ofSeconds(1)));
    }

    private static LiveViewOptions options(String url) {
        return new LiveViewOptions(
                URI.create(url), SecretRef.inFile("redis.password", secret.toString()), KEYS.prefix());
    }
}
