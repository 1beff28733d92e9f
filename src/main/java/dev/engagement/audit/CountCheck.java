package dev.engagement.audit;

import dev.engagement.audit.AuditReport.Finding;
import dev.engagement.audit.AuditReport.Item;
import dev.engagement.event.Integers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The live view's count of each content against its events in the source. Counts are of all time, so this is of every
 * content, whatever the range. While events arrive, a count is right that is at least what the source had at the first look,
 * the settling margin ago, and at most what it has after the second.
 *
 * <p>A number names no events. Where it is not the source's, the warehouse is the witness, if it is compared: its rows of
 * the content that the source has no more, and the source's rows that a dead letter kept from all destinations.
 */
final class CountCheck implements Check {

    private static final int CHUNK = 1_000;
    /** The ids of these are held; so many contents at most. */
    private static final int MAX_WITNESSED = 200;

    private static final String NO_WITNESS =
            "without the warehouse nothing tells a wrong count from events that were" + " deleted at the source";

    private final Range range;
    private final Source source;
    private final Counts counts;
    private final @Nullable RowStore warehouse;
    private final int listed;
    private final Repairs repairs;

    private long contents;
    private final Map<String, Long> suspects = new TreeMap<>();
    private final List<Suspect> found = new ArrayList<>();

    /**
     * A content whose count is not what the source says.
     *
     * @param min events that the count must have
     * @param max events that it may have
     * @param text what stands in Redis, or null
     * @param absent events of the source that the witness has not, or all of them without a witness
     * @param purged events of the witness that the source has not
     */
    private record Suspect(
            String content, long min, long max, @Nullable String text, IdSet absent, IdSet purged) {}

    CountCheck(Range range, Source source, Counts counts, @Nullable RowStore warehouse, int listed, Repairs repairs) {
        this.range = range;
        this.source = source;
        this.counts = counts;
        this.warehouse = warehouse;
        this.listed = listed;
        this.repairs = repairs;
    }

    @Override
    public boolean differs() throws IOException {
        Map<String, Long> expected = source.eventsByContent();
        contents = expected.size();
        for (List<String> chunk : chunks(expected.keySet())) {
            Map<String, String> actual = counts.of(chunk);
            for (String content : chunk) {
                long events = expected.get(content);
                if (!Long.toString(events).equals(actual.get(content))) {
                    suspects.put(content, events);
                }
            }
        }
        counts.contents(content -> {
            if (!expected.containsKey(content)) {
                suspects.put(content, 0L);
            }
        });
        return !suspects.isEmpty();
    }

    @Override
    public IdSet lookAgain() throws IOException {
        List<Suspect> wrong = new ArrayList<>();
        List<List<String>> chunks = chunks(suspects.keySet());
        Map<String, String> actual = new HashMap<>();
        for (List<String> chunk : chunks) {
            actual.putAll(counts.of(chunk));
        }
        // After Redis, which may count what the source commits in between. Each question may be a look at the whole
        // table, as content_id need not have an index: so it is one.
        Map<String, Long> now =
                chunks.size() > 1 ? source.eventsByContent() : source.eventsByContent(suspects.keySet());
        suspects.forEach((content, min) -> {
            long max = Math.max(min, now.getOrDefault(content, 0L));
            String text = actual.get(content);
            if (!isWithin(text, min, max)) {
                wrong.add(new Suspect(content, min, max, text, new IdSet(), new IdSet()));
            }
        });
        found.addAll(wrong);
        IdSet questions = new IdSet();
        List<Suspect> witnessed = wrong.subList(0, Math.min(wrong.size(), MAX_WITNESSED));
        if (!witnessed.isEmpty()) {
            witness(witnessed);
        }
        for (Suspect suspect : witnessed) {
            questions.addAll(suspect.absent);
            questions.addAll(suspect.purged);
        }
        return questions;
    }

    private static boolean isWithin(@Nullable String text, long min, long max) {
        long number = numberOf(text);
        return min <= number && number <= max;
    }

    /** No key is a count of 0; what is no number is less than any. */
    private static long numberOf(@Nullable String text) {
        return text == null ? 0 : Integers.parse(text).orElse(Long.MIN_VALUE);
    }

