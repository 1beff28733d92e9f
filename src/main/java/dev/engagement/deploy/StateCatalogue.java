package dev.engagement.deploy;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.runtime.jobgraph.OperatorID;

/**
 * Every state that a jar's jobs register, by the uid of the operator. In the jar as {@value #RESOURCE}, and beside each
 * savepoint that its jobs took: a savepoint itself knows hashes of uids only.
 *
 * <p>Generated from what a savepoint of the whole job holds, and compared with one in a test: it is never written by hand.
 *
 * @param operators sorted by uid; those without state are not in it
 */
record StateCatalogue(List<Operator> operators) {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** Its name in the jar, and beside a savepoint. */
    static final String RESOURCE = "engagement-state.json";

    /**
     * An operator with state.
     *
     * @param uid its uid
     * @param maxParallelism number of its key groups
     * @param coordinator whether its coordinator, such as a source's enumerator, has state too
     * @param states sorted by name and kind
     */
    record Operator(String uid, int maxParallelism, boolean coordinator, List<RegisteredState> states) {

        Operator {
            states = sorted(states);
        }
    }

    StateCatalogue {
        operators =
                operators.stream().sorted(Comparator.comparing(Operator::uid)).toList();
    }

    private static List<RegisteredState> sorted(List<RegisteredState> states) {
        return states.stream()
                .sorted(Comparator.comparing(RegisteredState::name).thenComparing(RegisteredState::kind))
                .toList();
    }

    static StateCatalogue empty() {
        return new StateCatalogue(List.of());
    }

    /** What a savepoint of that job holds. */
    static StateCatalogue of(SavedState saved, JobShape shape) {
        List<Operator> operators = new ArrayList<>();
        saved.operators().forEach((id, operator) -> {
            if (!operator.unreadable().isEmpty()) {
                throw new IllegalArgumentException(saved.path() + " cannot be read: " + operator.unreadable());
            }
            JobShape.Operator known = shape.operators().get(id);
            if (known == null) {
                throw new IllegalArgumentException(saved.path() + " is of another job: it has state of " + id);
            }
            if (operator.hasState()) {
                operators.add(new Operator(
                        known.uid(), operator.maxParallelism(), operator.coordinator(), operator.states()));
            }
        });
        return new StateCatalogue(operators);
    }

    /** The one of the jar, or of the classes, that this runs from. */
    static StateCatalogue ofThisBuild() {
        try (InputStream in = StateCatalogue.class.getClassLoader().getResourceAsStream(RESOURCE)) {
            if (in == null) {
                throw new IllegalStateException("This jar has no " + RESOURCE + ", which says what state it keeps");
            }
            return parse(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(RESOURCE + " of this jar cannot be read", e);
        }
    }

    /** The operator with that uid, if it has state. */
    Optional<Operator> of(String uid) {
        return operators.stream().filter(each -> each.uid().equals(uid)).findFirst();
    }

    /** The uids, by what a savepoint calls them. */
    Map<OperatorID, String> uids() {
        Map<OperatorID, String> uids = new LinkedHashMap<>();
        operators.forEach(each -> uids.put(OperatorHash.of(each.uid()), each.uid()));
        return uids;
    }

    /** As it stands in the file. */
    byte[] toBytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.createGenerator(bytes)) {
            json.useDefaultPrettyPrinter();
            json.writeStartObject();
            json.writeArrayFieldStart("operators");
            for (Operator operator : operators) {
                json.writeStartObject();
                json.writeStringField("uid", operator.uid());
                json.writeNumberField("maxParallelism", operator.maxParallelism());
                json.writeBooleanField("coordinator", operator.coordinator());
                json.writeArrayFieldStart("states");
                for (RegisteredState state : operator.states()) {
                    write(state, json);
                }
                json.writeEndArray();
                json.writeEndObject();
            }
            json.writeEndArray();
            json.writeEndObject();
            json.writeRaw('\n');
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static void write(RegisteredState state, JsonGenerator json) throws IOException {
        json.writeStartObject();
        json.writeStringField("name", state.name());
        json.writeStringField("kind", state.kind());
        json.writeArrayFieldStart("serializers");
        for (StateSerializer serializer : state.serializers()) {
            json.writeStartObject();
            json.writeStringField("role", serializer.role());
            json.writeStringField("class", serializer.snapshotClass());
            json.writeNumberField("version", serializer.version());
            json.writeStringField("snapshot", serializer.bytes());
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeEndObject();
    }

    /** @throws IOException if it is none */
    static StateCatalogue parse(byte[] text) throws IOException {
        List<Operator> operators = new ArrayList<>();
        for (JsonNode operator : JSON.readTree(text).path("operators")) {
            List<RegisteredState> states = new ArrayList<>();
            for (JsonNode state : operator.path("states")) {
                List<StateSerializer> serializers = new ArrayList<>();
                for (JsonNode each : state.path("serializers")) {
                    serializers.add(new StateSerializer(
                            each.path("role").asText(""),
                            each.path("class").asText(""),
                            each.path("version").asInt(),
                            each.path("snapshot").asText("")));
                }
                states.add(new RegisteredState(
                        state.path("name").asText(""), state.path("kind").asText(""), serializers));
            }
            operators.add(new Operator(
                    operator.path("uid").asText(""),
                    operator.path("maxParallelism").asInt(),
                    operator.path("coordinator").asBoolean(),
                    states));
        }
        return new StateCatalogue(operators);
    }
}
