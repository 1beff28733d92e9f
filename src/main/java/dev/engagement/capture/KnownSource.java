package dev.engagement.capture;

import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;
import org.jspecify.annotations.Nullable;

/**
 * What is known of a source by a look at it: enough to tell later whether it has gone back.
 *
 * @param line where it is
 * @param flushedLsn how far its write-ahead log was safe on its disk; 0 if that is not known
 * @param beatAt what stood in the heartbeat row, in microseconds: it only moves forward, whatever clocks do; null if there
 *     was no row
 * @param greatestId greatest id of an event; null if it is not a number, or not to be had cheaply
 * @param at the database's time; null if it was never looked at
 */
record KnownSource(
        SourceLine line,
        long flushedLsn,
        @Nullable Instant beatAt,
        @Nullable Long greatestId,
        @Nullable Instant at) {

    /** As a state has it that knows nothing of this: of a first start, or of a build before. */
    static final KnownSource NOTHING = new KnownSource(SourceLine.UNKNOWN, 0, null, null, null);

    private static final long NONE = Long.MIN_VALUE;

    /** What this knows, and where it knows nothing of ids what the older one knew. */
    KnownSource orIdOf(KnownSource older) {
        return greatestId != null ? this : new KnownSource(line, flushedLsn, beatAt, older.greatestId, at);
    }

    void write(DataOutputView out) throws IOException {
        out.writeLong(line.systemId());
        out.writeInt(line.timeline());
        out.writeLong(flushedLsn);
        write(beatAt, out);
        out.writeBoolean(greatestId != null);
        out.writeLong(greatestId == null ? 0 : greatestId);
        write(at, out);
    }

    static KnownSource read(DataInputView in) throws IOException {
        SourceLine line = new SourceLine(in.readLong(), in.readInt());
        long flushedLsn = in.readLong();
        Instant beatAt = readInstant(in);
        boolean hasId = in.readBoolean();
        long id = in.readLong();
        return new KnownSource(line, flushedLsn, beatAt, hasId ? id : null, readInstant(in));
    }

    private static void write(@Nullable Instant instant, DataOutputView out) throws IOException {
        out.writeLong(instant == null ? NONE : ChronoUnit.MICROS.between(Instant.EPOCH, instant));
    }

    private static @Nullable Instant readInstant(DataInputView in) throws IOException {
        long micros = in.readLong();
        return micros == NONE ? null : Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
    }
}
