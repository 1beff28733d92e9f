package dev.engagement.rollup.definition;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** What makes sense of a definition whose texts could be read. Each rule adds what is wrong to a list. */
final class DefinitionRules {
    private DefinitionRules() {}

    /** So many besides the window's size: beyond, a row is hardly an aggregate any more. */
    private static final int MAX_KEY_PARTS = 3;

    /** So many windows an event may be in: that many rows are written for a key at each slide. */
    private static final long MAX_WINDOWS = 100;

    private static final Duration LONGEST_WINDOW = Duration.ofDays(1);

    /** The least that late events need to find their row. */
    private static final Duration LEAST_RETENTION_BEHIND_WINDOW = Duration.ofHours(1);

    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_]{0,39}");

    /** What needs no quotes in PostgreSQL, but for its key words. */
    private static final Pattern IDENTIFIER = Pattern.compile("[a-z_][a-z0-9_]{0,62}");

    private static final String IDENTIFIER_FORM =
            "lower-case letters, digits and underscores, at most 63 of them, not beginning with a digit";

    /** In the tables of all, or in the JSON of their windows, where the last one is the rollup's name. */
    private static final Set<String> COLUMNS_OF_ALL = Set.of(
            RollupDefinition.WINDOW_START,
            RollupDefinition.WINDOW_END,
            RollupDefinition.WINDOW_SIZE,
            RollupDefinition.UNIQUE_USERS_EXACT,
            RollupDefinition.SKIPPED,
            RollupDefinition.VERSION,
            "rollup");

    /** PostgreSQL's own, in every table. */
    private static final Set<String> SYSTEM_COLUMNS = Set.of("tableoid", "xmin", "cmin", "xmax", "cmax", "ctid");

    static String key(String name, String property) {
        return RollupDefinitions.PREFIX + name + "." + property;
    }

    static void name(String name, List<String> problems) {
        if (!NAME.matcher(name).matches()) {
            problems.add(
                    "rollups names '" + name + "'; a rollup's name is lower-case letters, digits and underscores, at"
                            + " most 40 of them, beginning with a letter");
        } else if (name.equals(RollupDefinitions.RESERVED)) {
            problems.add("rollups names '" + name + "', and rollup." + name + ".* says where the tables are; give the"
                    + " rollup another name");
        } else if (name.equals(RollupDefinitions.SHIPPED)) {
            problems.add(
                    "A rollup is called '" + name + "', which stands for all that are shipped; give it another name");
        }
    }

    static void key(String name, List<KeyPart> by, List<String> problems) {
        String text = key(name, "by") + " is '"
                + String.join(",", by.stream().map(KeyPart::text).toList()) + "'; ";
        Set<String> sources = new HashSet<>();
        int parts = 0;
        for (KeyPart part : by) {
            parts += part.source() == KeyPart.Source.WINDOW_SIZE ? 0 : 1;
            String source = part.field() == null ? part.source().word() : PayloadField.text(part.field());
            if (!sources.add(source)) {
                problems.add(text + "it names " + source + " twice: leave one");
            }
        }
        if (parts > MAX_KEY_PARTS) {
            problems.add(
                    text + "a key has " + MAX_KEY_PARTS + " parts at most, not counting window_size: leave one out");
        }
    }

    static void windows(String name, long windowMillis, long slideMillis, List<String> problems) {
        String window = key(name, "window") + " is " + Durations.words(windowMillis);
        String slide = key(name, "slide") + " is " + Durations.words(slideMillis);
        boolean isWindow =
                windowMillis >= 1_000 && windowMillis <= LONGEST_WINDOW.toMillis() && windowMillis % 1_000 == 0;
        boolean isSlide = slideMillis >= 1_000 && slideMillis % 1_000 == 0;
        if (!isWindow) {
            problems.add(window + "; it must be whole seconds, 1 s to 1 d");
        }
        if (!isSlide && slideMillis != windowMillis) {
            problems.add(slide + "; it must be whole seconds, at least 1 s");
        }
        if (!isWindow || !isSlide) {
            return;
        }
        if (windowMillis % slideMillis != 0) {
            long below = windowMillis / slideMillis * slideMillis;
            problems.add(window + " and " + slide + "; the window must be a multiple of the slide, such as "
                    + (below == 0 ? "" : Durations.words(below) + " or ") + Durations.words(below + slideMillis)
                    + ", or leave the slide out for one window behind the other");
        } else if (windowMillis / slideMillis > MAX_WINDOWS) {
            problems.add(window + " and " + slide + ", so that an event is in " + windowMillis / slideMillis
                    + " windows; it may be in " + MAX_WINDOWS + ": make the slide "
                    + Durations.words(slideThatDoes(windowMillis)));
        }
    }

    private static long slideThatDoes(long windowMillis) {
        long seconds = windowMillis / 1_000;
        long slide = (seconds + MAX_WINDOWS - 1) / MAX_WINDOWS;
        while (seconds % slide != 0) {
            slide++;
        }
        return slide * 1_000;
    }

    static void measures(String name, List<Measure> measures, List<String> problems) {
        if (measures.isEmpty()) {
            problems.add(key(name, "measures") + " is empty; give at least one, such as " + key(name, "measures")
                    + "=count");
        }
    }

    static void columns(String name, List<KeyPart> by, List<Measure> measures, List<String> problems) {
        Map<String, String> properties = new HashMap<>();
        for (KeyPart part : by) {
            if (part.source() != KeyPart.Source.WINDOW_SIZE) {
                column(name, "by", part.text(), part.column(), properties, problems);
            }
        }
        for (Measure measure : measures) {
            column(name, "measures", measure.text(), measure.column(), properties, problems);
        }
    }

    private static void column(
            String name,
            String property,
            String item,
            String column,
            Map<String, String> properties,
            List<String> problems) {
        String text = key(name, property) + " has '" + item + "', and its column '" + column + "' ";
        String wayOut = ": give it another name, NAME=" + item.substring(item.indexOf('=') + 1);
        String other = properties.putIfAbsent(column, property);
        if (!IDENTIFIER.matcher(column).matches()) {
            problems.add(text + "cannot be one of PostgreSQL; a column is " + IDENTIFIER_FORM + wayOut);
        } else if (COLUMNS_OF_ALL.contains(column)) {
            problems.add(text + "is one that a rollup has already, in its table or its JSON" + wayOut);
        } else if (SYSTEM_COLUMNS.contains(column)) {
            problems.add(text + "is one of PostgreSQL's own" + wayOut);
        } else if (other != null) {
            problems.add(text + "is in " + key(name, other) + " already" + wayOut);
        }
    }

    static void table(String name, String table, List<String> problems) {
        if (!IDENTIFIER.matcher(table).matches()) {
            problems.add(key(name, "table") + " is '" + table + "'; it must be a table's name without a schema: "
                    + IDENTIFIER_FORM);
        }
    }

    static void retention(String name, Duration retention, long windowMillis, List<String> problems) {
        Duration least = LEAST_RETENTION_BEHIND_WINDOW.plusMillis(windowMillis);
        if (retention.compareTo(least) < 0) {
            problems.add(key(name, "retention") + " is " + Durations.words(retention.toMillis()) + " and "
                    + key(name, "window") + " " + Durations.words(windowMillis)
                    + "; rows must be kept for the window and"
                    + " 1 h behind it, which is " + Durations.words(least.toMillis()));
        }
    }

    /** What is wrong with rollups that are right each by itself. */
    static void together(List<RollupDefinition> definitions, List<String> problems) {
        for (int i = 0; i < definitions.size(); i++) {
            for (int j = 0; j < i; j++) {
                tables(definitions.get(j), definitions.get(i), problems);
                metrics(definitions.get(j), definitions.get(i), problems);
            }
        }
    }

    private static void tables(RollupDefinition one, RollupDefinition other, List<String> problems) {
        boolean isShared = one.table().equals(other.table());
        boolean mayShare = one.hasWindowSize()
                && one.meaning().equals(other.meaning())
                && one.windowMillis() != other.windowMillis();
        if (isShared && !mayShare) {
            problems.add(key(one.name(), "table") + " and " + key(other.name(), "table") + " are both '" + one.table()
                    + "'; give one another table: rollups share one only if they differ in window, and slide, alone and"
                    + " have window_size in by");
        }
    }

    private static void metrics(RollupDefinition one, RollupDefinition other, List<String> problems) {
        boolean areShown = one.live() && other.live() && one.isMetric() && other.isMetric();
        if (areShown && one.windowMillis() == other.windowMillis()) {
            problems.add("rollups has '" + one.name() + "' and '" + other.name() + "', both by window_size,event_type"
                    + " with a window of " + Durations.words(one.windowMillis())
                    + ", which Redis would show as one, metric:EVENT_TYPE:" + one.windowSizeText() + "; set "
                    + key(other.name(), "live") + "=false, or leave window_size out of " + key(other.name(), "by"));
        }
    }
}
