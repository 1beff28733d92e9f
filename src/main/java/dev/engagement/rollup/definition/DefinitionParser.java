package dev.engagement.rollup.definition;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads the properties of one rollup. */
final class DefinitionParser {

    static final String BY = "by";
    static final String WHERE = "where";
    static final String WINDOW = "window";
    static final String SLIDE = "slide";
    static final String MEASURES = "measures";
    static final String TABLE = "table";
    static final String RETENTION = "retention";
    static final String LIVE = "live";

    /** What distinct users are counted by. */
    static final String USER = "user_id";

    private static final Duration DEFAULT_RETENTION = Duration.ofDays(30);

    private static final String BY_FORM =
            "by is up to three of event_type, content_id, content_type, device and raw_payload.FIELD, comma separated,"
                    + " each also as COLUMN=…, and window_size beside them; empty for one total";

    private static final String WHERE_FORM =
            "where is event types such as play,finish, and fields that have to be present, raw_payload.FIELD, comma"
                    + " separated; empty for all events";

    private static final String MEASURES_FORM =
            "measures are NAME=FUNCTION, comma separated, with count, sum_seconds, sum(raw_payload.FIELD),"
                    + " min(raw_payload.FIELD), max(raw_payload.FIELD), unique(user_id), count_if(CONDITION) and"
                    + " unique_if(CONDITION)";

    private static final String CONDITION_FORM = "a condition is engagement_pct >= PERCENT or event_type = TYPE|TYPE";

    private static final Pattern EVENT_TYPE = Pattern.compile("[^\\s\\p{Cntrl},;|()=<>'\"\\\\]{1,100}");

    /** Columns of events: what nobody means who writes an event type. */
    private static final Set<String> NO_EVENT_TYPES =
            Set.of("event_type", "content_id", "content_type", "device", "user_id", "window_size", "engagement_pct");

    private static final Pattern CALL = Pattern.compile("([a-z_]+)\\s*(?:\\(\\s*(.*?)\\s*\\))?");

    private static final Pattern PCT_AT_LEAST =
            Pattern.compile("engagement_pct\\s*>=\\s*([0-9]{1,9}(?:\\.[0-9]{1,9})?)");

    private static final Pattern EVENT_TYPE_IN = Pattern.compile("event_type\\s*=\\s*(.*)");

    private final String name;
    private final Map<String, String> properties;
    private final List<String> problems;

    /**
     * @param properties their texts by their names, without the rollup's
     * @param problems takes what is wrong
     */
    DefinitionParser(String name, Map<String, String> properties, List<String> problems) {
        this.name = name;
        this.properties = properties;
        this.problems = problems;
    }

    /** The definition, or null if anything is wrong with it, which is among the problems then. */
    @Nullable
    RollupDefinition parse() {
        int before = problems.size();
        properties.keySet().stream()
                .filter(property -> !RollupDefinitions.PROPERTIES.contains(property))
                .sorted()
                .forEach(property -> refuse(
                        property,
                        "a rollup has no such property, but " + String.join(", ", RollupDefinitions.PROPERTIES)));
        List<KeyPart> by = by();
        Filter where = where();
        Duration window = required(WINDOW, "1 min") ? duration(WINDOW, Duration.ZERO) : null;
        Duration slide = duration(SLIDE, window);
        List<Measure> measures = measures();
        String table = properties.getOrDefault(TABLE, name);
        Duration retention = duration(RETENTION, DEFAULT_RETENTION);
        boolean live = live();

        // What could be read is checked even if something else could not.
        DefinitionRules.key(name, by, problems);
        DefinitionRules.columns(name, by, measures, problems);
        DefinitionRules.table(name, table, problems);
        if (window != null && slide != null) {
            DefinitionRules.windows(name, window.toMillis(), slide.toMillis(), problems);
        }
        if (window != null && retention != null) {
            DefinitionRules.retention(name, retention, window.toMillis(), problems);
        }
        if (problems.size() > before || window == null || slide == null || retention == null) {
            return null;
        }
        return new RollupDefinition(
                name, by, where, window.toMillis(), slide.toMillis(), measures, table, retention, live);
    }

    private List<KeyPart> by() {
        return items(BY, BY_FORM, DefinitionParser::keyPart);
    }

    private static KeyPart keyPart(String item) {
        int equals = item.indexOf('=');
        String column = equals < 0 ? null : item.substring(0, equals).trim();
        String from = item.substring(equals + 1).trim();
        if (PayloadField.isMeant(from)) {
            String field = PayloadField.parse(from);
            return new KeyPart(column == null ? field : column, KeyPart.Source.PAYLOAD, field);
        }
        KeyPart.Source source = Arrays.stream(KeyPart.Source.values())
                .filter(candidate ->
                        candidate != KeyPart.Source.PAYLOAD && candidate.word().equals(from))
                .findFirst()
                .orElseThrow(
                        () -> new IllegalArgumentException("'" + from + "' is nothing that events are counted by"));
        if (source == KeyPart.Source.WINDOW_SIZE && column != null && !column.equals(from)) {
            throw new IllegalArgumentException("window_size keeps its name: leave '" + column + "=' off");
        }
        return new KeyPart(column == null ? from : column, source, null);
    }

