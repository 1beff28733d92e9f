package dev.engagement.rollup;

import dev.engagement.rollup.definition.RollupDefinition;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What the numbers of a table mean, as its comment says it: the fingerprints of the rollups in it, which is one, or, if the
 * window's size is part of the key, one for each size. Its form never changes.
 *
 * @param fingerprints sorted
 */
record TableMeaning(List<String> fingerprints) {

    static final TableMeaning NONE = new TableMeaning(List.of());

    private static final String HEAD = "What the numbers of this table mean, not to be edited:";

    private static final String WINDOW = ";window=";
    private static final String SLIDE = ";slide=";

    static TableMeaning of(List<RollupDefinition> definitions) {
        return sorted(definitions.stream().map(RollupDefinition::fingerprint).toList());
    }

    private static TableMeaning sorted(List<String> fingerprints) {
        SortedSet<String> each = new TreeSet<>(fingerprints);
        return new TableMeaning(List.copyOf(each));
    }

    /** What a comment says; null if it is none of ours. */
    static @Nullable TableMeaning parse(@Nullable String comment) {
        if (comment == null || !comment.startsWith(HEAD)) {
            return null;
        }
        return sorted(comment.lines().skip(1).filter(line -> !line.isBlank()).toList());
    }

    /** The comment. */
    String text() {
        return HEAD + "\n" + String.join("\n", fingerprints);
    }

    /** Both. */
    TableMeaning plus(TableMeaning other) {
        List<String> all = new ArrayList<>(fingerprints);
        all.addAll(other.fingerprints);
        return sorted(all);
    }

    /** A fingerprint whose numbers must not be in one table with that rollup's, if there is one. */
    Optional<String> conflictWith(RollupDefinition definition) {
        String mine = definition.fingerprint();
        return fingerprints.stream()
                .filter(other -> !other.equals(mine))
                .filter(other -> !definition.hasWindowSize()
                        || window(other).equals(window(mine))
                        || !withoutTimes(other).equals(withoutTimes(mine)))
                .findFirst();
    }

    private static String withoutTimes(String fingerprint) {
        int at = fingerprint.lastIndexOf(WINDOW);
        return at < 0 ? fingerprint : fingerprint.substring(0, at);
    }

    private static String window(String fingerprint) {
        int from = fingerprint.lastIndexOf(WINDOW);
        int to = fingerprint.lastIndexOf(SLIDE);
        return from < 0 || to < from ? fingerprint : fingerprint.substring(from, to);
    }
}
