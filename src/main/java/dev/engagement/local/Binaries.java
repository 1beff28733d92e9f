package dev.engagement.local;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;

/**
 * The servers' programs, unpacked from Maven artifacts once per version and shared by every run of the checkout. Safe
 * for several JVMs at once: unpacked under a file lock into a folder that gets its final name when it is complete.
 */
final class Binaries {

    /** Where programs are unpacked; relative to the working directory, the checkout. */
    private static final Path HOME = Path.of(System.getProperty("engagement.local.programs", "target/servers"));

    private static final String CLICKHOUSE_VERSION = "26.7.3-stable.1";

    private static final Object LOCK = new Object();
    private static final int EXECUTABLE_BY_ANYBODY = 0111;

    private Binaries() {}

    @FunctionalInterface
    private interface Unpacking {
        void into(Path directory) throws IOException;
    }

    /** The folder with PostgreSQL's {@code bin}, {@code lib} and {@code share}; open to the uid it will run as. */
    static Path postgres() {
        String archive = "postgres-linux-" + (isArm() ? "arm_64" : "x86_64") + ".txz";
        return unpacked(Folders.reachable(HOME), "postgres-" + version(archive, "17"), directory -> {
            try (InputStream in = open(archive);
                    TarArchiveInputStream tar =
                            new TarArchiveInputStream(new XZCompressorInputStream(new BufferedInputStream(in)))) {
                unpack(tar, directory);
            }
        });
    }

    /** The Redis server's program. */
    static Path redis() {
        String program = "redis-server-7.0.15-linux-" + (isArm() ? "arm64" : "amd64");
        return unpacked(HOME.toAbsolutePath(), "redis-7.0.15", directory -> {
                    Path file = directory.resolve("redis-server");
                    try (InputStream in = open(program)) {
                        Files.copy(in, file);
                    }
                    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
                })
                .resolve("redis-server");
    }

    /** Where the schema registry's archive is, if it was downloaded. */
    static Path registryArchive() {
        return HOME.toAbsolutePath().resolve("apicurio-registry-app.tar.gz");
    }

    /** The schema registry's program, beside the folder of its libraries. */
    static Path registry() {
        Path archive = registryArchive();
        if (!Files.exists(archive)) {
            throw new ServerException("There is no " + archive + ": the schema registry, 142 MB, is downloaded by"
                    + " ./mvnw dependency:copy@registry, as scripts/local.sh --format avro does");
        }
        Path folder = unpacked(HOME.toAbsolutePath(), "apicurio-registry", directory -> {
            try (InputStream in = Files.newInputStream(archive);
                    TarArchiveInputStream tar =
                            new TarArchiveInputStream(new GZIPInputStream(new BufferedInputStream(in)))) {
                unpack(tar, directory);
            }
        });
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith("-runner.jar"))
                    .findFirst()
                    .orElseThrow(
                            () -> new ServerException(archive + " holds no program; delete it, and download it again"));
        } catch (IOException e) {
            throw new ServerException(folder + " cannot be read", e);
        }
    }

    /**
     * ClickHouse's engine, {@code libchdb.so}, which is neither in Maven Central nor in Debian: npm fetches it, once.
     *
     * @throws ServerException if there is no npm, or it fails; with what it said
     */
    static Path clickHouse() {
        String name = "@chdb/lib-linux-" + (isArm() ? "arm64" : "x64") + "-gnu@" + CLICKHOUSE_VERSION;
        return unpacked(HOME.toAbsolutePath(), "clickhouse-" + CLICKHOUSE_VERSION, directory -> {
                    run(directory, "npm", "pack", "--silent", name);
                    try (Stream<Path> files = Files.list(directory)) {
                        Path archive = files.findFirst()
                                .orElseThrow(() -> new ServerException("npm pack " + name + " left no file"));
                        run(directory, "tar", "-xzf", archive.toString(), "--strip-components=1", "package/libchdb.so");
                        Files.delete(archive);
                    }
                })
                .resolve("libchdb.so");
    }

    private static void run(Path directory, String... command) throws IOException {
        Path log = directory.resolveSibling(directory.getFileName() + ".log");
        Process process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        try {
            if (process.waitFor() != 0) {
                throw new ServerException(String.join(" ", command) + " failed:\n" + Files.readString(log));
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new ServerException("Interrupted while waiting for " + String.join(" ", command), e);
        }
    }

    private static Path unpacked(Path home, String name, Unpacking unpacking) {
        Path complete = home.resolve(name);
        if (Files.isDirectory(complete)) {
            return complete;
        }
        Folders.create(home);
        // A file lock keeps other JVMs out, the monitor other threads of this one.
        synchronized (LOCK) {
            try (FileChannel channel = FileChannel.open(
                            home.resolve(name + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = channel.lock()) {
                assert lock.isValid();
                if (!Files.isDirectory(complete)) {
                    Path partial = home.resolve(name + ".partial");
                    Folders.deleteRecursively(partial);
                    Files.createDirectories(partial);
                    unpacking.into(partial);
                    Files.setPosixFilePermissions(partial, PosixFilePermissions.fromString("rwxr-xr-x"));
                    Files.move(partial, complete, StandardCopyOption.ATOMIC_MOVE);
                }
                return complete;
            } catch (IOException e) {
                throw new ServerException(name + " could not be unpacked into " + complete, e);
            }
        }
    }

    private static void unpack(TarArchiveInputStream tar, Path directory) throws IOException {
        for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
            Path target = directory.resolve(entry.getName()).normalize();
            if (!target.startsWith(directory)) {
                throw new IOException("The archive's entry " + entry.getName() + " leads out of its folder");
            }
            if (entry.isDirectory()) {
                Files.createDirectories(target);
                Files.setPosixFilePermissions(target, PosixFilePermissions.fromString("rwxr-xr-x"));
                continue;
            }
            Files.createDirectories(target.getParent());
            if (entry.isSymbolicLink()) {
                Files.createSymbolicLink(target, Path.of(entry.getLinkName()));
            } else {
                Files.copy(tar, target);
                boolean executable = (entry.getMode() & EXECUTABLE_BY_ANYBODY) != 0;
                Files.setPosixFilePermissions(
                        target, PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
            }
        }
    }

    private static InputStream open(String resource) {
        InputStream in = Binaries.class.getClassLoader().getResourceAsStream(resource);
        if (in == null) {
            throw new ServerException("There is no " + resource + " on the class path: the local servers run on Linux,"
                    + " x86-64 or arm64; this is " + System.getProperty("os.name") + ", "
                    + System.getProperty("os.arch") + ". Run them inside a Linux machine or container");
        }
        return in;
    }

    /** The artifact's version, from its jar's name, so that a new one is unpacked beside the old. */
    private static String version(String resource, String otherwise) {
        URL url = Binaries.class.getClassLoader().getResource(resource);
        if (url == null) {
            return otherwise;
        }
        String jar = url.toString().replaceFirst("\\.jar!.*$", "");
        String version = jar.substring(jar.lastIndexOf('-') + 1);
        return version.matches("[0-9.]+") ? version : otherwise;
    }

    private static boolean isArm() {
        String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        return arch.equals("aarch64") || arch.startsWith("arm");
    }
}
