package dev.engagement.local.bigquery;

/** An answer of REST that is an error, in BigQuery's words. */
public final class RestException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final int status;
    private final String reason;

    RestException(int status, String reason, String message) {
        super(message);
        this.status = status;
        this.reason = reason;
    }

    static RestException invalid(String message) {
        return new RestException(400, "invalid", message);
    }

    static RestException invalidQuery(String message) {
        return new RestException(400, "invalidQuery", message);
    }

    static RestException notFound(String message) {
        return new RestException(404, "notFound", message);
    }

    static RestException duplicate(String message) {
        return new RestException(409, "duplicate", message);
    }

    /** The HTTP status. */
    public int status() {
        return status;
    }

    /** BigQuery's word for it, such as {@code invalidQuery}. */
    public String reason() {
        return reason;
    }
}
