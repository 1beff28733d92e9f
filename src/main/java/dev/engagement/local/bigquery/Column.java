package dev.engagement.local.bigquery;

/** A column of a table. Its name is compared without regard to case. */
record Column(String name, ColumnType type, boolean required) {

    String mode() {
        return required ? "REQUIRED" : "NULLABLE";
    }
}
