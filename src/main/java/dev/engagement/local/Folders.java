package dev.engagement.local;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.CRC32;

/**
 * Where servers keep their files, and who may reach them. PostgreSQL refuses to run as root; started by root it runs as
 * the unprivileged uid {@value #UNPRIVILEGED}, whom a checkout below {@code /root} is closed to.
 */
final class Folders {

    /** {@code nobody} on every common Linux. */
    static final int UNPRIVILEGED = 65_534;

    private Folders() {}

    /**
     * A folder as Flink's configuration names it. Flink takes every character as it stands, where a URI of Java's would
     * have {@code %20} for a space: it would make a folder of that name.
     */
    static String forFlink(Path folder) {
        return "file://" + folder.toAbsolutePath();
    }

    /** Whether this JVM runs as root. */
    static boolean isRoot() {
        return uid(Path.of("/proc/self")) == 0;
    }

    /**
     * A folder that the uid PostgreSQL runs as can reach: the wanted one if it can, else one below {@code /tmp} named for
     * it. The folder is created.
     */
    static Path reachable(Path wanted) {
        Path absolute = wanted.toAbsolutePath().normalize();
        if (!isRoot()) {
            return create(absolute);
        }
        create(absolute);
        if (isOpenToAll(absolute)) {
            return absolute;
        }
        CRC32 hash = new CRC32();
        hash.update(absolute.toString().getBytes(StandardCharsets.UTF_8));
        Path substitute = Path.of("/tmp", String.format("engagement-local-%08x", hash.getValue()));
        if (Files.isSymbolicLink(substitute) || (Files.exists(substitute) && uid(substitute) != 0)) {
            throw new ServerException("PostgreSQL does not run as root, and uid " + UNPRIVILEGED + " cannot reach "
                    + absolute + "; its substitute " + substitute
                    + " belongs to somebody else: remove that, or move the checkout to a folder open to all");
        }
        create(substitute);
        open(substitute);
        return substitute;
    }

    /** Whether uid {@value #UNPRIVILEGED} can pass through every folder down to this one. */
    static boolean isOpenToAll(Path directory) {
        for (Path each = directory; each != null; each = each.getParent()) {
            try {
                if (!Files.getPosixFilePermissions(each).contains(PosixFilePermission.OTHERS_EXECUTE)) {
                    return false;
                }
            } catch (IOException e) {
                throw new ServerException("The permissions of " + each + " cannot be read", e);
            }
        }
        return true;
    }

    static Path create(Path directory) {
        try {
            return Files.createDirectories(directory);
        } catch (IOException e) {
            throw new ServerException("The folder " + directory + " cannot be created", e);
        }
    }

    private static void open(Path directory) {
        try {
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
        } catch (IOException e) {
            throw new ServerException("The folder " + directory + " cannot be opened to all", e);
        }
    }

    /** Gives the file to uid {@value #UNPRIVILEGED} if this JVM runs as root. */
    static void giveAway(Path path) {
        if (!isRoot()) {
            return;
        }
        try {
            Files.setAttribute(path, "unix:uid", UNPRIVILEGED);
            Files.setAttribute(path, "unix:gid", UNPRIVILEGED);
        } catch (IOException e) {
            throw new ServerException(path + " cannot be given to uid " + UNPRIVILEGED, e);
        }
    }

    /** Writes a file that only its owner can read, from the first byte on. */
    static void writePrivately(Path file, String text) {
        try {
            Files.deleteIfExists(file);
            Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new ServerException("The file " + file + " cannot be written", e);
        }
    }

    /** As {@link #writePrivately}, and nobody reads half of it. */
    static void writePrivatelyAtOnce(Path file, String text) {
        atOnce(file, partial -> writePrivately(partial, text));
    }

    /** Writes a file of which nobody reads half. */
    static void writeAtOnce(Path file, String text) {
        atOnce(file, partial -> Files.writeString(partial, text));
    }

    @FunctionalInterface
    private interface Writing {
        void to(Path file) throws IOException;
    }

    private static void atOnce(Path file, Writing writing) {
        Path partial = file.resolveSibling(file.getFileName() + ".partial");
        try {
            writing.to(partial);
            Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new ServerException("The file " + file + " cannot be written", e);
        }
    }

    static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new ServerException("The file " + file + " cannot be read", e);
        }
    }

    /** Deletes a folder with everything in it, following no links; nothing happens if it does not exist. */
    static void deleteRecursively(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        List<Path> all;
        try (Stream<Path> walk = Files.walk(directory)) {
            all = walk.sorted(Comparator.reverseOrder()).toList();
            for (Path each : all) {
                Files.deleteIfExists(each);
            }
        } catch (IOException e) {
            throw new ServerException("The folder " + directory + " cannot be deleted", e);
        }
    }

    /** Copies a class path resource. */
    static void copyResource(String resource, Path to) {
        try (InputStream in = Folders.class.getClassLoader().getResourceAsStream(resource)) {
            if (in == null) {
                throw new ServerException("The class path has no " + resource + "; run it by scripts/local.sh");
            }
            Files.copy(in, to);
        } catch (IOException e) {
            throw new ServerException(resource + " cannot be copied to " + to, e);
        }
    }

    private static int uid(Path path) {
        try {
            return (Integer) Files.getAttribute(path, "unix:uid");
        } catch (IOException e) {
            throw new ServerException("The owner of " + path + " cannot be read", e);
        }
    }
}