    private @Nullable Filter where() {
        Set<String> types = new LinkedHashSet<>();
        Set<String> fields = new LinkedHashSet<>();
        items(WHERE, WHERE_FORM, item -> {
            boolean isNew =
                    PayloadField.isMeant(item) ? fields.add(PayloadField.parse(item)) : types.add(eventType(item));
            if (!isNew) {
                throw new IllegalArgumentException("it names '" + item + "' twice");
            }
            return item;
        });
        return types.isEmpty() && fields.isEmpty() ? null : new Filter(types, fields);
    }

    private static String eventType(String text) {
        if (!EVENT_TYPE.matcher(text).matches() || NO_EVENT_TYPES.contains(text)) {
            throw new IllegalArgumentException("'" + text + "' is no event type");
        }
        return text;
    }

    private List<Measure> measures() {
        return required(MEASURES, "count") ? items(MEASURES, MEASURES_FORM, DefinitionParser::measure) : List.of();
    }

    private static Measure measure(String item) {
        int equals = item.indexOf('=');
        int argument = item.indexOf('(');
        boolean isNamed = equals >= 0 && (argument < 0 || equals < argument);
        String call = isNamed ? item.substring(equals + 1).trim() : item;
        Matcher matcher = CALL.matcher(call);
        Measure.Function function = matcher.matches() ? function(matcher.group(1)) : null;
        if (function == null) {
            throw new IllegalArgumentException("'" + item + "' is no measure");
        }
        if (!isNamed && argument >= 0) {
            throw new IllegalArgumentException("'" + item + "' has no name");
        }
        String column = isNamed ? item.substring(0, equals).trim() : call;
        return measure(column, function, matcher.group(2), item);
    }

    private static Measure.@Nullable Function function(String word) {
        return Arrays.stream(Measure.Function.values())
                .filter(function -> function.word().equals(word))
                .findFirst()
                .orElse(null);
    }

    private static Measure measure(String column, Measure.Function function, @Nullable String argument, String item) {
        if (function.takesField()) {
            return new Measure(column, function, PayloadField.parse(argument == null ? "" : argument), null);
        }
        if (function.takesCondition()) {
            return new Measure(column, function, null, condition(argument == null ? "" : argument));
        }
        if (function == Measure.Function.UNIQUE && !USER.equals(argument)) {
            throw new IllegalArgumentException("'" + item + "' counts no users; it must be unique(user_id)");
        }
        if (function != Measure.Function.UNIQUE && argument != null) {
            throw new IllegalArgumentException("'" + item + "' is of a function that takes nothing in parentheses");
        }
        return new Measure(column, function, null, null);
    }

    private static Condition condition(String text) {
        Matcher pct = PCT_AT_LEAST.matcher(text);
        if (pct.matches()) {
            return new Condition.PctAtLeast(new BigDecimal(pct.group(1)));
        }
        Matcher types = EVENT_TYPE_IN.matcher(text);
        if (!types.matches()) {
            throw new IllegalArgumentException("'" + text + "' is no condition; " + CONDITION_FORM);
        }
        Set<String> in = new LinkedHashSet<>();
        for (String type : types.group(1).split("\\|", -1)) {
            if (!in.add(eventType(type.trim()))) {
                throw new IllegalArgumentException("'" + text + "' names " + type.trim() + " twice");
            }
        }
        return new Condition.EventTypeIn(in);
    }

    private boolean live() {
        String text = properties.getOrDefault(LIVE, "true");
        if (!text.equals("true") && !text.equals("false")) {
            refuse(LIVE, "it must be true or false");
        }
        return text.equals("true");
    }

    private boolean required(String property, String example) {
        if (!properties.getOrDefault(property, "").isEmpty()) {
            return true;
        }
        String key = DefinitionRules.key(name, property);
        problems.add(key + (properties.containsKey(property) ? " is empty" : " is missing") + "; give it, such as "
                + key + "=" + example);
        return false;
    }

    private @Nullable Duration duration(String property, @Nullable Duration ifNotGiven) {
        String text = properties.get(property);
        if (text == null) {
            return ifNotGiven;
        }
        try {
            return Durations.parse(text);
        } catch (IllegalArgumentException e) {
            refuse(property, e.getMessage());
            return null;
        }
    }

    /** What the items of a list mean, without those that mean nothing, which are problems. */
    private <T> List<T> items(String property, String form, Function<String, T> parser) {
        List<T> parsed = new ArrayList<>();
        Set<String> wrong = new LinkedHashSet<>();
        for (String item : split(properties.getOrDefault(property, ""))) {
            try {
                if (item.isEmpty()) {
                    throw new IllegalArgumentException("it has an empty place");
                }
                parsed.add(parser.apply(item));
            } catch (IllegalArgumentException e) {
                wrong.add(e.getMessage());
            }
        }
        if (!wrong.isEmpty()) {
            refuse(property, wrong.stream().collect(Collectors.joining(", ")) + ": " + form);
        }
        return parsed;
    }

    /** At the commas that are in no parentheses; nothing of an empty text. */
    private static List<String> split(String text) {
        List<String> items = new ArrayList<>();
        int depth = 0;
        int begin = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            depth += c == '(' ? 1 : c == ')' ? -1 : 0;
            if (c == ',' && depth <= 0) {
                items.add(text.substring(begin, i).trim());
                begin = i + 1;
            }
        }
        if (!text.isBlank()) {
            items.add(text.substring(begin).trim());
        }
        return items;
    }

    private void refuse(String property, @Nullable String why) {
        problems.add(DefinitionRules.key(name, property) + " is '" + properties.get(property) + "'; " + why);
    }
}
