package dev.engagement.local.receiver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.event.EventId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Bodies of any content, in pieces of any size. */
class PostBodyProperties {

    private static final ObjectMapper JSON = new ObjectMapper();

    @Property(tries = 300)
    void the_ids_of_a_batch_are_found_wherever_its_pieces_end(
            @ForAll("ids") List<Long> ids, @ForAll("text") String text, @ForAll long seed) throws Exception {
        ArrayNode batch = JSON.createArrayNode();
        Random random = new Random(seed);
        for (long id : ids) {
            ObjectNode event = JSON.createObjectNode().put("title", text);
            event.putArray("raw_payload").addObject().put("event_id", "none").put(text, 1.5);
            event.put("event_id", id);
            event.putObject(text + "x").put("event_id", -7);
            batch.add(event);
        }
        byte[] body = batch.toString().getBytes(StandardCharsets.UTF_8);
        assertThat(read(body, random))
                .containsExactlyElementsOf(ids.stream().map(EventId::of).toList());
    }

    @Property(tries = 300)
    void a_body_that_is_cut_or_goes_on_is_refused(@ForAll("ids") List<Long> ids, @ForAll long seed) {
        ArrayNode batch = JSON.createArrayNode();
        ids.forEach(id -> batch.addObject().put("event_id", id));
        byte[] whole = batch.toString().getBytes(StandardCharsets.UTF_8);
        Random random = new Random(seed);
        byte[] cut = Arrays.copyOf(whole, random.nextInt(whole.length));
        byte[] more = (batch + ",1").getBytes(StandardCharsets.UTF_8);
        for (byte[] body : List.of(cut, more)) {
            assertThatThrownBy(() -> read(body, random)).isInstanceOf(Refused.class);
        }
    }

    private static List<EventId> read(byte[] body, Random random) throws Refused {
        PostBody reader = new PostBody();
        for (int from = 0; from < body.length; ) {
            int size = Math.min(body.length - from, 1 + random.nextInt(40));
            // The caller's buffer is used again, so what was read must not be looked at later.
            byte[] piece = Arrays.copyOfRange(body, from, from + size);
            ByteBuffer buffer = ByteBuffer.wrap(piece);
            reader.read(buffer);
            assertThat(buffer.remaining()).isZero();
            Arrays.fill(piece, (byte) '!');
            from += size;
        }
        return reader.end();
    }

    @Provide
    Arbitrary<List<Long>> ids() {
        return Arbitraries.longs().list().ofMinSize(1).ofMaxSize(20);
    }

    @Provide
    Arbitrary<String> text() {
        return Arbitraries.strings().all().ofMaxLength(20).map(text -> text.codePoints()
                .filter(c -> c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString());
    }
}
