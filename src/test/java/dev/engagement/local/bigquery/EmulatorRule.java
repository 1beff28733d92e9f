package dev.engagement.local.bigquery;

import java.math.BigDecimal;

/** What the emulator says of JSON's numbers, for tests of who writes them. */
public final class EmulatorRule {

    private EmulatorRule() {}

    /** Whether it takes that JSON. */
    public static boolean holds(String json) {
        return JsonRule.violation(json).isEmpty();
    }

    /** What it would write for a positive, finite number. */
    public static BigDecimal written(double value) {
        return JsonRule.written(value);
    }
}
