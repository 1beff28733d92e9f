package dev.engagement.local.clickhouse;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The engine refused a statement. */
final class EngineException extends Exception {

    private static final long serialVersionUID = 1L;

    private static final Pattern CODE = Pattern.compile("^Code: (\\d+)\\.");

    private final int code;

    /**
     * With what the engine said.
     *
     * @param message begins with {@code Code: N.}
     */
    EngineException(String message) {
        super(message, null, false, false);
        Matcher found = CODE.matcher(message);
        this.code = found.find() ? Integer.parseInt(found.group(1)) : 0;
    }

    /** One of a number, as the engine words its own. */
    static EngineException of(int code, String what) {
        return new EngineException("Code: " + code + ". DB::Exception: " + what);
    }

    /** ClickHouse's number of the error; 0 if it gave none. */
    int code() {
        return code;
    }
}
