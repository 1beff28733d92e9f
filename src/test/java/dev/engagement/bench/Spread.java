package dev.engagement.bench;

import java.util.Collection;
import java.util.Locale;

/** The same figure of several rounds. */
final class Spread {

    private final double[] ordered;

    /** @param figures one or more, in any order */
    Spread(Collection<Double> figures) {
        ordered = figures.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        if (ordered.length == 0) {
            throw new IllegalArgumentException("no figure was measured");
        }
    }

    /** The upper one of two in the middle. */
    double median() {
        return ordered[ordered.length / 2];
    }

    double min() {
        return ordered[0];
    }

    double max() {
        return ordered[ordered.length - 1];
    }

    /** @param format of one figure */
    String text(String format) {
        return String.format(
                Locale.ROOT, "median " + format + " (" + format + " to " + format + ")", median(), min(), max());
    }
}
