package dev.engagement.report.testing;

/** What a test has measured and does not judge: that would be a verdict on the machine. */
public final class Measured {
    private Measured() {}

    /** Prints it among the lines of the build. */
    public static void print(String what) {
        System.out.println("  " + what);
    }
}
