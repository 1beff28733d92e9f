package dev.engagement.local;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Servers that are JVMs of this class path: how they are started, and how they say that they are ready. */
final class ChildJvm {

    /** Names the class data sharing archive that this JVM was started with; not set, there is none. */
    static final String ARCHIVE_PROPERTY = "engagement.local.class-archive";

    private ChildJvm() {}

    /**
     * Starts one, and waits until it is {@link #ready}.
     *
     * @param name as in {@link ServerProcess#start}
     * @param directory of its data, its log and its temporary files; must exist
     * @param options of the JVM: its heap, and its compilers if not all
     * @param log file name of what it logs
     * @param main its main class
     * @param arguments of that
     * @param limit how long it may take
     */
    static ServerProcess start(
            String name,
            Path directory,
            List<String> options,
            String log,
            Class<?> main,
            List<String> arguments,
            Duration limit) {
        Path tmp = Folders.create(directory.resolve("tmp"));
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        // The child's class path is this JVM's, so that an archive that fits this one fits it.
        command.addAll(archiveOptions(System.getProperty(ARCHIVE_PROPERTY, "")));
        command.addAll(List.of(
                "-XX:+UseSerialGC",
                "-XX:+ExitOnOutOfMemoryError",
                "-Dfile.encoding=UTF-8",
                "-Djava.io.tmpdir=" + tmp,
                "-Dlog.file=" + directory.resolve(log),
                "-Dlog4j2.configurationFile=dev/engagement/local/log4j2-local.properties",
                "-cp",
                absoluteClassPath(),
                main.getName()));
        command.addAll(arguments);
        ServerProcess started = ServerProcess.start(name, directory, "java", command, Map.of());
        started.awaitReady(limit, () -> {
            if (!Files.readString(readyFile(directory)).equals(Long.toString(started.pid()))) {
                throw new ServerException(name + " has not started yet");
            }
        });
        return started;
    }

    /** Said by the child itself. */
    static void ready(Path directory) throws IOException {
        Files.writeString(
                readyFile(directory), Long.toString(ProcessHandle.current().pid()));
    }

    /** Holds the pid of the child that last became ready. */
    static Path readyFile(Path directory) {
        return directory.resolve("ready");
    }

    /**
     * How a JVM uses an archive, as {@code scripts/lib/class-archive.sh} says it too. One that does not fit the JVM or its
     * class path, is broken or is gone is not used, and nothing said of it. It lies where it was made for, so that JVMs share
     * its memory and need not move its pointers.
     *
     * @param archive empty for none
     */
    static List<String> archiveOptions(String archive) {
        return archive.isEmpty()
                ? List.of()
                : List.of(
                        "-Xshare:auto",
                        "-XX:SharedArchiveFile=" + archive,
                        "-XX:+UnlockDiagnosticVMOptions",
                        "-XX:ArchiveRelocationMode=0",
                        "-Xlog:cds*=off");
    }

    /** The child runs in its own folder, where relative entries would lead nowhere. */
    private static String absoluteClassPath() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(entry -> Path.of(entry).toAbsolutePath().toString())
                .collect(Collectors.joining(File.pathSeparator));
    }
}
