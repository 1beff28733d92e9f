package dev.engagement.options;

import java.util.Collection;
import java.util.Optional;

/** The known name that was probably meant by an unknown one. */
public final class Nearest {
    private Nearest() {}

    /** {@code "; did you mean PREFIXname?"} if there is a near name, else nothing. */
    public static String hint(String unknown, Collection<String> known, String prefix) {
        return to(unknown, known)
                .map(name -> "; did you mean " + prefix + name + "?")
                .orElse("");
    }

    /** The nearest name, if it is so near that a slip of the fingers or a forgotten first part explains the rest. */
    public static Optional<String> to(String unknown, Collection<String> known) {
        String best = null;
        int bestDistance = Integer.MAX_VALUE;
        for (String name : known) {
            int distance = distance(unknown, name);
            if (name.endsWith("." + unknown) || name.endsWith("_" + unknown)) {
                distance = Math.min(distance, 1);
            }
            if (distance < bestDistance) {
                best = name;
                bestDistance = distance;
            }
        }
        return bestDistance <= Math.max(2, unknown.length() / 4) ? Optional.ofNullable(best) : Optional.empty();
    }

    /** Insertions, deletions, replacements and swaps of neighbours that lead from one to the other. */
    public static int distance(String from, String to) {
        int[] beforePrevious = new int[to.length() + 1];
        int[] previous = new int[to.length() + 1];
        int[] current = new int[to.length() + 1];
        for (int j = 0; j <= to.length(); j++) {
            previous[j] = j;
        }
        for (int i = 1; i <= from.length(); i++) {
            current[0] = i;
            for (int j = 1; j <= to.length(); j++) {
                int replaced = previous[j - 1] + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
                current[j] = Math.min(replaced, 1 + Math.min(previous[j], current[j - 1]));
                if (i > 1
                        && j > 1
                        && from.charAt(i - 1) == to.charAt(j - 2)
                        && from.charAt(i - 2) == to.charAt(j - 1)) {
                    current[j] = Math.min(current[j], beforePrevious[j - 2] + 1);
                }
            }
            int[] spare = beforePrevious;
            beforePrevious = previous;
            previous = current;
            current = spare;
        }
        return previous[to.length()];
    }
}
