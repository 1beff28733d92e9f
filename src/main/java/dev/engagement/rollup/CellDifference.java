package dev.engagement.rollup;

import dev.engagement.event.RollupRow;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.RollupDefinition;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How the row of a cell differs from what SQL over the source says of it. Rules only. */
public final class CellDifference {

    /** So many standard errors an estimate may be off: more in one cell of some two million. */
    private static final int STANDARD_ERRORS = 5;

    /** 1.04 / sqrt(2^{@value UserSet#LG_REGISTERS}), relative. */
    private static final BigDecimal STANDARD_ERROR = new BigDecimal("0.01625");

    private static final BigDecimal MAX_EXACT = BigDecimal.valueOf(UserSet.MAX_EXACT);

    private CellDifference() {}

    /**
     * What is wrong with a row, for a person: one line; null if nothing is. Numbers are equal; users that the row says are
     * estimated are within {@value #STANDARD_ERRORS} standard errors, and so many that they are not counted.
     *
     * @param expected by SQL; null if no event is in the cell
     * @param found in the table; null if there is none
     */
    public static @Nullable String of(
            RollupDefinition rollup, @Nullable RollupRow expected, @Nullable RollupRow found) {
        if (found == null) {
            return expected == null ? null : "no row, and by SQL " + numbers(rollup, expected);
        }
        if (expected == null) {
            return isNothing(found) ? null : numbers(rollup, found) + ", and by SQL no event";
        }
        List<String> differences = new ArrayList<>();
        if (found.windowEndMillis() != expected.windowEndMillis()) {
            differences.add("window_end is not the window's end");
        }
        boolean mayBeEstimate = false;
        for (int i = 0; i < rollup.measures().size(); i++) {
            Measure measure = rollup.measures().get(i);
            BigDecimal wanted = expected.values().get(i);
            BigDecimal actual = found.values().get(i);
            boolean isLarge = measure.function().countsUsers() && wanted != null && wanted.compareTo(MAX_EXACT) > 0;
            mayBeEstimate |= isLarge;
            if (!isWithin(wanted, actual, isLarge && !found.exact())) {
                differences.add(measure.column() + " " + text(actual) + ", by SQL " + text(wanted));
            }
        }
        if (!found.exact() && !mayBeEstimate) {
            differences.add("users are estimated, and are no more than " + UserSet.MAX_EXACT);
        }
        if (found.skipped() != expected.skipped()) {
            differences.add("skipped " + found.skipped() + ", by SQL " + expected.skipped());
        }
        long events = RollupVersion.events(found.version());
        if (events != RollupVersion.events(expected.version())) {
            differences.add("of " + events + " events, by SQL of " + RollupVersion.events(expected.version()));
        }
        return differences.isEmpty() ? null : String.join("; ", differences);
    }

    /** Whether a row says what SQL says, without any estimate. */
    public static boolean isSame(RollupDefinition rollup, @Nullable RollupRow expected, @Nullable RollupRow found) {
        return of(rollup, expected, found) == null && (expected == null || found == null || found.exact());
    }

    /** Whether the row is that of a cell without events: what is written when they are gone. */
    public static boolean isNothing(RollupRow row) {
        return RollupVersion.events(row.version()) == 0
                && row.skipped() == 0
                && row.values().stream().allMatch(value -> value == null || value.signum() == 0);
    }

    /** The value of a cell whose events are gone, of the generation behind that of its row. */
    public static RollupRow nothing(RollupDefinition rollup, RollupRow found) {
        List<@Nullable BigDecimal> values = new ArrayList<>();
        for (Measure measure : rollup.measures()) {
            boolean isOfSome = measure.function() == Measure.Function.MIN || measure.function() == Measure.Function.MAX;
            values.add(isOfSome ? null : BigDecimal.ZERO);
        }
        return new RollupRow(
                rollup.name(),
                found.windowStartMillis(),
                found.windowStartMillis() + rollup.windowMillis(),
                found.key(),
                Collections.unmodifiableList(values),
                true,
                0,
                RollupVersion.computedAnew(found.version(), 0),
                true);
    }

    private static boolean isWithin(@Nullable BigDecimal wanted, @Nullable BigDecimal actual, boolean isEstimate) {
        if (wanted == null || actual == null) {
            return wanted == null && actual == null;
        }
        BigDecimal tolerance = isEstimate
                ? wanted.multiply(STANDARD_ERROR).multiply(BigDecimal.valueOf(STANDARD_ERRORS))
                : BigDecimal.ZERO;
        return wanted.subtract(actual).abs().compareTo(tolerance) <= 0;
    }

    private static String numbers(RollupDefinition rollup, RollupRow row) {
        List<String> numbers = new ArrayList<>();
        for (int i = 0; i < rollup.measures().size(); i++) {
            numbers.add(
                    rollup.measures().get(i).column() + " " + text(row.values().get(i)));
        }
        return String.join(", ", numbers);
    }

    private static String text(@Nullable BigDecimal value) {
        return value == null ? "nothing" : value.toPlainString();
    }
}
