package dev.engagement.ingest;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;

/** Writes as JSON what a parser of something else has tokens for. Jackson's own copy would put numbers through a double. */
final class TokenCopy {

    private TokenCopy() {}

    /** Copies the value that the parser stands on, which it leaves at that value's end. */
    static void copy(JsonParser parser, JsonGenerator json) throws IOException {
        int depth = 0;
        JsonToken token = parser.currentToken();
        while (true) {
            switch (token) {
                case START_OBJECT -> {
                    json.writeStartObject();
                    depth++;
                }
                case START_ARRAY -> {
                    json.writeStartArray();
                    depth++;
                }
                case END_OBJECT -> {
                    json.writeEndObject();
                    depth--;
                }
                case END_ARRAY -> {
                    json.writeEndArray();
                    depth--;
                }
                case FIELD_NAME -> json.writeFieldName(parser.currentName());
                case VALUE_NULL -> json.writeNull();
                case VALUE_TRUE, VALUE_FALSE -> json.writeBoolean(token == JsonToken.VALUE_TRUE);
                case VALUE_NUMBER_INT -> json.writeNumber(parser.getText());
                case VALUE_NUMBER_FLOAT -> {
                    if (Double.isFinite(parser.getDoubleValue())) {
                        json.writeNumber(parser.getText());
                    } else {
                        json.writeString(parser.getText());
                    }
                }
                default -> json.writeString(parser.getText());
            }
            if (depth == 0) {
                return;
            }
            token = parser.nextToken();
        }
    }
}
