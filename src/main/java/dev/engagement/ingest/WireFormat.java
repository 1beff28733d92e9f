package dev.engagement.ingest;

/**
 * How a schema registry's clients frame what they write: the magic byte 0, the schema's id in big-endian order, the value.
 *
 * @param idBytes how many bytes the id has: 4, or 8 as Apicurio's own clients write it
 */
record WireFormat(int idBytes) {

    static final WireFormat CONFLUENT = new WireFormat(4);

    /** What {@link #idOf} answers for bytes that are not framed. */
    static final long NO_ID = -1;

    /** Whether bytes begin as framed ones do; no JSON does. */
    static boolean isFramed(byte[] bytes) {
        return bytes.length > 0 && bytes[0] == 0;
    }

    /** How many bytes stand before the value. */
    int headerBytes() {
        return 1 + idBytes;
    }

    /** The schema's id, or {@link #NO_ID} if the bytes are not framed, or too few. */
    long idOf(byte[] bytes) {
        if (!isFramed(bytes) || bytes.length < headerBytes()) {
            return NO_ID;
        }
        long id = 0;
        for (int i = 1; i <= idBytes; i++) {
            id = id << 8 | bytes[i] & 0xff;
        }
        // No registry gives a negative id out.
        return idBytes == 4 ? id : id & Long.MAX_VALUE;
    }
}
