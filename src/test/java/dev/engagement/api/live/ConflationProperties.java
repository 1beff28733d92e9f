package dev.engagement.api.live;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;

/** {@link Conflation}, against somebody who keeps everything and looks through it each time. */
class ConflationProperties {

    private static final int SUBJECTS = 6;

    @Property(tries = 3_000)
    void each_message_that_is_sent_is_the_one_that_an_oracle_names(@ForAll long seed) {
        Random random = new Random(seed);
        Oracle oracle = new Oracle(random, 1 + random.nextInt(SUBJECTS + 1));
        for (int step = random.nextInt(120); step >= 0; step--) {
            if (random.nextInt(3) != 0) {
                oracle.publish();
            } else {
                oracle.receive();
            }
            oracle.checkSize();
        }
        oracle.receiveAll();
    }

    private record Offered(Update update, boolean wanted) {}

    /** Of one try: the conflation and a client of it. */
    private static final class Oracle {

        private final Random random;
        private final int maxPending;
        private final Conflation conflation;

        /** What the client has received, by subject. */
        private final Map<String, Long> received = new HashMap<>();

        private final List<Offered> log = new ArrayList<>();

        /** Subjects in the order in which they are to be received. */
        private final Set<String> order = new LinkedHashSet<>();

        private boolean owed;

        /** Everything up to here is known to the client by snapshots. */
        private long base;

        private long resumePoint;

        Oracle(Random random, int maxPending) {
            this.random = random;
            this.maxPending = maxPending;
            this.conflation = new Conflation(maxPending, 0);
        }

        void publish() {
            boolean wanted = random.nextInt(5) != 0;
            // What a filter holds back it holds back always.
            String subject = wanted ? "s" + random.nextInt(SUBJECTS) : "unwanted";
            long sequence = log.size() + 1;
            Update update = new Update(sequence, subject, null, false, new LiveMessage("id", "metric", "{}"));
            if (wanted && !owed) {
                owed = !order.contains(subject) && order.size() >= maxPending;
                order.add(subject);
            }
            log.add(new Offered(update, wanted));
            if (owed) {
                // Whatever waited now waits in the snapshot.
                base = log.size();
                order.clear();
            }
            conflation.offer(update, wanted);
        }

        private void publishSome() {
            for (int more = random.nextInt(3); more > 0; more--) {
                publish();
            }
        }

        void checkSize() {
            assertThat(order).isEqualTo(undelivered());
            assertThat(conflation.size()).isEqualTo(order.size()).isLessThanOrEqualTo(maxPending);
        }

        void receive() {
            assertThat(conflation.beginSnapshot()).isEqualTo(owed);
            if (owed) {
                receiveSnapshot();
                return;
            }
            Conflation.Due due = conflation.take();
            Update expected = expected();
            if (expected == null) {
                assertThat(due).isNull();
                return;
            }
            assertThat(due).isNotNull();
            assertThat(due.update()).isSameAs(expected);
            received.put(expected.subject(), expected.sequence());
            order.remove(expected.subject());
            assertThat(due.resumePoint()).as("never goes back").isGreaterThanOrEqualTo(resumePoint);
            resumePoint = due.resumePoint();
            checkNothingIsMissed();
        }

        /** It is made while changes come. */
        private void receiveSnapshot() {
            owed = false;
            base = log.size();
            publishSome();
            long made = log.size();
            publishSome();
            conflation.endSnapshot(made);
            base = Math.max(base, made);
            order.retainAll(undelivered());
            assertThat(made).isGreaterThanOrEqualTo(resumePoint);
            resumePoint = made;
        }

        void receiveAll() {
            while (owed || !undelivered().isEmpty()) {
                receive();
            }
            assertThat(conflation.beginSnapshot()).isFalse();
            assertThat(conflation.take()).isNull();
            assertThat(conflation.resumePoint()).isEqualTo(log.size());
        }

        /** The subjects of which the client lacks a change. */
        private Set<String> undelivered() {
            return log.stream()
                    .filter(Offered::wanted)
                    .map(Offered::update)
                    .filter(update -> update.sequence() > known(update.subject()))
                    .map(Update::subject)
                    .collect(Collectors.toSet());
        }

        private long known(String subject) {
            return Math.max(base, received.getOrDefault(subject, 0L));
        }

        /** Of the subject that has waited longest the newest. */
        private @Nullable Update expected() {
            if (order.isEmpty()) {
                return null;
            }
            String subject = order.iterator().next();
            Update newest = null;
            for (Offered offered : log) {
                if (offered.update().subject().equals(subject)) {
                    newest = offered.update();
                }
            }
            return newest;
        }

        /** Who goes on behind the resume point is given all that is behind it, and has to have the rest. */
        private void checkNothingIsMissed() {
            for (Offered offered : log.subList(0, (int) resumePoint)) {
                Update update = offered.update();
                if (offered.wanted()) {
                    assertThat(known(update.subject())).isGreaterThanOrEqualTo(update.sequence());
                }
            }
        }
    }
}
