package dev.engagement.delivery;

import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import org.apache.hc.client5.http.utils.DateUtils;
import org.jspecify.annotations.Nullable;

/**
 * What an answer of the receiver means: the one place that decides it.
 *
 * <table>
 * <caption>Verdicts</caption>
 * <tr><th>answer</th><th>verdict</th><th>counts as answered</th></tr>
 * <tr><td>none, for one of the reasons of {@link NoAnswer}</td><td>retry</td><td>no</td></tr>
 * <tr><td>a status of {@code delivery.success-status}, and the body says so if it is asked</td><td>delivered</td><td>-</td>
 *   </tr>
 * <tr><td>the same, but the body says otherwise</td><td>retry</td><td>yes</td></tr>
 * <tr><td>the same, but the body ends, or is too long, before it says anything</td><td>retry</td><td>no</td></tr>
 * <tr><td>408, 425, 429, 5xx</td><td>retry</td><td>yes</td></tr>
 * <tr><td>any other, redirects among them</td><td>final</td><td>-</td></tr>
 * </table>
 *
 * <p>{@code Retry-After} of an answer that is to be tried again, in seconds or as a date, is a lower bound; of more than an
 * hour, an hour is believed. What cannot be read is ignored.
 */
final class DeliveryVerdict {

    /** Besides 5xx: too slow, too early, too many. */
    static final List<Integer> RETRIED_BELOW_500 = List.of(408, 425, 429);

    /** How far a receiver may push the next attempt away. */
    static final Duration LONGEST_RETRY_AFTER = Duration.ofHours(1);

    /** Characters of an answer's body that are told. */
    static final int EXCERPT = 300;

    /** The oldest form of a date, which has no zone; a day of one digit is padded. */
    private static final DateTimeFormatter ASCTIME = DateTimeFormatter.ofPattern(
                    "EEE MMM ppd HH:mm:ss yyyy", Locale.ENGLISH)
            .withZone(ZoneOffset.UTC);

    private DeliveryVerdict() {}

    /**
     * @param nowMillis when the answer came, in epoch milliseconds
     */
    static Verdict of(Answer answer, SuccessRule rule, long nowMillis) {
        if (answer instanceof Answer.Answered answered) {
            return of(answered, rule, nowMillis);
        }
        Answer.Unanswered unanswered = (Answer.Unanswered) answer;
        return new Verdict.Retry(unanswered.kind(), 0, unanswered.why(), 0);
    }

    private static Verdict of(Answer.Answered answer, SuccessRule rule, long nowMillis) {
        int status = answer.status();
        if (rule.accepts(status)) {
            return switch (rule.ask(answer.body(), answer.whole())) {
                case YES -> new Verdict.Delivered(status);
                case NO -> retry(answer, null, "its body does not say that all is well", nowMillis);
                case UNKNOWN ->
                    retry(
                            answer,
                            NoAnswer.ANSWER_CUT_OFF,
                            "its body was cut off before it said whether all is well",
                            nowMillis);
            };
        }
        if (status >= 500 && status <= 599 || RETRIED_BELOW_500.contains(status)) {
            return retry(answer, null, null, nowMillis);
        }
        return new Verdict.Final(
                status, told(answer, status >= 300 && status <= 399 ? "redirects are not followed" : null));
    }

    private static Verdict retry(
            Answer.Answered answer, @Nullable NoAnswer noAnswer, @Nullable String but, long nowMillis) {
        return new Verdict.Retry(
                noAnswer, notBeforeMillis(answer.retryAfter(), nowMillis), told(answer, but), answer.status());
    }

    /** 0 without a header that can be read. */
    private static long notBeforeMillis(@Nullable String retryAfter, long nowMillis) {
        if (retryAfter == null) {
            return 0;
        }
        String text = retryAfter.strip();
        long millis;
        if (!text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9')) {
            // More digits than a day has seconds are clamped below anyway.
            millis = text.length() > 9 ? Long.MAX_VALUE : Long.parseLong(text) * 1_000;
        } else {
            Instant date = date(text);
            if (date == null) {
                return 0;
            }
            millis = date.toEpochMilli() - nowMillis;
        }
        return nowMillis + Math.max(0, Math.min(millis, LONGEST_RETRY_AFTER.toMillis()));
    }

    /** In any of the three forms that HTTP knows; null if it is in none. */
    private static @Nullable Instant date(String text) {
        Instant date = DateUtils.parseStandardDate(text);
        if (date != null) {
            return date;
        }
        try {
            return Instant.from(ASCTIME.parse(text));
        } catch (DateTimeException e) {
            return null;
        }
    }

    private static String told(Answer.Answered answer, @Nullable String but) {
        StringBuilder text = new StringBuilder("answered ").append(answer.status());
        if (but != null) {
            text.append(" (").append(but).append(')');
        }
        String excerpt = excerpt(answer.body());
        return excerpt.isEmpty()
                ? text.toString()
                : text.append(": ").append(excerpt).toString();
    }

    /** The beginning of a body on one line. */
    private static String excerpt(byte[] body) {
        // Four bytes a character at most, so that the whole excerpt is there.
        String text = new String(body, 0, Math.min(body.length, 4 * EXCERPT + 3), StandardCharsets.UTF_8);
        StringBuilder line = new StringBuilder();
        text.codePoints()
                .map(c -> Character.isISOControl(c) || Character.isWhitespace(c) ? ' ' : c)
                .limit(EXCERPT)
                .forEach(line::appendCodePoint);
        String excerpt = line.toString().strip();
        return text.codePointCount(0, text.length()) > EXCERPT ? excerpt + "…" : excerpt;
    }
}
