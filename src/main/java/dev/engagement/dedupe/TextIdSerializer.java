package dev.engagement.dedupe;

import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.typeinfo.TypeInformation;

/**
 * Serializer of ids that are texts, as keys in state: one text has one form. A UUID as PostgreSQL writes it takes 17 bytes,
 * any other text its characters and two bytes.
 */
public final class TextIdSerializer extends ImmutableSerializer<String> {

    private static final long serialVersionUID = 1L;

    static final TypeInformation<String> TYPE = ImmutableType.of(String.class, TextIdSerializer::new);

    private static final int CHARACTERS = 1;
    private static final int UUID = 2;

    private static final int UUID_CHARS = 36;
    private static final int NO_DIGIT = 16;
    private static final byte[] DIGITS = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    @Override
    protected int version() {
        return UUID;
    }

    @Override
    protected int versionOf(String id) {
        return isUuid(id) ? UUID : CHARACTERS;
    }

    private static boolean isUuid(String id) {
        if (id.length() != UUID_CHARS) {
            return false;
        }
        for (int i = 0; i < UUID_CHARS; i++) {
            char c = id.charAt(i);
            if (isDash(i) ? c != '-' : digit(c) == NO_DIGIT) {
                return false;
            }
        }
        return true;
    }

    private static boolean isDash(int at) {
        return at == 8 || at == 13 || at == 18 || at == 23;
    }

    /** Of lower-case digits alone: the other case is another id. */
    private static int digit(char c) {
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : NO_DIGIT;
    }

    @Override
    protected void write(String id, DataOutput out) throws IOException {
        if (versionOf(id) == CHARACTERS) {
            out.writeByte(id.length());
            out.write(id.getBytes(StandardCharsets.US_ASCII));
            return;
        }
        for (int i = 0; i < UUID_CHARS; i += 2) {
            if (isDash(i)) {
                i++;
            }
            out.writeByte(digit(id.charAt(i)) << 4 | digit(id.charAt(i + 1)));
        }
    }

    @Override
    protected String read(int version, DataInput in) throws IOException {
        byte[] id;
        if (version == CHARACTERS) {
            id = new byte[in.readUnsignedByte()];
            in.readFully(id);
        } else {
            id = new byte[UUID_CHARS];
            for (int i = 0; i < UUID_CHARS; i += 2) {
                if (isDash(i)) {
                    id[i++] = '-';
                }
                int both = in.readUnsignedByte();
                id[i] = DIGITS[both >> 4];
                id[i + 1] = DIGITS[both & 0xF];
            }
        }
        return new String(id, StandardCharsets.US_ASCII);
    }
}
