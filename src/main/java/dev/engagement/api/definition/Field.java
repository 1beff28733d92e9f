package dev.engagement.api.definition;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A field of a JSON document. Immutable.
 *
 * @param name in its object; empty for the values of a list and for a document itself
 * @param type what it holds
 * @param nullable whether it may be null, or be left out; every other field is always there
 * @param fields of {@link FieldType#OBJECT} and {@link FieldType#LIST}, see there; else none
 * @param description for people who read it: a sentence or two, with the unit
 */
public record Field(String name, FieldType type, boolean nullable, List<Field> fields, String description) {

    public Field {
        fields = List.copyOf(fields);
        if (!fields.isEmpty() && type != FieldType.OBJECT && type != FieldType.LIST) {
            throw new IllegalArgumentException("Field '" + name + "' is of " + type + " and has fields; only "
                    + FieldType.OBJECT + " and " + FieldType.LIST + " have any");
        }
        if (type == FieldType.LIST && fields.isEmpty()) {
            throw new IllegalArgumentException(
                    "Field '" + name + "' is a list of nothing; give the fields of its objects, or one without a name");
        }
        Set<String> names = new HashSet<>();
        for (Field field : fields) {
            boolean isValue = type == FieldType.LIST && fields.size() == 1;
            if (!names.add(field.name()) || (field.name().isEmpty() && !isValue)) {
                throw new IllegalArgumentException(
                        "Field '" + name + "' has two fields '" + field.name() + "', or one without a name");
            }
        }
    }

    /** Whether it is an object whose fields are known. */
    public boolean isObject() {
        return type == FieldType.OBJECT && !fields.isEmpty();
    }

    /** Whether it is any JSON value. */
    public boolean isAnything() {
        return type == FieldType.OBJECT && fields.isEmpty();
    }

    /**
     * What a list holds: the field without a name, or an object of its fields.
     *
     * @throws IllegalStateException if it is no list
     */
    public Field element() {
        if (type != FieldType.LIST) {
            throw new IllegalStateException("Field '" + name + "' is of " + type + " and no list");
        }
        Field first = fields.get(0);
        return first.name().isEmpty() ? first : new Field("", FieldType.OBJECT, false, fields, description);
    }
}
