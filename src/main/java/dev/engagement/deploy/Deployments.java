package dev.engagement.deploy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.flink.core.fs.FSDataOutputStream;
import org.apache.flink.core.fs.FileSystem;
import org.jspecify.annotations.Nullable;

/** The deployments of one job, oldest first; the files of their savepoints may be in any file system that Flink knows. */
final class Deployments {

    private final Path folder;

    private Deployments(Path folder) {
        this.folder = folder;
    }

    /** @param root of all jobs' deployments */
    static Deployments of(Path root, String jobName) throws IOException {
        Path folder = root.resolve(jobName.replaceAll("[^A-Za-z0-9._-]", "-"));
        return new Deployments(Files.createDirectories(folder));
    }

    List<Deployment> all() throws IOException {
        List<Deployment> all = new ArrayList<>();
        try (Stream<Path> folders = Files.list(folder)) {
            for (Path each : folders.filter(
                            path -> path.getFileName().toString().matches("\\d{4,9}"))
                    .filter(path -> Files.exists(path.resolve("deployment.properties")))
                    .toList()) {
                all.add(Deployment.open(Integer.parseInt(each.getFileName().toString()), each));
            }
        }
        all.sort(Comparator.comparingInt(Deployment::number));
        return all;
    }

    /** The newest that has not failed: what runs, or should. */
    Optional<Deployment> current() throws IOException {
        return all().stream().filter(each -> !each.hasFailed()).reduce((older, newer) -> newer);
    }

    Deployment add(Path jar, byte[] catalogue, List<String> arguments, @Nullable String from) throws IOException {
        int number = all().stream().mapToInt(Deployment::number).max().orElse(0) + 1;
        return Deployment.create(
                number, folder.resolve(String.format("%04d", number)), jar, catalogue, arguments, from);
    }

    /** Writes a catalogue beside a savepoint, whose files know hashes only. */
    static void describe(String savepoint, byte[] catalogue) throws IOException {
        var file = new org.apache.flink.core.fs.Path(savepoint, StateCatalogue.RESOURCE);
        try (FSDataOutputStream out = file.getFileSystem().create(file, FileSystem.WriteMode.OVERWRITE)) {
            out.write(catalogue);
        }
    }

    /** The catalogue beside a savepoint; empty if there is none. */
    static StateCatalogue described(String savepoint) throws IOException {
        var file = new org.apache.flink.core.fs.Path(savepoint, StateCatalogue.RESOURCE);
        if (!file.getFileSystem().exists(file)) {
            return StateCatalogue.empty();
        }
        try (var in = file.getFileSystem().open(file)) {
            return StateCatalogue.parse(in.readAllBytes());
        }
    }

    /**
     * Deletes all but the newest savepoints, with what belongs to the deployments that they ended.
     *
     * @return what was deleted
     */
    List<String> keepSavepoints(int keep) throws IOException {
        List<String> deleted = new ArrayList<>();
        List<Deployment> stopped =
                all().stream().filter(each -> !each.savepoint().isEmpty()).toList();
        int current = current().map(Deployment::number).orElse(0);
        for (Deployment each : stopped.subList(0, Math.max(0, stopped.size() - keep))) {
            if (each.number() == current) {
                continue;
            }
            // Never a folder that is no savepoint, whatever a note says.
            if (isThere(each.savepoint())) {
                var path = new org.apache.flink.core.fs.Path(each.savepoint());
                path.getFileSystem().delete(path, true);
            }
            deleteFolder(each.folder());
            deleted.add(each.savepoint());
        }
        return deleted;
    }

    /** Whether there is a savepoint or checkpoint. */
    static boolean isThere(String path) throws IOException {
        var metadata = new org.apache.flink.core.fs.Path(path, "_metadata");
        return metadata.getFileSystem().exists(metadata);
    }

    private static void deleteFolder(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            files.sorted(Comparator.reverseOrder()).forEach(file -> {
                try {
                    Files.delete(file);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
        }
    }
}
