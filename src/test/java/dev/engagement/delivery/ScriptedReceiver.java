package dev.engagement.delivery;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A receiver that records what is posted and answers as it is told, when the test's clock has come so far. */
final class ScriptedReceiver {

    /**
     * What the receiver does with a request.
     *
     * @param takes whether it has the events, whatever it answers
     * @param afterMillis when it answers
     * @param answer null if it never does
     */
    record Reply(boolean takes, long afterMillis, @Nullable Answer answer) {

        static Reply status(int status) {
            return new Reply(status / 100 == 2, 5, answered(status, null, ""));
        }

        static Reply status(int status, String retryAfter) {
            return new Reply(status / 100 == 2, 5, answered(status, retryAfter, ""));
        }

        static Reply body(int status, String body) {
            return new Reply(false, 5, answered(status, null, body));
        }

        static Reply reset(boolean takes) {
            return new Reply(takes, 5, new Answer.Unanswered(NoAnswer.CONNECTION_CLOSED, "connection reset"));
        }

        static Reply hang() {
            return new Reply(false, 0, null);
        }

        /** Its status, and never the end of its body: told when the attempt is given up. */
        static Reply hangAfter(int status) {
            return new Reply(true, Long.MAX_VALUE, answered(status, null, ""));
        }

        Reply after(long millis) {
            return new Reply(takes, millis, answer);
        }

        private static Answer answered(int status, @Nullable String retryAfter, String body) {
            return new Answer.Answered(status, retryAfter, body.getBytes(StandardCharsets.UTF_8), true);
        }
    }

    /** Decides what happens to a request. */
    @FunctionalInterface
    interface Script {
        Reply to(Request request);
    }

    /** A request as it came. */
    record Posted(long atMillis, Request request, boolean taken) {
        String body() {
            return new String(request.body(), StandardCharsets.UTF_8);
        }
    }

    private record Due(long atMillis, long order, Post post) {}

    private static final class Post {
        final Consumer<Answer> answered;
        final @Nullable Answer answer;
        boolean cancelled;

        Post(Consumer<Answer> answered, @Nullable Answer answer) {
            this.answered = answered;
            this.answer = answer;
        }
    }

    final List<Posted> posted = new ArrayList<>();
    private final ManualTime clock;
    private final PriorityQueue<Due> due =
            new PriorityQueue<>(Comparator.comparingLong(Due::atMillis).thenComparingLong(Due::order));
    private Script script = request -> Reply.status(200);
    private long order;
    int open;
    int maxOpen;
    int cancelled;
    int closed;

    ScriptedReceiver(ManualTime clock) {
        this.clock = clock;
    }

    void does(Script next) {
        script = next;
    }

    /** All posters end here. */
    HttpSender sender() {
        return new HttpSender() {
            private final List<Post> mine = new ArrayList<>();

            @Override
            public Attempt post(Request request, Consumer<Answer> answered) {
                Reply reply = script.to(request);
                posted.add(new Posted(clock.millis(), request, reply.takes()));
                Post post = new Post(answered, reply.answer());
                mine.add(post);
                maxOpen = Math.max(maxOpen, ++open);
                if (reply.answer() != null && reply.afterMillis() != Long.MAX_VALUE) {
                    due.add(new Due(clock.millis() + reply.afterMillis(), order++, post));
                }
                return () -> {
                    if (!post.cancelled) {
                        post.cancelled = true;
                        cancelled++;
                        open--;
                        if (reply.afterMillis() == Long.MAX_VALUE && reply.answer() != null) {
                            answered.accept(reply.answer());
                        }
                    }
                };
            }

            @Override
            public void close() {
                mine.forEach(post -> post.cancelled = true);
                closed++;
            }
        };
    }

    /** When the next answer comes; {@link Long#MAX_VALUE} if none does. */
    long nextMillis() {
        Due next = due.peek();
        return next == null ? Long.MAX_VALUE : next.atMillis();
    }

    /** Gives the answers whose time has come. */
    void answer() {
        while (nextMillis() <= clock.millis()) {
            Post post = due.remove().post();
            if (!post.cancelled && post.answer != null) {
                open--;
                post.cancelled = true;
                post.answered.accept(post.answer);
            }
        }
    }
}
