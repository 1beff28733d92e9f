package dev.engagement.local.bigquery;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.grpc.Status;
import java.time.Duration;
import java.util.Collection;
import java.util.EnumMap;
import java.util.Iterator;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * What the emulator does wrong on purpose. Faults "for the next" calls are used up by them, whoever calls; the others last
 * until they are changed. All can be set over REST too, {@code POST /emulator/faults}, with the methods' names as members:
 *
 * <pre>{@code
 * {"loseAppendAcknowledgements": 2, "refuseAppends": {"code": "RESOURCE_EXHAUSTED", "times": 5}, "delayAppends": "PT0.05S",
 *  "refuseRows": [17, 18], "blackHole": true, "finalizeStreams": true, "clear": true}
 * }</pre>
 *
 * <p>Thread safe.
 */
public final class Faults {

    /** Where a status is answered instead of doing what was asked. */
    enum Call {
        /** In the answer; the connection goes on. */
        APPEND,
        /** As the end of the connection. */
        CONNECTION,
        CREATE,
        FLUSH
    }

    private record Burst(Status.Code code, int left) {}

    private final Map<Call, Burst> bursts = new EnumMap<>(Call.class);
    private final CopyOnWriteArrayList<Runnable> blackHoleEnds = new CopyOnWriteArrayList<>();
    private final Runnable finalizer;
    private int lostAcknowledgements;
    private int lostFlushReplies;
    private int disconnectAfter;
    private Duration freshTableDenial = Duration.ZERO;
    private Duration appendDelay = Duration.ZERO;
    private Set<Long> refusedRows = Set.of();
    private boolean blackHole;
    private boolean discarding;

    /**
     * @param finalizer ends all streams
     */
    Faults(Runnable finalizer) {
        this.finalizer = finalizer;
    }

    /** The next so many appends are done, not answered, and their connections break. */
    public synchronized void loseAppendAcknowledgements(int times) {
        lostAcknowledgements = times;
    }

    /** The next so many appends are not done and answered with that status; the connection goes on. */
    public synchronized void refuseAppends(Status.Code code, int times) {
        bursts.put(Call.APPEND, new Burst(code, times));
    }

    /** The next so many appends are not done; their connections end with that status. */
    public synchronized void breakAppends(Status.Code code, int times) {
        bursts.put(Call.CONNECTION, new Burst(code, times));
    }

    /** The next so many calls of CreateWriteStream are answered with that status. */
    public synchronized void refuseCreates(Status.Code code, int times) {
        bursts.put(Call.CREATE, new Burst(code, times));
    }

    /** The next so many calls of FlushRows are not done and answered with that status. */
    public synchronized void refuseFlushes(Status.Code code, int times) {
        bursts.put(Call.FLUSH, new Burst(code, times));
    }

    /** The next so many calls of FlushRows are done, and answered UNAVAILABLE. */
    public synchronized void loseFlushReplies(int times) {
        lostFlushReplies = times;
    }

    /** Tables younger than that are denied to all calls of the Storage Write API. */
    public synchronized void denyFreshTables(Duration age) {
        freshTableDenial = age;
    }

    /** Appends are answered that much later; one after the other, but all on their way at once. */
    public synchronized void delayAppends(Duration delay) {
        appendDelay = delay;
    }

    /** Each connection ends UNAVAILABLE instead of answering one more append after so many; 0 for never. */
    public synchronized void disconnectAfter(int appends) {
        disconnectAfter = appends;
    }

    /** Rows with one of these values of the column {@code event_id} are refused; none to refuse none. */
    public synchronized void refuseRows(Collection<Long> eventIds) {
        refusedRows = Set.copyOf(eventIds);
    }

    /** Ends all streams there are now, as BigQuery may. */
    public void finalizeStreams() {
        finalizer.run();
    }

    /**
     * Accepts connections and answers nothing. What came meanwhile is not done; when it ends, the calls that waited end
     * UNAVAILABLE.
     */
    public void blackHole(boolean on) {
        boolean ended;
        synchronized (this) {
            ended = blackHole && !on;
            blackHole = on;
            notifyAll();
        }
        if (ended) {
            blackHoleEnds.forEach(Runnable::run);
        }
    }

    /** Counts rows instead of reading and keeping them: for benchmarks of clients. */
    public synchronized void discardRows(boolean on) {
        discarding = on;
    }

    /** Ends all of them. Streams that were finalized stay so. */
    public void clear() {
        synchronized (this) {
            bursts.clear();
            lostAcknowledgements = 0;
            lostFlushReplies = 0;
            disconnectAfter = 0;
            freshTableDenial = Duration.ZERO;
            appendDelay = Duration.ZERO;
            refusedRows = Set.of();
            discarding = false;
        }
        blackHole(false);
    }

