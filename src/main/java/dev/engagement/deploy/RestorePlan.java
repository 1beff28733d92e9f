package dev.engagement.deploy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.jspecify.annotations.Nullable;

/**
 * What would become of each operator's state if a job went on from a savepoint.
 *
 * <p>Flink itself refuses some of what is lost here (an operator that is gone, another serializer, another maximum
 * parallelism), and only once the old job has been stopped; and it says nothing of a state that an operator no longer
 * registers.
 *
 * @param from the savepoint or checkpoint
 * @param entries one of each operator with state, before or now, sorted by uid
 */
record RestorePlan(String from, List<Entry> entries) {

    /** What becomes of an operator's state. */
    enum Verdict {
        /** It goes on with what it knew. */
        RESTORED,
        /** It begins with nothing: the savepoint has nothing of it. */
        NEW,
        /** Some of its state, or all, would be forgotten. */
        DROPPED,
        /** Its state cannot be read by this jar or with this configuration. */
        INCOMPATIBLE
    }

    /**
     * One operator.
     *
     * @param uid its uid; the hash of it if nobody knows the uid any more
     * @param details what is worth saying, a line each
     */
    record Entry(String uid, Verdict verdict, List<String> details) {}

    /**
     * Compares.
     *
     * @param saved what there is
     * @param savedUids uids by the savepoint's hashes, as far as they are known
     * @param shape the job that is to go on from it
     * @param catalogue what the job's operators register
     * @param classes of the jar that holds that job
     */
    static RestorePlan compare(
            SavedState saved,
            Map<OperatorID, String> savedUids,
            JobShape shape,
            StateCatalogue catalogue,
            ClassLoader classes) {
        List<Entry> entries = new ArrayList<>();
        saved.operators().forEach((id, before) -> {
            JobShape.Operator now = shape.operators().get(id);
            if (now == null) {
                if (before.hasState()) {
                    String uid = savedUids.getOrDefault(id, id.toHexString());
                    entries.add(new Entry(uid, Verdict.DROPPED, List.of("no operator has this uid: " + what(before))));
                }
            } else {
                Optional<Entry> entry = operator(now, before, catalogue.of(now.uid()), classes);
                entry.ifPresent(entries::add);
            }
        });
        shape.operators().forEach((id, now) -> {
            if (!saved.operators().containsKey(id) && catalogue.of(now.uid()).isPresent()) {
                entries.add(new Entry(now.uid(), Verdict.NEW, List.of("begins without state")));
            }
        });
        entries.sort(Comparator.comparing(Entry::uid));
        return new RestorePlan(saved.path(), entries);
    }

    private static Optional<Entry> operator(
            JobShape.Operator now,
            SavedState.Operator before,
            Optional<StateCatalogue.Operator> registered,
            ClassLoader classes) {
        List<String> incompatible = new ArrayList<>(before.unreadable());
        List<String> dropped = new ArrayList<>();
        List<String> remarks = new ArrayList<>();
        if (now.maxParallelism() > 0 && now.maxParallelism() != before.maxParallelism()) {
            incompatible.add("its maximum parallelism is " + before.maxParallelism() + " and would be "
                    + now.maxParallelism() + "; it can never change (pipeline.max-parallelism)");
        }
        if (now.parallelism() > before.maxParallelism()) {
            incompatible.add("its parallelism would be " + now.parallelism() + ", above its maximum parallelism "
                    + before.maxParallelism());
        }
        Map<String, RegisteredState> states = new LinkedHashMap<>();
        registered.ifPresent(operator -> operator.states().forEach(state -> states.put(state.name(), state)));
        for (RegisteredState state : before.states()) {
            RegisteredState same = states.remove(state.name());
            if (same == null && before.empty().contains(state.name())) {
                // Flink's own sinks register one, for older versions of them, only if they are restored.
                remarks.add("state '" + state.name() + "' is not registered any more, and is empty");
            } else if (same == null) {
                dropped.add("state '" + state.name() + "' (" + state.kind() + ") is not registered any more");
            } else {
                compare(state, same, classes, incompatible, remarks);
            }
        }
        if (before.coordinator()
                && !registered.map(StateCatalogue.Operator::coordinator).orElse(false)) {
            dropped.add("its coordinator's state, such as a source's splits, is not kept any more");
        }
        if (before.unreadable().isEmpty() && before.hasState()) {
            states.values().forEach(state -> remarks.add("state '" + state.name() + "' is new"));
        }
        compareRollups(before.rollups(), now.rollups(), incompatible, remarks);
        List<String> details = new ArrayList<>(incompatible);
        details.addAll(dropped);
        if (!incompatible.isEmpty()) {
            return Optional.of(new Entry(now.uid(), Verdict.INCOMPATIBLE, details));
        }
        if (!dropped.isEmpty()) {
            return Optional.of(new Entry(now.uid(), Verdict.DROPPED, details));
        }
        if (!before.hasState()) {
            return registered.map(
                    operator -> new Entry(now.uid(), Verdict.NEW, List.of("had no state in this savepoint")));
        }
        if (now.parallelism() != before.parallelism()) {
            remarks.add(0, "parallelism " + before.parallelism() + " -> " + now.parallelism());
        }
        return Optional.of(new Entry(now.uid(), Verdict.RESTORED, remarks));
    }

