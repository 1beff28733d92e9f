package dev.engagement.deploy;

import java.io.IOException;
import java.util.Base64;
import org.apache.flink.api.common.typeutils.TypeSerializerSchemaCompatibility;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/**
 * A serializer that a state was registered with, as Flink writes it into a savepoint.
 *
 * @param role what it writes, in Flink's word: the key, a namespace, the value
 * @param snapshotClass its snapshot's class
 * @param version its snapshot's version
 * @param bytes the whole snapshot, in base64
 */
record StateSerializer(String role, String snapshotClass, int version, String bytes) {

    static StateSerializer of(String role, TypeSerializerSnapshot<?> snapshot) throws IOException {
        DataOutputSerializer out = new DataOutputSerializer(64);
        TypeSerializerSnapshot.writeVersionedSnapshot(out, snapshot);
        return new StateSerializer(
                role,
                snapshot.getClass().getName(),
                snapshot.getCurrentVersion(),
                Base64.getEncoder().encodeToString(out.getCopyOfBuffer()));
    }

    /**
     * Whether this serializer reads what another one wrote, by Flink's own rule.
     *
     * @throws IOException if one of them is of a class that is not there
     */
    Reads reads(StateSerializer written, ClassLoader classes) throws IOException {
        TypeSerializerSchemaCompatibility<Object> compatibility =
                snapshot(classes).resolveSchemaCompatibility(written.snapshot(classes));
        if (compatibility.isIncompatible()) {
            return Reads.NOT;
        }
        return compatibility.isCompatibleAfterMigration() ? Reads.AFTER_MIGRATION : Reads.AS_IT_IS;
    }

    /** The class of the serializer itself, whose snapshot may be of a class that many share. */
    String serializerClass(ClassLoader classes) throws IOException {
        return snapshot(classes).restoreSerializer().getClass().getName();
    }

    private TypeSerializerSnapshot<Object> snapshot(ClassLoader classes) throws IOException {
        return TypeSerializerSnapshot.readVersionedSnapshot(
                new DataInputDeserializer(Base64.getDecoder().decode(bytes)), classes);
    }

    /** Whether and how. */
    enum Reads {
        AS_IT_IS,
        /** Everything is written anew at the restore. */
        AFTER_MIGRATION,
        NOT
    }
}
