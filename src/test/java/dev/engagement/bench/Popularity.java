package dev.engagement.bench;

import java.util.Arrays;
import java.util.Random;

/** How events spread over the contents. */
enum Popularity {
    /** Alike: the worst case for whoever holds something of each content. */
    UNIFORM {
        @Override
        int content(Random random) {
            return random.nextInt(BenchEnvelopes.CONTENTS);
        }
    },
    /** The content of rank n gets 1 / n^1.1 of what the first one gets. */
    ZIPF {
        @Override
        int content(Random random) {
            int at = Arrays.binarySearch(SHARES, random.nextDouble() * SHARES[SHARES.length - 1]);
            return at < 0 ? -at - 1 : at;
        }
    },
    /** Half of all events are of one content. */
    HALF_ON_ONE {
        @Override
        int content(Random random) {
            return random.nextBoolean() ? 0 : random.nextInt(BenchEnvelopes.CONTENTS);
        }
    };

    private static final double EXPONENT = 1.1;

    /** Up to each rank, those before it included. */
    private static final double[] SHARES = shares();

    private static double[] shares() {
        double[] shares = new double[BenchEnvelopes.CONTENTS];
        double sum = 0;
        for (int i = 0; i < shares.length; i++) {
            sum += Math.pow(i + 1, -EXPONENT);
            shares[i] = sum;
        }
        return shares;
    }

    /** The number of the next event's content. */
    abstract int content(Random random);
}
