package dev.engagement.delivery;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * Whether an answer means that the receiver has it: by its status, and by a field of its body for receivers that answer 200
 * to everything.
 */
final class SuccessRule {

    /** What the body says about it. */
    enum Said {
        /** All is well, or nobody asked. */
        YES,
        /** Something else. */
        NO,
        /** What was read of it ends before it does. */
        UNKNOWN
    }

    /** Any 2xx, whatever its body says. */
    static final SuccessRule ANY_2XX = new SuccessRule(DeliveryOptions.Success.ANY_2XX);

    private static final JsonFactory JSON = new JsonFactory();

    private final DeliveryOptions.Success success;

    SuccessRule(DeliveryOptions.Success success) {
        this.success = success;
    }

    /** Whether that status may be a success. */
    boolean accepts(int status) {
        return success.statuses().stream().anyMatch(range -> range.contains(status));
    }

    /** Whether the status is not enough. */
    boolean asksTheBody() {
        return success.field() != null;
    }

    /**
     * What the body says. Of fields of that name at the top the last that was read counts; what is no JSON says nothing.
     *
     * @param body JSON, or anything
     * @param whole whether that is all of it
     */
    Said ask(byte[] body, boolean whole) {
        String field = success.field();
        if (field == null) {
            return Said.YES;
        }
        Said said = whole ? Said.NO : Said.UNKNOWN;
        try (JsonParser parser = JSON.createParser(body)) {
            if (parser.nextToken() == JsonToken.START_OBJECT) {
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    boolean wanted = parser.currentName().equals(field);
                    JsonToken value = parser.nextToken();
                    if (wanted) {
                        said = ofValue(parser, value, whole ? Long.MAX_VALUE : body.length);
                    }
                    parser.skipChildren();
                }
            }
            return said;
        } catch (JsonProcessingException e) {
            // No JSON from here on, or cut off: what it said until then counts.
            return said;
        } catch (IOException e) {
            throw new UncheckedIOException(e); // from an array of bytes
        }
    }

    private Said ofValue(JsonParser parser, @Nullable JsonToken value, long cutAt) throws IOException {
        if (value == null || !value.isScalarValue()) {
            return Said.NO;
        }
        String text = parser.getText();
        // A number shows its end only by what follows it.
        boolean mayGoOn = value.isNumeric() && parser.currentLocation().getByteOffset() >= cutAt;
        if (mayGoOn) {
            return Said.UNKNOWN;
        }
        return success.values().contains(text) ? Said.YES : Said.NO;
    }
}
