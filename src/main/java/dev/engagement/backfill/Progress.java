package dev.engagement.backfill;

import java.time.Duration;
import java.util.Locale;

/**
 * How far reading has come, in a line: rows read of rows estimated, rate, remaining time. Rule only; who asks says what time
 * it is.
 *
 * @param read rows so far
 * @param estimated rows in all; more may come
 * @param elapsed since the first row
 */
record Progress(long read, long estimated, Duration elapsed) {

    String text() {
        double seconds = elapsed.toNanos() / 1e9;
        long rate = seconds <= 0 ? 0 : Math.round(read / seconds);
        double share = estimated <= 0 ? 1 : Math.min(1, (double) read / estimated);
        return String.format(
                Locale.ROOT,
                "%,d of %,d rows read (%d %%), %,d rows/s, %s",
                read,
                estimated,
                (int) Math.floor(100 * share),
                rate,
                read >= estimated
                        ? "at the end"
                        : rate == 0 ? "remaining time unknown" : time((estimated - read) / (double) rate) + " left");
    }

    private static String time(double seconds) {
        long whole = (long) Math.ceil(seconds);
        return whole < 120 ? whole + " s" : whole < 7_200 ? (whole + 59) / 60 + " min" : (whole + 3_599) / 3_600 + " h";
    }
}
