package dev.engagement.faults;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** A script of faults from a seed: the same seed, the same script. */
final class RandomScript {

    private static final List<Role> SERVERS =
            List.of(Role.POSTGRES, Role.KAFKA, Role.REDIS, Role.BIGQUERY, Role.RECEIVER);
    private static final int MAX_PAUSE_MILLIS = 4_000;
    /** Of three faults, one is not a kill; of four, one strikes while the one before is not over. */
    private static final int KILLS_PER_OTHER = 3;

    private static final int CALMS_PER_HASTE = 4;

    private RandomScript() {}

    /**
     * One step.
     *
     * @param afterwards before the next fault
     * @param awaitRecovery whether recovery is awaited before that
     */
    record Step(Fault fault, Duration afterwards, boolean awaitRecovery) {}

    /** A script with that many kills, and other faults between. */
    static List<Step> of(long seed, int kills) {
        Random random = new Random(seed);
        List<Step> steps = new ArrayList<>();
        int killed = 0;
        while (killed < kills) {
            Fault fault;
            if (random.nextInt(KILLS_PER_OTHER) == 0) {
                fault = other(random);
            } else {
                fault = Faults.kill(Role.values()[random.nextInt(Role.values().length)]);
            }
            if (fault.isKill()) {
                killed++;
            }
            Duration pause = Duration.ofMillis(random.nextInt(MAX_PAUSE_MILLIS));
            steps.add(new Step(fault, pause, random.nextInt(CALMS_PER_HASTE) != 0));
        }
        return steps;
    }

    private static Fault other(Random random) {
        Role server = SERVERS.get(random.nextInt(SERVERS.size()));
        Duration seconds = Duration.ofSeconds(2 + random.nextInt(12));
        return switch (random.nextInt(22)) {
            case 0 -> Faults.freeze(Role.values()[random.nextInt(Role.values().length)], seconds.plusSeconds(6));
            case 1 -> Faults.cut(server);
            case 2 -> Faults.refuse(server, seconds);
            case 3 -> Faults.delay(server, Duration.ofMillis(10L + random.nextInt(290)), seconds);
            case 4 -> Faults.halfOpen(server, seconds);
            case 5 -> Faults.terminateWalsender();
            case 6, 7 -> Faults.rescale(1 << random.nextInt(3));
            case 8 -> Faults.wrongJar();
            case 9 -> Faults.emptyRedis();
            case 10 -> Faults.killDurableRedis();
            case 11 -> Faults.outage(Role.REDIS, Duration.ofSeconds(30));
            case 12 -> Faults.outage(Role.BIGQUERY, Duration.ofSeconds(30));
            case 13 -> Faults.lostReplies();
            case 14 -> Faults.outage(Role.RECEIVER, Duration.ofSeconds(30));
            case 15 -> Faults.receiverHangs(seconds);
            case 16 -> Faults.receiverAnswers(500, seconds);
            case 17 -> Faults.receiverIsMoody(random.nextInt(), seconds);
            case 18 -> Faults.rollupsGone(seconds);
            case 19 -> Faults.rollupsSilent(seconds);
            case 20 -> Faults.rollupsReadOnly(seconds);
            default -> Faults.outage(Role.KAFKA, Duration.ofSeconds(30));
        };
    }
}
