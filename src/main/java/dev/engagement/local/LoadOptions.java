package dev.engagement.local;

import java.time.Duration;

/**
 * How much load.
 *
 * @param seed of everything random; the same seed gives the same rows but for their times
 * @param contents that exist from the beginning
 * @param rate events per second; 0 for none
 * @param events after which no more are made; 0 for no end
 * @param burst events made at once at the start, and again every {@code burstEvery}; 0 for none
 * @param burstEvery zero for a single burst at the start
 */
record LoadOptions(long seed, int contents, double rate, long events, int burst, Duration burstEvery) {

    LoadOptions {
        check(contents >= 1, "--contents", contents, "at least 1");
        check(rate >= 0 && rate <= 1_000_000, "--rate", rate, "0 to 1000000 events a second");
        check(events >= 0, "--events", events, "at least 0; 0 for no end");
        check(burst >= 0, "--burst", burst, "at least 0; 0 for none");
        check(!burstEvery.isNegative(), "--burst-every", burstEvery.toSeconds(), "at least 0 seconds");
        if (rate == 0 && events > 0 && (burst == 0 || (burst < events && burstEvery.isZero()))) {
            throw new IllegalArgumentException("--events is " + events + ", which --rate 0 with --burst " + burst
                    + " never reaches; give a --rate above 0, or a larger --burst");
        }
    }

    private static void check(boolean valid, String option, Object value, String expected) {
        if (!valid) {
            throw new IllegalArgumentException(option + " is " + value + "; it needs to be " + expected);
        }
    }
}