    /** Asks the witness once for all of them, and the source. */
    private void witness(List<Suspect> contents) throws IOException {
        Map<String, Suspect> byContent = new HashMap<>();
        contents.forEach(suspect -> byContent.put(suspect.content, suspect));
        if (warehouse != null) {
            // The warehouse first, so that what is committed meanwhile is not taken for purged.
            warehouse.idsOfContents(
                    byContent.keySet(),
                    (content, id) -> of(byContent, content).purged.add(id));
        }
        source.idsOfContents(byContent.keySet(), (content, id) -> {
            Suspect suspect = of(byContent, content);
            if (!suspect.purged.remove(id)) {
                suspect.absent.add(id);
            }
        });
    }

    private static Suspect of(Map<String, Suspect> contents, String content) {
        return Objects.requireNonNull(contents.get(content), content);
    }

    @Override
    public IdSet unexplained(EventLog.Letters letters, EventLog.Retries retries) {
        IdSet open = new IdSet();
        for (Suspect suspect : found) {
            open.addAll(suspect.purged);
        }
        return open;
    }

    @Override
    public AuditReport.Destination report(Evidence evidence) throws IOException {
        List<Item> miscounted = new ArrayList<>();
        List<Item> purged = new ArrayList<>();
        List<Item> dead = new ArrayList<>();
        List<String> commands = new ArrayList<>();
        for (Suspect suspect : found) {
            long letters = suspect.absent
                    .where(id -> evidence.letters().has(Evidence.BEFORE_THE_DESTINATIONS, id))
                    .size();
            long deleted = suspect.purged
                    .where(id -> evidence.captured().seen().contains(id)
                            || !evidence.captured().wouldKnow(range.fromMicros()))
                    .size();
            long min = suspect.min - letters + deleted;
            long max = suspect.max - (warehouse == null ? 0 : letters) + deleted;
            if (isWithin(suspect.text, min, max)) {
                String detail = "counts " + suspect.text + " of " + suspect.max + " events";
                if (deleted > 0) {
                    purged.add(new Item(suspect.content, detail + " and " + deleted + " purged"));
                } else {
                    dead.add(new Item(suspect.content, detail + ", " + letters + " of them dead letters"));
                }
            } else {
                miscounted.add(new Item(
                        suspect.content,
                        (suspect.text == null ? "has no count" : "counts " + suspect.text) + " and has "
                                + expected(min, max) + " events"));
                if (commands.size() < listed) {
                    long lost = warehouse == null ? 0 : suspect.absent.size() - letters;
                    boolean lostEverywhere = lost > 0 && isWithin(suspect.text, min - lost, max - lost);
                    commands.add(
                            lostEverywhere
                                    ? repairs.countOfMissing(suspect.content)
                                    : repairs.count(suspect.content, min, max));
                }
            }
        }
        List<Finding> list = new ArrayList<>();
        add(list, Kind.MISCOUNTED, miscounted, commands);
        add(list, Kind.DEAD_LETTER, dead, List.of());
        add(list, Kind.PURGED, purged, List.of());
        return new AuditReport.Destination("liveview", "contents", contents, contents - wrongOfTheSource(), null, list);
    }

    private static String expected(long min, long max) {
        return min == max ? Long.toString(min) : min + " to " + max;
    }

    private long wrongOfTheSource() {
        return found.stream().filter(suspect -> suspect.max > 0).count();
    }

    private void add(List<Finding> list, Kind kind, List<Item> items, List<String> commands) {
        if (!items.isEmpty()) {
            String note = kind == Kind.MISCOUNTED && warehouse == null ? NO_WITNESS : null;
            list.add(new Finding(kind, items.size(), items.subList(0, Math.min(items.size(), listed)), note, commands));
        }
    }

    private static List<List<String>> chunks(Collection<String> ids) {
        List<List<String>> chunks = new ArrayList<>();
        for (String id : ids) {
            if (chunks.isEmpty() || chunks.get(chunks.size() - 1).size() == CHUNK) {
                chunks.add(new ArrayList<>());
            }
            chunks.get(chunks.size() - 1).add(id);
        }
        return chunks;
    }
}
