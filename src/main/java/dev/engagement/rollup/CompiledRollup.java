package dev.engagement.rollup;

import dev.engagement.event.RollupRow;
import dev.engagement.event.types.EventShards;
import dev.engagement.rollup.definition.Filter;
import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.RollupDefinition;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.apache.flink.util.MathUtils;
import org.jspecify.annotations.Nullable;

/** A definition, ready to be applied to events: places instead of names, and the arithmetic of its windows. */
final class CompiledRollup {

    /** Parts of a key stand between these; a part that holds one itself is refused. */
    private static final char SEPARATOR = '\0';

    /** Longest part of a key, in bytes of UTF-8: what PostgreSQL's index and Redis' names bear well. */
    static final int MAX_KEY_PART_BYTES = 512;

    private final RollupDefinition definition;
    private final List<KeyPart> keyParts;
    private final int[] keyFields;
    private final boolean isByContent;
    private final Set<String> eventTypes;
    private final int[] presentFields;
    private final CompiledMeasure[] measures;
    private final Aggregate.Slots slots;
    private final long windowMillis;
    private final long slideMillis;
    private final long paneMillis;

    private CompiledRollup(RollupDefinition definition, PayloadFields fields) {
        this.definition = definition;
        this.keyParts = definition.by().stream()
                .filter(part -> part.source() != KeyPart.Source.WINDOW_SIZE)
                .toList();
        this.keyFields = keyParts.stream()
                .mapToInt(part -> part.field() == null ? -1 : fields.indexOf(part.field()))
                .toArray();
        this.isByContent = keyParts.stream().anyMatch(part -> part.source() == KeyPart.Source.CONTENT_ID);
        Filter where = definition.where();
        // Not Set.copyOf, which fails when it is asked for null: an event may have no type.
        this.eventTypes = where == null ? new HashSet<>() : new HashSet<>(where.eventTypes());
        this.presentFields = where == null
                ? new int[0]
                : where.presentFields().stream().mapToInt(fields::indexOf).toArray();
        CompiledMeasure.Compiler compiler = new CompiledMeasure.Compiler(fields);
        this.measures = definition.measures().stream().map(compiler::compile).toArray(CompiledMeasure[]::new);
        this.slots = compiler.slots();
        this.windowMillis = definition.windowMillis();
        this.slideMillis = definition.slideMillis();
        this.paneMillis = definition.paneMillis();
    }

    /** All of them, and the fields of payloads that any of them asks for. */
    record All(List<CompiledRollup> rollups, PayloadFields fields) {

        static All of(List<RollupDefinition> definitions) {
            PayloadFields fields = new PayloadFields(List.copyOf(fieldsOf(definitions)));
            List<CompiledRollup> rollups = new ArrayList<>();
            for (RollupDefinition definition : definitions) {
                rollups.add(new CompiledRollup(definition, fields));
            }
            return new All(List.copyOf(rollups), fields);
        }

        private static Set<String> fieldsOf(List<RollupDefinition> definitions) {
            Set<String> names = new LinkedHashSet<>();
            for (RollupDefinition definition : definitions) {
                definition.by().forEach(part -> addIfAny(names, part.field()));
                definition.measures().forEach(measure -> addIfAny(names, measure.field()));
                if (definition.where() != null) {
                    names.addAll(definition.where().presentFields());
                }
            }
            return names;
        }

        private static void addIfAny(Set<String> names, @Nullable String field) {
            if (field != null) {
                names.add(field);
            }
        }
    }

    String name() {
        return definition.name();
    }

    RollupDefinition definition() {
        return definition;
    }

    /** Not to be written to. */
    CompiledMeasure[] measures() {
        return measures;
    }

    Aggregate empty() {
        return new Aggregate(slots);
    }

    // ---------------------------------------------------------------------------------------------- single events

    /** Whether the rollup is about that event. */
    boolean accepts(EventFacts event) {
        if (!eventTypes.isEmpty() && !eventTypes.contains(event.eventType())) {
            return false;
        }
        if (isByContent && event.contentId() == null) {
            return false;
        }
        for (int field : presentFields) {
            PayloadFields.Kind kind = event.payload().kind(field);
            if (kind == PayloadFields.Kind.ABSENT || kind == PayloadFields.Kind.NULL) {
                return false;
            }
        }
        return true;
    }

    /** Where the parts of a key come from: an event has the same key in all rollups of the same sources. */
    List<String> keySources() {
        return keyParts.stream().map(part -> part.source() + " " + part.field()).toList();
    }

