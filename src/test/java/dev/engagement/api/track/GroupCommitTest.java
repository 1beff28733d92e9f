package dev.engagement.api.track;

import static dev.engagement.api.track.Samples.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.engagement.api.read.UnavailableException;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** {@link GroupCommit}, with one connection to a database that answers when it is told to. */
class GroupCommitTest {

    private static final PostgresConnection NOBODY =
            new PostgresConnection("jdbc:postgresql://127.0.0.1:1/nobody", "nobody", SecretRef.none());

    private final ScriptedStore store = new ScriptedStore();
    private final AtomicLong ticker = new AtomicLong(Long.MAX_VALUE - 1_000_000_000L);
    private final ExecutorService clients = Executors.newCachedThreadPool();
    private GroupCommit groups = commit(1_000, 100);

    private GroupCommit commit(int maxWaitingEvents, int maxGroupEvents) {
        return new GroupCommit(Samples.options(NOBODY, 1, maxWaitingEvents, maxGroupEvents), () -> store, ticker::get);
    }

    private void begin(int maxWaitingEvents, int maxGroupEvents) {
        groups.close();
        groups = commit(maxWaitingEvents, maxGroupEvents);
    }

    @AfterEach
    void end() {
        store.answers.release(1_000);
        groups.close();
        clients.shutdownNow();
    }

    @Test
    void what_comes_while_a_group_is_under_way_is_the_next_group() throws Exception {
        Future<TrackAnswer> first = post(null, 1);
        await().until(() -> store.groups().size() == 1);
        List<Future<TrackAnswer>> others =
                IntStream.range(0, 10).mapToObj(i -> post(null, 2)).toList();
        await().until(() -> groups.waitingEvents() == 20);
        assertThat(first).isNotDone();

        store.answers.release(2);

        assertThat(first.get().ids()).hasSize(1);
        for (Future<TrackAnswer> other : others) {
            assertThat(other.get().ids()).hasSize(2);
        }
        assertThat(store.groups().stream().map(List::size).toList()).containsExactly(1, 10);
        assertThat(groups.groups()).isEqualTo(2);
        await().until(() -> groups.written() == 21);
    }

    @Test
    void a_group_has_a_bound_unless_one_request_is_larger() throws Exception {
        begin(1_000, 4);
        Future<TrackAnswer> first = post(null, 1);
        await().until(() -> store.groups().size() == 1);
        List<Future<TrackAnswer>> others = new ArrayList<>();
        int waiting = 0;
        for (int events : List.of(3, 1, 2, 9, 4)) {
            others.add(post(null, events));
            waiting += events;
            int all = waiting;
            await().until(() -> groups.waitingEvents() == all);
        }

        store.answers.release(100);

        assertThat(first.get().ids()).hasSize(1);
        for (Future<TrackAnswer> other : others) {
            assertThat(other.get().ids()).isNotEmpty();
        }
        assertThat(store.events()).containsExactly(List.of(1), List.of(3, 1), List.of(2), List.of(9), List.of(4));
    }

    @Test
    void two_requests_of_one_key_are_never_in_one_group() throws Exception {
        Future<TrackAnswer> first = post("a", 1);
        await().until(() -> store.groups().size() == 1);
        List<Future<TrackAnswer>> others = new ArrayList<>();
        for (String key : List.of("b", "b", "c", "b")) {
            others.add(post(key, 1));
            await().until(() -> groups.waitingEvents() == others.size());
        }

        store.answers.release(100);

        assertThat(first.get().ids()).hasSize(1);
        for (Future<TrackAnswer> other : others) {
            assertThat(other.get().ids()).hasSize(1);
        }
        assertThat(store.keys()).containsExactly(List.of("a"), List.of("b", "c"), List.of("b"), List.of("b"));
    }

    @Test
    void who_finds_no_room_is_told_at_once() throws Exception {
        begin(5, 100);
        Future<TrackAnswer> first = post(null, 1);
        await().until(() -> store.groups().size() == 1);
        // The first to wait may be larger than the room.
        Future<TrackAnswer> second = post(null, 6);
        await().until(() -> groups.waitingEvents() == 6);

        UnavailableException full = catchThrowableOfType(UnavailableException.class, () -> groups.write(one()));

        assertThat(full.retryAfter()).isPositive();
        store.answers.release(2);
        assertThat(first.get().ids()).hasSize(1);
        assertThat(second.get().ids()).hasSize(6);
    }

