package dev.engagement.local.bigquery;

import com.google.cloud.bigquery.storage.v1.StorageError.StorageErrorCode;
import io.grpc.Status;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/** The streams of all tables. One that nobody used for 7 days is gone, with its rows. Thread safe. */
final class WriteStreams implements AutoCloseable {

    static final Duration LIFE = Duration.ofDays(7);

    private final Store store;
    private final Path directory;
    private final Clock clock;
    private final Map<String, WriteStream> streams = new ConcurrentHashMap<>();

    WriteStreams(Store store, Path directory, Clock clock) {
        this.store = store;
        this.directory = directory;
        this.clock = clock;
        try {
            Files.createDirectories(directory);
        } catch (IOException e) {
            throw new UncheckedIOException("The folder " + directory + " cannot be made", e);
        }
        for (Store.StoredStream stored : store.streams()) {
            streams.put(
                    stored.name(),
                    new WriteStream(
                            stored.name(),
                            stored.table(),
                            stored.created(),
                            clock.instant(),
                            stored.flushed(),
                            stored.finalized(),
                            log(stored.name())));
        }
    }

    private StreamLog log(String name) {
        return StreamLog.open(directory.resolve(name.substring(name.lastIndexOf('/') + 1) + ".rows"));
    }

    WriteStream create(TableId table) {
        removeExpired();
        String name = table.path() + "/streams/" + UUID.randomUUID().toString().replace("-", "");
        Instant now = clock.instant();
        store.createStream(name, table, now);
        WriteStream stream = new WriteStream(name, table, now, now, 0, false, log(name));
        streams.put(name, stream);
        return stream;
    }

    /**
     * Finds a stream that is in use from now on.
     *
     * @throws Refusal if there is none of that name, or no longer
     */
    WriteStream get(String name) {
        WriteStream stream = streams.get(name);
        Instant now = clock.instant();
        if (stream == null || stream.isExpired(now)) {
            throw Refusal.of(
                    Status.Code.NOT_FOUND,
                    StorageErrorCode.STREAM_NOT_FOUND,
                    name,
                    "Requested entity was not found. Entity: " + name);
        }
        stream.use(now);
        return stream;
    }

    private void removeExpired() {
        Instant now = clock.instant();
        streams.values().stream().filter(stream -> stream.isExpired(now)).forEach(this::remove);
    }

    void removeOf(TableId table) {
        streams.values().stream().filter(stream -> stream.table().equals(table)).forEach(this::remove);
    }

    private void remove(WriteStream stream) {
        streams.remove(stream.name());
        store.deleteStream(stream.name());
        stream.delete();
    }

    void finalizeAll() {
        for (WriteStream stream : streams.values()) {
            store.finalizeStream(stream.name());
            stream.finish();
        }
    }

    int size() {
        return streams.size();
    }

    @Override
    public void close() {
        streams.values().forEach(WriteStream::close);
    }
}
