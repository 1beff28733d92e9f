package dev.engagement.rowstore;

import dev.engagement.connection.Backoff;
import java.io.Serializable;
import java.time.Duration;
import org.apache.flink.api.common.typeinfo.TypeInformation;

/** One store: where it is and how it is spoken to. Travels in the job's graph. */
public interface RowStore extends Serializable {

    /** What it is called. */
    StoreName name();

    /** What the table is called, as {@link #tableOf} names it. */
    String table();

    /** Of each writer. */
    RowWriter.Limits limits();

    /** Before repetitions. */
    Backoff backoff();

    /** How long it may refuse what passes by itself, until the job fails. */
    Duration commitTimeout();

    /** Go on although rows of this job may be in the table already. */
    boolean acceptsDuplicates();

    /** A connection of a task's own. */
    RowApi connect();

    /** An encoder of a task's own. */
    RowEncoder encoder();

    /** The table that a stream's rows become visible in; of a job that was started into another one, not {@link #table}. */
    String tableOf(String stream);

    /** The table of that name. */
    StoreTable open(String table);

    /** Type of the line of checkpoints in the writers' state. */
    default TypeInformation<CheckpointLineage> lineType() {
        return LineageSerializer.TYPE;
    }

    /** What to look at when the table cannot be prepared: options and rights. */
    String advice();

    /** What it means, and what to do, when the store has a stream no more whose rows were to be shown. */
    String lostStreamAdvice();
}
