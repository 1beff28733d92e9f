package dev.engagement.api.track;

import java.util.List;

/** A request that is not written, nothing of it, however often it is sent; with what to do. */
public final class TrackRefusedException extends Exception {

    private static final long serialVersionUID = 1L;

    private static final int TOO_LARGE = 413;
    private static final int UNSUPPORTED_MEDIA_TYPE = 415;
    private static final int UNPROCESSABLE = 422;

    /**
     * One thing that is wrong. Texts are of bounded length and printable.
     *
     * @param line of the body, if that is NDJSON; in an array the event's place, from 1; 1 of a single event; 0 if it
     *     is about the request
     * @param field of the event, or {@code body}, {@code Content-Type} or {@code Idempotency-Key}
     * @param what is wrong with it: "is missing"
     * @param wayOut what would do, as a request: "give a UUID"
     */
    public record Refusal(int line, String field, String what, String wayOut) {}

    private final int status;

    private final List<Refusal> refusals;

    private TrackRefusedException(int status, List<Refusal> refusals) {
        super(message(refusals));
        this.status = status;
        this.refusals = List.copyOf(refusals);
    }

    static TrackRefusedException tooLarge(String what, String wayOut) {
        return new TrackRefusedException(TOO_LARGE, List.of(new Refusal(0, "body", what, wayOut)));
    }

    static TrackRefusedException unsupported(String what, String wayOut) {
        return new TrackRefusedException(UNSUPPORTED_MEDIA_TYPE, List.of(new Refusal(0, "Content-Type", what, wayOut)));
    }

    static TrackRefusedException unprocessable(List<Refusal> refusals) {
        return new TrackRefusedException(UNPROCESSABLE, refusals);
    }

    /** Of HTTP: 413, 415 or 422. */
    public int status() {
        return status;
    }

    /** At least one; of very many the first. */
    public List<Refusal> refusals() {
        return refusals;
    }

    private static String message(List<Refusal> refusals) {
        Refusal first = refusals.get(0);
        return (first.line() == 0 ? "" : "Line " + first.line() + ": ") + first.field() + " " + first.what() + "; "
                + first.wayOut() + (refusals.size() == 1 ? "" : ". And " + (refusals.size() - 1) + " more");
    }
}
