package dev.engagement.local.clickhouse;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * The engine in this process: one folder of data, and connections that each run one statement at a time. A process has one.
 * Thread safe.
 */
final class Engine {

    /** What a statement is run with. */
    record Session(String database, Map<String, String> settings) {}

    private static final int CHUNK_BYTES = 1 << 20;

    private final EngineLibrary library;
    private final BlockingQueue<Pointer> idle = new LinkedBlockingQueue<>();

    /**
     * Starts it.
     *
     * @param file {@code libchdb.so}
     * @param data folder of its data; made if missing
     * @param connections statements that may run at once
     */
    Engine(Path file, Path data, int connections) {
        library = Native.load(file.toString(), EngineLibrary.class);
        library.chdb_set_signal_handlers_enabled(0);
        for (int i = 0; i < connections; i++) {
            Pointer connection = library.chdb_connect(2, new String[] {"clickhouse", "--path=" + data});
            if (connection == null) {
                throw new IllegalStateException("The engine does not open its folder " + data);
            }
            idle.add(connection.getPointer(0));
        }
    }

    /**
     * Runs a statement, and waits for a connection to do so.
     *
     * @param sql without what an INSERT brings
     * @param parameters by name, as ClickHouse escapes them
     * @param format of the answer, if the statement names none
     * @return the answer in that format
     */
    byte[] query(Session session, byte[] sql, Map<String, String> parameters, String format)
            throws EngineException, InterruptedException {
        return in(
                session,
                connection -> taken(library.chdb_query_with_params_n(
                        connection,
                        sql,
                        sql.length,
                        format,
                        format.length(),
                        texts(parameters.keySet()),
                        lengths(parameters.keySet()),
                        texts(parameters.values()),
                        lengths(parameters.values()),
                        parameters.size())));
    }

    /**
     * Runs an INSERT.
     *
     * @param sql of the INSERT, up to its FORMAT
     * @param format of the rows
     * @param rows to their end; if reading them fails nothing is inserted that a block of the engine did not hold
     */
    void insert(Session session, String sql, String format, InputStream rows)
            throws EngineException, IOException, InterruptedException {
        // Read first: what a client breaks off must not be a part of it.
        List<byte[]> chunks = new ArrayList<>();
        for (byte[] chunk = rows.readNBytes(CHUNK_BYTES); chunk.length > 0; chunk = rows.readNBytes(CHUNK_BYTES)) {
            chunks.add(chunk);
        }
        byte[] query = sql.getBytes(StandardCharsets.UTF_8);
        var unused = in(session, connection -> {
            Pointer stream = library.chdb_stream_insert_n(connection, query, query.length, format, format.length());
            try {
                check(library.chdb_stream_insert_error(stream));
                for (byte[] chunk : chunks) {
                    if (library.chdb_stream_append(stream, chunk, chunk.length) != 0) {
                        check(library.chdb_stream_insert_error(stream));
                        throw new EngineException("The engine took no more rows and did not say why");
                    }
                }
                Pointer done = library.chdb_stream_done(stream);
                check(library.chdb_stream_insert_error(stream));
                return done == null ? new byte[0] : taken(done);
            } finally {
                library.chdb_destroy_insert_stream(stream);
            }
        });
    }

    @FunctionalInterface
    private interface Statement {
        byte[] run(Pointer connection) throws EngineException;
    }

    private byte[] in(Session session, Statement statement) throws EngineException, InterruptedException {
        Pointer connection = idle.take();
        List<String> set = new ArrayList<>();
        try {
            plain(connection, "USE `" + session.database().replace("`", "\\`") + "`");
            for (Map.Entry<String, String> setting : session.settings().entrySet()) {
                plain(connection, "SET " + setting.getKey() + " = '" + escaped(setting.getValue()) + "'");
                set.add(setting.getKey());
            }
            return statement.run(connection);
        } finally {
            reset(connection, set);
        }
    }

    /** Settings stay with a connection, which the next statement must not notice. */
    private void reset(Pointer connection, List<String> set) {
        try {
            for (String name : set) {
                plain(connection, "SET " + name + " = DEFAULT");
            }
        } catch (EngineException e) {
            throw new IllegalStateException("A setting that was set cannot be taken back", e);
        } finally {
            idle.add(connection);
        }
    }

    private void plain(Pointer connection, String sql) throws EngineException {
        byte[] query = sql.getBytes(StandardCharsets.UTF_8);
        var unused = taken(library.chdb_query_with_params_n(
                connection,
                query,
                query.length,
                "Null",
                4,
                new Pointer[0],
                new long[0],
                new Pointer[0],
                new long[0],
                0));
    }

    private byte[] taken(Pointer result) throws EngineException {
        try {
            check(library.chdb_result_error(result));
            Pointer buffer = library.chdb_result_buffer(result);
            return buffer == null
                    ? new byte[0]
                    : buffer.getByteArray(0, Math.toIntExact(library.chdb_result_length(result)));
        } finally {
            library.chdb_destroy_query_result(result);
        }
    }

    private static void check(@Nullable String error) throws EngineException {
        if (error != null && !error.isEmpty()) {
            throw new EngineException(error);
        }
    }

    private static String escaped(String value) {
        return value.replace("\\", "\\\\").replace("'", "\\'");
    }

    private static Pointer[] texts(Iterable<String> texts) {
        List<Pointer> pointers = new ArrayList<>();
        for (String text : texts) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            Memory memory = new Memory(bytes.length + 1L);
            memory.write(0, bytes, 0, bytes.length);
            memory.setByte(bytes.length, (byte) 0);
            pointers.add(memory);
        }
        return pointers.toArray(new Pointer[0]);
    }

    private static long[] lengths(Iterable<String> texts) {
        List<Long> lengths = new ArrayList<>();
        texts.forEach(text -> lengths.add((long) text.getBytes(StandardCharsets.UTF_8).length));
        return lengths.stream().mapToLong(Long::longValue).toArray();
    }
}
