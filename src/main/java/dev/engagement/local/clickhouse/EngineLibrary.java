package dev.engagement.local.clickhouse;

import com.sun.jna.Library;
import com.sun.jna.Pointer;
import org.jspecify.annotations.Nullable;

/** The functions of {@code libchdb.so} that are used here, as C has them. Results and streams must be destroyed. */
interface EngineLibrary extends Library {

    /** Whether the engine takes over the process's signals, which a JVM needs for itself. */
    int chdb_set_signal_handlers_enabled(int enabled);

    /** Answers a pointer to a connection, or null. */
    @Nullable
    Pointer chdb_connect(int count, String[] arguments);

    void chdb_close_conn(Pointer connection);

    Pointer chdb_query_with_params_n(
            Pointer connection,
            byte[] query,
            long queryLength,
            String format,
            long formatLength,
            Pointer[] names,
            long[] nameLengths,
            Pointer[] values,
            long[] valueLengths,
            long count);

    @Nullable
    Pointer chdb_result_buffer(Pointer result);

    long chdb_result_length(Pointer result);

    @Nullable
    String chdb_result_error(Pointer result);

    void chdb_destroy_query_result(Pointer result);

    Pointer chdb_stream_insert_n(Pointer connection, byte[] query, long queryLength, String format, long formatLength);

    /** Answers 0 if the bytes were taken. */
    int chdb_stream_append(Pointer stream, byte[] data, long length);

    @Nullable
    Pointer chdb_stream_done(Pointer stream);

    @Nullable
    String chdb_stream_insert_error(Pointer stream);

    void chdb_stream_cancel_insert(Pointer stream);

    void chdb_destroy_insert_stream(Pointer stream);
}