    private static void compare(
            RegisteredState before,
            RegisteredState now,
            ClassLoader classes,
            List<String> incompatible,
            List<String> remarks) {
        String name = "state '" + before.name() + "'";
        if (!before.kind().equals(now.kind())) {
            incompatible.add(name + " was " + before.kind() + " and would be " + now.kind());
            return;
        }
        Map<String, StateSerializer> serializers =
                now.serializers().stream().collect(Collectors.toMap(StateSerializer::role, each -> each));
        for (StateSerializer written : before.serializers()) {
            StateSerializer reader = serializers.get(written.role());
            if (reader == null) {
                incompatible.add(name + " has no serializer of its " + word(written) + " any more");
                continue;
            }
            try {
                switch (reader.reads(written, classes)) {
                    case AS_IT_IS -> {}
                    case AFTER_MIGRATION -> {
                        if (written.role().equals(RegisteredState.KEY)
                                || written.role().startsWith("NAMESPACE")
                                || before.kind().equals("timers")) {
                            incompatible.add(name + ": the " + word(written) + " cannot be migrated, and "
                                    + reader.snapshotClass() + " does not read " + written.snapshotClass());
                        } else {
                            remarks.add(name + " is migrated to " + reader.snapshotClass());
                        }
                    }
                    case NOT ->
                        incompatible.add(name + ": the serializer of its " + word(written) + " was "
                                + described(written, classes) + ", which " + described(reader, classes)
                                + " does not read");
                }
            } catch (IOException | RuntimeException e) {
                incompatible.add(name + ": the serializer of its " + word(written) + " cannot be compared: " + e);
            }
        }
    }

    /** A restore refuses a name with another meaning: one table would hold both. */
    private static void compareRollups(
            Map<String, String> before, Map<String, String> now, List<String> incompatible, List<String> remarks) {
        if (before.isEmpty()) {
            return;
        }
        for (Map.Entry<String, String> each : new TreeMap<>(before).entrySet()) {
            String name = each.getKey();
            String meaning = now.get(name);
            if (meaning == null) {
                remarks.add("rollup " + name + " is left out: its windows are forgotten, and its table stays as it is");
            } else if (!meaning.equals(each.getValue())) {
                incompatible.add("rollup " + name + " was defined as " + each.getValue());
                incompatible.add("and would be " + meaning);
                incompatible.add("a changed definition is a new name: give it a new name and table");
            }
        }
        for (String name : new TreeSet<>(now.keySet())) {
            if (!before.containsKey(name)) {
                remarks.add("rollup " + name + " is new: it counts what comes from here on");
            }
        }
    }

    private static String word(StateSerializer serializer) {
        return serializer.role().toLowerCase(Locale.ROOT).replace("_serializer", "");
    }

    private static String described(StateSerializer serializer, ClassLoader classes) throws IOException {
        String itself = serializer.serializerClass(classes);
        String snapshot = serializer.snapshotClass() + " version " + serializer.version();
        // A snapshot that is one serializer's own says which.
        return snapshot.startsWith(itself) ? snapshot : itself + " (" + snapshot + ")";
    }

    private static String what(SavedState.Operator operator) {
        List<String> names = new ArrayList<>();
        operator.states().forEach(state -> names.add("'" + state.name() + "' (" + state.kind() + ")"));
        if (operator.coordinator()) {
            names.add("its coordinator's state");
        }
        if (names.isEmpty()) {
            names.add("its state");
        }
        return String.join(", ", names) + " would be forgotten";
    }

    /** The uids whose state would be lost and whose loss nobody has allowed, sorted. */
    Set<String> losses(Set<String> allowed) {
        Set<String> losses = new TreeSet<>();
        for (Entry each : entries) {
            if (each.verdict() == Verdict.INCOMPATIBLE
                    || (each.verdict() == Verdict.DROPPED && !allowed.contains(each.uid()))) {
                losses.add(each.uid());
            }
        }
        return losses;
    }

    /** Whether Flink has to be told that state may be left behind. */
    boolean leavesStateBehind() {
        return entries.stream().anyMatch(each -> each.verdict() == Verdict.DROPPED);
    }

    /** Those of {@code allowed} that are no loss of this plan: misspelt, or allowed for nothing. */
    Set<String> unused(Set<String> allowed) {
        Set<String> unused = new TreeSet<>(allowed);
        entries.stream().filter(each -> each.verdict() == Verdict.DROPPED).forEach(each -> unused.remove(each.uid()));
        return unused;
    }

    /** As a person reads it. */
    List<String> lines(Set<String> allowed) {
        List<String> lines = new ArrayList<>();
        int width = entries.stream().mapToInt(each -> each.uid().length()).max().orElse(1);
        String row = "  %-" + width + "s  %-17s  %s";
        for (Entry each : entries) {
            String verdict = verdict(each, allowed);
            @Nullable
            String first = each.details().isEmpty() ? null : each.details().get(0);
            lines.add(String.format(row, each.uid(), verdict, first == null ? "" : first)
                    .stripTrailing());
            each.details().stream().skip(1).forEach(detail -> lines.add(String.format(row, "", "", detail)));
        }
        return lines;
    }

    private static String verdict(Entry entry, Set<String> allowed) {
        return switch (entry.verdict()) {
            case RESTORED -> "restored";
            case NEW -> "new";
            case DROPPED -> allowed.contains(entry.uid()) ? "dropped (allowed)" : "WOULD BE DROPPED";
            case INCOMPATIBLE -> "INCOMPATIBLE";
        };
    }
}
