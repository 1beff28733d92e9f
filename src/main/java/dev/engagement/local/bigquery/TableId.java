package dev.engagement.local.bigquery;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The full name of a table. */
record TableId(String project, String dataset, String table) {

    private static final Pattern PATH = Pattern.compile("projects/([^/]+)/datasets/([^/]+)/tables/([^/]+)");

    /**
     * From the form the Storage Write API uses, {@code projects/p/datasets/d/tables/t}.
     *
     * @throws Refusal if it has another form
     */
    static TableId ofPath(String path) {
        Matcher matcher = PATH.matcher(path);
        if (!matcher.matches()) {
            throw Refusal.invalidArgument("Invalid table name: '" + path + "'");
        }
        return new TableId(matcher.group(1), matcher.group(2), matcher.group(3));
    }

    String path() {
        return "projects/" + project + "/datasets/" + dataset + "/tables/" + table;
    }

    /** The DuckDB schema of its dataset. */
    String schema() {
        return project + ":" + dataset;
    }

    /** As BigQuery's messages name it. */
    @Override
    public String toString() {
        return project + ":" + dataset + "." + table;
    }
}
