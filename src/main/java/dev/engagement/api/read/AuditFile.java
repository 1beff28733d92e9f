package dev.engagement.api.read;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The report of the last audit, in a file that whoever runs {@code audit --json} writes. Thread-safe.
 *
 * <p>While an audit runs, its output is an empty file: then the report before counts on.
 */
final class AuditFile {

    private static final Logger LOG = LoggerFactory.getLogger(AuditFile.class);

    /** A report names some hundred ids of each kind. */
    private static final long MAX_BYTES = 64L * 1024 * 1024;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path file;

    private @Nullable FileTime readAt;
    private @Nullable Report last;

    /**
     * What an audit found.
     *
     * @param at when its report was written
     * @param differences events, counts and cells that differ
     */
    record Report(Instant at, long differences) {}

    AuditFile(Path file) {
        this.file = file;
    }

    /** The last report; null if there was none since the start. */
    synchronized @Nullable Report last() {
        try {
            FileTime written = Files.getLastModifiedTime(file);
            if (!written.equals(readAt)) {
                readAt = written;
                Report read = read(written);
                last = read == null ? last : read;
            }
        } catch (NoSuchFileException e) {
            // No audit was written down yet, or the next one is to come.
            LOG.debug("There is no report of an audit at {}", file);
        } catch (IOException e) {
            LOG.warn("The report of the last audit cannot be read: {}", e.toString());
        }
        return last;
    }

    private @Nullable Report read(FileTime written) throws IOException {
        long size = Files.size(file);
        if (size == 0) {
            return null;
        }
        if (size > MAX_BYTES) {
            throw new IOException(file + " has " + size + " bytes, which no report has");
        }
        // What starts the audit may say something before it.
        String line = Arrays.stream(
                        Files.readString(file, StandardCharsets.UTF_8).split("\\R"))
                .filter(each -> each.startsWith("{"))
                .reduce((before, after) -> after)
                .orElse("");
        JsonNode report = line.isEmpty() ? null : JSON.readTree(line);
        if (report == null || !report.path("equal").isBoolean()) {
            throw new IOException(file + " holds no report of audit --json");
        }
        long differences = 0;
        for (JsonNode destination : report.path("destinations")) {
            for (JsonNode finding : destination.path("findings")) {
                differences += finding.path("difference").asBoolean()
                        ? finding.path("count").asLong()
                        : 0;
            }
        }
        return new Report(written.toInstant(), differences);
    }
}