    /** The event's key, or null if a part of it is too long or holds a NUL, which no PostgreSQL text does. */
    @Nullable
    String key(EventFacts event) {
        if (keyFields.length == 1) {
            return usable(part(0, event));
        }
        StringBuilder key = new StringBuilder();
        for (int i = 0; i < keyFields.length; i++) {
            String part = usable(part(i, event));
            if (part == null) {
                return null;
            }
            if (i > 0) {
                key.append(SEPARATOR);
            }
            key.append(part);
        }
        return key.toString();
    }

    private @Nullable String part(int i, EventFacts event) {
        return switch (keyParts.get(i).source()) {
            case EVENT_TYPE -> event.eventType();
            case CONTENT_ID -> event.contentId();
            case CONTENT_TYPE -> event.contentType();
            case DEVICE -> event.device();
            case PAYLOAD -> payloadPart(keyFields[i], event);
            case WINDOW_SIZE -> throw new IllegalStateException("The window's size is no part of a key");
        };
    }

    /** As {@code ->>} gives it, but nothing for what is nested. */
    private static @Nullable String payloadPart(int field, EventFacts event) {
        String text = event.payload().text(field);
        if (text == null || event.payload().kind(field) != PayloadFields.Kind.NUMBER) {
            return text;
        }
        BigDecimal number = PlainDecimal.ofNumber(text);
        // Longer than any part of a key may be, and then refused, or with as many zeros as it was written with.
        return number == null ? text : written(text);
    }

    private static String written(String number) {
        return number.indexOf('e') < 0 && number.indexOf('E') < 0 ? number : new BigDecimal(number).toPlainString();
    }

    private static @Nullable String usable(@Nullable String part) {
        if (part == null) {
            return "";
        }
        return part.length() > MAX_KEY_PART_BYTES || part.indexOf(SEPARATOR) >= 0 || isTooLong(part) ? null : part;
    }

    private static boolean isTooLong(String part) {
        // Three bytes for each char at most.
        if (part.length() * 3 <= MAX_KEY_PART_BYTES) {
            return false;
        }
        int bytes = 0;
        for (int i = 0; i < part.length(); i++) {
            char c = part.charAt(i);
            bytes += c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
        }
        return bytes > MAX_KEY_PART_BYTES;
    }

    /**
     * Adds an event that it {@link #accepts}.
     *
     * @return how many measures could not use what the event has for them
     */
    int add(EventFacts event, Aggregate to) {
        to.events++;
        int unusable = 0;
        for (CompiledMeasure measure : measures) {
            if (!measure.add(event, to)) {
                unusable++;
            }
        }
        to.skipped += unusable;
        return unusable;
    }

    // ---------------------------------------------------------------------------------------------- windows

    /** The pane of a time: where it begins, milliseconds since the epoch. */
    long paneOf(long eventTsMicros) {
        return Math.floorDiv(eventTsMicros, paneMillis * 1_000) * paneMillis;
    }

    long paneMillis() {
        return paneMillis;
    }

    long windowMillis() {
        return windowMillis;
    }

    long slideMillis() {
        return slideMillis;
    }

    /** The start of the first window that covers a pane. */
    long firstWindow(long pane) {
        return Math.floorDiv(pane + paneMillis - windowMillis + slideMillis - 1, slideMillis) * slideMillis;
    }

    /** The start of the last window that covers a pane. */
    long lastWindow(long pane) {
        return Math.floorDiv(pane, slideMillis) * slideMillis;
    }

    /** The start of the window that ends next after a time, at which others have ended. */
    long startOfNextToEnd(long millis) {
        return Math.floorDiv(millis - windowMillis, slideMillis) * slideMillis + slideMillis;
    }

    // ---------------------------------------------------------------------------------------------- rows

    /** The key of the shard that has a cell's state. It is part of every savepoint and never changes. */
    static Integer shardKey(String rollup, String key) {
        return EventShards.keyOf(shardOf(rollup, key));
    }

    static int shardOf(String rollup, String key) {
        return MathUtils.murmurHash(31 * rollup.hashCode() + key.hashCode()) % EventShards.SHARDS;
    }

    RollupRow row(String key, long windowStart, Aggregate of, boolean closed) {
        List<@Nullable BigDecimal> values = new ArrayList<>(measures.length);
        boolean exact = true;
        for (CompiledMeasure measure : measures) {
            values.add(measure.value(of));
            exact &= measure.isExact(of);
        }
        return new RollupRow(
                name(),
                windowStart,
                windowStart + windowMillis,
                partsOf(key),
                values,
                exact,
                of.skipped,
                of.events,
                closed);
    }

    private List<String> partsOf(String key) {
        if (keyParts.isEmpty()) {
            return List.of();
        }
        return keyParts.size() == 1 ? List.of(key) : Arrays.asList(key.split(String.valueOf(SEPARATOR), -1));
    }
}
