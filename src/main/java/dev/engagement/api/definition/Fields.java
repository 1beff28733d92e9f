package dev.engagement.api.definition;

import java.util.ArrayList;
import java.util.List;

/** Fields, written on a line each. */
final class Fields {

    private Fields() {}

    static Field text(String name, String description) {
        return new Field(name, FieldType.TEXT, false, List.of(), description);
    }

    static Field integer(String name, String description) {
        return new Field(name, FieldType.INTEGER, false, List.of(), description);
    }

    static Field decimal(String name, String description) {
        return new Field(name, FieldType.DECIMAL, false, List.of(), description);
    }

    static Field bool(String name, String description) {
        return new Field(name, FieldType.BOOLEAN, false, List.of(), description);
    }

    static Field millis(String name, String description) {
        return new Field(name, FieldType.MILLIS, false, List.of(), description);
    }

    static Field instant(String name, String description) {
        return new Field(name, FieldType.INSTANT, false, List.of(), description);
    }

    /** Any JSON value. */
    static Field anything(String name, String description) {
        return new Field(name, FieldType.OBJECT, false, List.of(), description);
    }

    static Field object(String name, String description, Field... fields) {
        return new Field(name, FieldType.OBJECT, false, List.of(fields), description);
    }

    static Field object(String name, String description, List<Field> fields) {
        return new Field(name, FieldType.OBJECT, false, fields, description);
    }

    static Field list(String name, String description, Field... fields) {
        return new Field(name, FieldType.LIST, false, List.of(fields), description);
    }

    static Field nullable(Field field) {
        return new Field(field.name(), field.type(), true, field.fields(), field.description());
    }

    /** What an operation answers: its own fields, and what every answer says of itself. */
    static Field answer(String description, Field... fields) {
        List<Field> all = new ArrayList<>(List.of(fields));
        all.add(instant("as_of", "The moment that this answer speaks of."));
        all.add(nullable(integer(
                "window",
                "How much time the numbers are about, milliseconds; null where they are not about a stretch of"
                        + " time.")));
        all.add(nullable(
                bool("exact", "Whether every number is a count or a sum. False where one is an estimate; see error.")));
        all.add(nullable(decimal(
                "error",
                "Where an estimate is among the numbers, by what fraction it may be off, in two of three cases.")));
        return object("", description, all);
    }
}