    @Test
    void a_database_that_is_away_is_told_to_all_and_not_tried_for_a_moment() throws Exception {
        Future<TrackAnswer> first = post(null, 1);
        await().until(() -> store.groups().size() == 1);
        Future<TrackAnswer> second = post(null, 1);
        await().until(() -> groups.waitingEvents() == 1);
        store.away = true;

        store.answers.release(1);

        assertThatThrownBy(first::get).hasCauseInstanceOf(UnavailableException.class);
        assertThatThrownBy(second::get).hasCauseInstanceOf(UnavailableException.class);
        ticker.addAndGet(Duration.ofMillis(400).toNanos());
        UnavailableException told = catchThrowableOfType(UnavailableException.class, () -> groups.write(one()));
        assertThat(told.retryAfter()).isEqualTo(Duration.ofMillis(600));
        assertThat(store.groups()).hasSize(1);

        // The ticker runs over its end here, as that of a JVM may.
        ticker.addAndGet(Duration.ofSeconds(1).toNanos());
        store.away = false;
        store.answers.release(1);
        assertThat(groups.write(one()).ids()).hasSize(1);
    }

    @Test
    void who_has_waited_for_longer_than_an_answer_may_take_is_not_written() throws Exception {
        Future<TrackAnswer> first = post(null, 1);
        await().until(() -> store.groups().size() == 1);
        Future<TrackAnswer> second = post(null, 1);
        await().until(() -> groups.waitingEvents() == 1);
        ticker.addAndGet(Duration.ofMinutes(6).toNanos());

        store.answers.release(2);

        assertThat(first.get().ids()).hasSize(1);
        assertThatThrownBy(second::get).hasCauseInstanceOf(UnavailableException.class);
        assertThat(store.groups()).hasSize(1);
    }

    @Test
    void something_that_should_not_happen_reaches_its_request_and_no_later_one() throws Exception {
        store.bug = true;
        store.answers.release(1);
        assertThatThrownBy(() -> groups.write(one()))
                .isInstanceOf(IllegalStateException.class)
                .hasRootCauseMessage("a bug");

        store.bug = false;
        store.answers.release(1);
        assertThat(groups.write(one()).ids()).hasSize(1);
    }

    @Test
    void the_end_lets_what_is_under_way_finish_and_tells_the_others() throws Exception {
        Future<TrackAnswer> first = post(null, 1);
        await().until(() -> store.groups().size() == 1);
        Future<TrackAnswer> second = post(null, 1);
        await().until(() -> groups.waitingEvents() == 1);

        Future<?> closed = clients.submit(groups::close);
        assertThatThrownBy(second::get).hasCauseInstanceOf(UnavailableException.class);
        assertThatThrownBy(() -> groups.write(one())).isInstanceOf(UnavailableException.class);
        assertThat(closed).isNotDone();
        store.answers.release(1);

        assertThat(first.get().ids()).hasSize(1);
        assertThat(closed.get()).isNull();
        assertThat(store.closed).isTrue();
    }

    private Future<TrackAnswer> post(@Nullable String key, int events) {
        TrackRequest request = request(key, events, ticker.get());
        return clients.submit(() -> groups.write(request));
    }

    private TrackRequest one() {
        return request(null, 1, ticker.get());
    }

    /** Answers each group once it has a permit. Thread-safe. */
    private static final class ScriptedStore implements GroupStore {

        private final List<List<TrackRequest>> groups = new ArrayList<>();
        private final Semaphore answers = new Semaphore(0);
        private volatile boolean away;
        private volatile boolean bug;
        private volatile boolean closed;

        @Override
        public List<Outcome> write(List<TrackRequest> group) throws UnavailableException {
            synchronized (this) {
                groups.add(group);
            }
            answers.acquireUninterruptibly();
            if (away) {
                throw new UnavailableException("PostgreSQL", Duration.ofSeconds(1));
            }
            if (bug) {
                throw new IllegalArgumentException("a bug");
            }
            List<Outcome> outcomes = new ArrayList<>();
            for (TrackRequest request : group) {
                outcomes.add(new Outcome.Answered(new TrackAnswer(
                        LongStream.range(0, request.events().size()).boxed().toList(), false)));
            }
            return outcomes;
        }

        synchronized List<List<TrackRequest>> groups() {
            return List.copyOf(groups);
        }

        List<List<Integer>> events() {
            return groups().stream()
                    .map(group -> group.stream()
                            .map(request -> request.events().size())
                            .toList())
                    .toList();
        }

        List<List<String>> keys() {
            return groups().stream()
                    .map(group -> group.stream()
                            .map(request -> String.valueOf(request.key()))
                            .toList())
                    .toList();
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