    /**
     * Sets what a JSON object names; {@code clear} first, the rest stays as it is.
     *
     * @throws RestException if a member is none, or its value does not fit
     */
    void apply(JsonNode wanted) {
        if (wanted.path("clear").asBoolean()) {
            clear();
        }
        for (Iterator<Map.Entry<String, JsonNode>> members = wanted.fields(); members.hasNext(); ) {
            Map.Entry<String, JsonNode> member = members.next();
            JsonNode value = member.getValue();
            switch (member.getKey()) {
                case "clear" -> {}
                case "loseAppendAcknowledgements" -> loseAppendAcknowledgements(times(member));
                case "refuseAppends" -> refuseAppends(code(member), times(member));
                case "breakAppends" -> breakAppends(code(member), times(member));
                case "refuseCreates" -> refuseCreates(code(member), times(member));
                case "refuseFlushes" -> refuseFlushes(code(member), times(member));
                case "loseFlushReplies" -> loseFlushReplies(times(member));
                case "denyFreshTables" -> denyFreshTables(duration(member));
                case "delayAppends" -> delayAppends(duration(member));
                case "disconnectAfter" -> disconnectAfter(times(member));
                case "refuseRows" -> {
                    Set<Long> ids = new TreeSet<>();
                    value.forEach(id -> ids.add(id.asLong()));
                    refuseRows(ids);
                }
                case "finalizeStreams" -> {
                    if (value.asBoolean()) {
                        finalizeStreams();
                    }
                }
                case "blackHole" -> blackHole(value.asBoolean());
                case "discardRows" -> discardRows(value.asBoolean());
                default -> throw RestException.invalid("There is no fault " + member.getKey());
            }
        }
    }

    private static int times(Map.Entry<String, JsonNode> member) {
        JsonNode value = member.getValue();
        JsonNode times = value.isObject() ? value.path("times") : value;
        if (!times.canConvertToInt() || times.asInt() < 0) {
            throw RestException.invalid("The fault " + member.getKey() + " needs a number of times");
        }
        return times.asInt();
    }

    private static Status.Code code(Map.Entry<String, JsonNode> member) {
        String code = member.getValue().path("code").asText();
        try {
            return Status.Code.valueOf(code.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new RestException(
                    400,
                    "invalid",
                    "The fault " + member.getKey() + " needs the code of a gRPC status, not '" + code + "'");
        }
    }

    private static Duration duration(Map.Entry<String, JsonNode> member) {
        JsonNode value = member.getValue();
        try {
            return value.isNumber() ? Duration.ofMillis(value.asLong()) : Duration.parse(value.asText());
        } catch (java.time.format.DateTimeParseException e) {
            throw new RestException(
                    400,
                    "invalid",
                    "The fault " + member.getKey() + " needs milliseconds, or a duration such as PT0.05S, not "
                            + value);
        }
    }

    /** What is left to do, as {@code GET /emulator/faults} answers it. */
    synchronized ObjectNode toJson() {
        ObjectNode answer = Json.object();
        answer.put("loseAppendAcknowledgements", lostAcknowledgements);
        answer.put("loseFlushReplies", lostFlushReplies);
        bursts.forEach((call, burst) -> {
            if (burst.left() > 0) {
                String name =
                        switch (call) {
                            case APPEND -> "refuseAppends";
                            case CONNECTION -> "breakAppends";
                            case CREATE -> "refuseCreates";
                            case FLUSH -> "refuseFlushes";
                        };
                answer.putObject(name).put("code", burst.code().name()).put("times", burst.left());
            }
        });
        answer.put("denyFreshTables", freshTableDenial.toString());
        answer.put("delayAppends", appendDelay.toString());
        answer.put("disconnectAfter", disconnectAfter);
        refusedRows.forEach(answer.withArray("refuseRows")::add);
        answer.put("blackHole", blackHole);
        answer.put("discardRows", discarding);
        return answer;
    }

    /** Takes one of the next calls. */
    synchronized boolean takeLostAcknowledgement() {
        if (lostAcknowledgements == 0) {
            return false;
        }
        lostAcknowledgements--;
        return true;
    }

    synchronized boolean takeLostFlushReply() {
        if (lostFlushReplies == 0) {
            return false;
        }
        lostFlushReplies--;
        return true;
    }

    /**
     * @throws Refusal if this call is one of the next so many
     */
    synchronized void refuse(Call call) {
        @Nullable Burst burst = bursts.get(call);
        if (burst != null && burst.left() > 0) {
            bursts.put(call, new Burst(burst.code(), burst.left() - 1));
            throw Refusal.of(burst.code(), "A fault of the emulator: " + burst.code());
        }
    }

    synchronized Duration freshTableDenial() {
        return freshTableDenial;
    }

    synchronized Duration appendDelay() {
        return appendDelay;
    }

    synchronized int disconnectLimit() {
        return disconnectAfter;
    }

    synchronized Set<Long> refusedRows() {
        return refusedRows;
    }

    synchronized boolean isBlackHole() {
        return blackHole;
    }

    synchronized boolean isDiscarding() {
        return discarding;
    }

    /** Runs whenever a black hole ends. */
    void onBlackHoleEnd(Runnable action) {
        blackHoleEnds.add(action);
    }

    /** Waits in the black hole. */
    synchronized void awaitBlackHoleEnd() throws InterruptedException {
        while (blackHole) {
            wait();
        }
    }
}
