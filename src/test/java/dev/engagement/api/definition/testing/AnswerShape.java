package dev.engagement.api.definition.testing;

import com.fasterxml.jackson.databind.JsonNode;
import dev.engagement.api.definition.Field;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Compares JSON with the definition of it. */
public final class AnswerShape {

    private AnswerShape() {}

    /** Where a document is not as it is defined, with the place; what the definition does not name is a difference. */
    public static List<String> differences(Field definition, JsonNode document) {
        List<String> differences = new ArrayList<>();
        compare("$", definition, document, differences);
        return differences;
    }

    private static void compare(String at, Field field, JsonNode node, List<String> differences) {
        if (node.isMissingNode() || node.isNull()) {
            if (!field.nullable()) {
                differences.add(at + " is " + (node.isNull() ? "null" : "missing"));
            }
            return;
        }
        boolean isAsDefined =
                switch (field.type()) {
                    case TEXT -> node.isTextual();
                    case INTEGER, MILLIS -> node.isIntegralNumber() && node.canConvertToLong();
                    case DECIMAL -> node.isNumber();
                    case BOOLEAN -> node.isBoolean();
                    case INSTANT -> node.isTextual() && isMoment(node.textValue());
                    case OBJECT -> field.isAnything() || node.isObject();
                    case LIST -> node.isArray();
                };
        if (!isAsDefined) {
            differences.add(at + " is " + node + " and no " + field.type());
            return;
        }
        if (field.isObject()) {
            members(at, field.fields(), node, differences);
        } else if (node.isArray() && !field.isAnything()) {
            for (int i = 0; i < node.size(); i++) {
                compare(at + "[" + i + "]", field.element(), node.get(i), differences);
            }
        }
    }

    private static void members(String at, List<Field> fields, JsonNode object, List<String> differences) {
        Set<String> names = new HashSet<>();
        for (Field field : fields) {
            names.add(field.name());
            compare(at + "." + field.name(), field, object.path(field.name()), differences);
        }
        object.fieldNames().forEachRemaining(name -> {
            if (!names.contains(name)) {
                differences.add(at + "." + name + " is not in the definition");
            }
        });
    }

    private static boolean isMoment(String text) {
        try {
            return OffsetDateTime.parse(text) != null;
        } catch (DateTimeParseException e) {
            return false;
        }
    }
}
