package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonNull;
import dev.engagement.report.testing.Programs;
import dev.engagement.report.testing.Programs.Ended;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The archive of {@code scripts/lib/class-archive.sh} in a checkout with one jar, and real JVMs that are started with it:
 * whatever is wrong with it, they start as if there were none.
 */
class ClassArchiveTest {

    private static final String JAVA =
            Path.of(System.getProperty("java.home"), "bin", "java").toString();
    private static final String SCRIPT = "scripts/lib/class-archive.sh";
    private static final Path FOLDER = Path.of("target/class-archive");

    /** Where a JVM had the one class from that its archive may hold. */
    private enum Origin {
        ARCHIVE,
        JAR
    }

    @TempDir
    private Path temporary;

    private Path checkout;
    private Path jar;
    /** Where classes come from if there is an archive: JDK 17 archives none of a jar whose path a URL encodes. */
    private Origin archived;

    /** The program that the JVMs run; its folder stands behind the jars, as the stack's own classes do. */
    public static final class Started {

        public static void main(String[] args) {
            if (!JsonNull.INSTANCE.toString().equals("null")) {
                throw new IllegalStateException("The class does not work");
            }
        }
    }

    @BeforeEach
    void checkOut() throws IOException, URISyntaxException {
        URI gson = JsonNull.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI();
        jar = Files.copy(Path.of(gson), temporary.resolve("gson.jar"));
        checkout = checkOutInto(temporary.resolve("a checkout in Köln"), jar);
        archived = temporary.toUri().getRawPath().equals(temporary + "/") ? Origin.ARCHIVE : Origin.JAR;
    }

    @Test
    void a_jvm_takes_its_classes_from_the_archive_that_was_made() throws Exception {
        assertThat(options()).as("before there is one").isEmpty();
        assertThat(startedWith(options())).isEqualTo(Origin.JAR);
        assertThat(make()).isEqualTo(new Ended(0, ""));
        assertThat(options())
                .startsWith(childOptions(archive()).toArray(String[]::new))
                .endsWith("-D" + ChildJvm.ARCHIVE_PROPERTY + "=" + archive());
        assertThat(startedWith(options())).isEqualTo(archived);
        assertThat(startedWith(childOptions(archive()))).isEqualTo(archived);
    }

    @Test
    void switched_off_none_is_used_and_none_made() throws Exception {
        Map<String, String> off = Map.of("ENGAGEMENT_LOCAL_CLASS_ARCHIVE", "off");
        assertThat(run(off, SCRIPT, "make", JAVA)).isEqualTo(new Ended(0, ""));
        assertThat(checkout.resolve(FOLDER)).doesNotExist();
        make();
        assertThat(run(off, SCRIPT, "options", JAVA)).isEqualTo(new Ended(0, ""));
    }

    @Test
    void a_changed_jar_makes_an_archive_stale_and_the_next_one_replaces_it() throws Exception {
        make();
        Path old = archive();
        Files.setLastModifiedTime(jar, FileTime.from(Instant.parse("2026-01-08T09:00:00Z")));
        assertThat(options()).isEmpty();
        assertThat(startedWith(childOptions(old))).isEqualTo(Origin.JAR);
        assertThat(make()).isEqualTo(new Ended(0, ""));
        assertThat(archive()).isNotEqualTo(old);
        assertThat(startedWith(options())).isEqualTo(archived);
    }

    @Test
    void a_changed_list_makes_an_archive_stale() throws Exception {
        make();
        Files.writeString(checkout.resolve("src/main/cds/classes.lst"), "java/lang/Object\n");
        assertThat(options()).isEmpty();
    }

    @Test
    void a_truncated_archive_is_not_used() throws Exception {
        make();
        List<String> options = options();
        long size = Files.size(archive());
        for (long left : List.of(size - 1, size / 2, 100L, 1L)) {
            try (RandomAccessFile file =
                    new RandomAccessFile(writable(archive()).toFile(), "rw")) {
                file.setLength(left);
            }
            assertThat(startedWith(options)).as("%d bytes of it", left).isEqualTo(Origin.JAR);
        }
    }

    @Test
    void what_is_no_archive_or_another_jvms_is_not_used() throws Exception {
        make();
        List<String> options = options();
        Path archive = writable(archive());
        byte[] whole = Files.readAllBytes(archive);
        // The header says which JVM wrote it.
        byte[] foreign = whole.clone();
        int version = indexOf(foreign, System.getProperty("java.vm.version"));
        foreign[version] ^= 1;
        Files.write(archive, foreign);
        assertThat(startedWith(options)).as("another JVM's").isEqualTo(Origin.JAR);
        Files.writeString(archive, "no archive ".repeat(10_000));
        assertThat(startedWith(options)).as("text").isEqualTo(Origin.JAR);
        Files.delete(archive);
        assertThat(startedWith(options)).as("gone").isEqualTo(Origin.JAR);
        Files.createDirectory(archive);
        assertThat(startedWith(options)).as("a folder").isEqualTo(Origin.JAR);
    }

    @Test
    void jars_in_a_folder_whose_name_a_url_encodes_are_started_from_as_ever() throws Exception {
        jar = Files.copy(
                jar, Files.createDirectories(temporary.resolve("Bücher 2")).resolve("gson.jar"));
        Files.writeString(checkout.resolve("target/classpath.txt"), jar.toString());
        assertThat(make()).isEqualTo(new Ended(0, ""));
        assertThat(startedWith(options())).isEqualTo(Origin.JAR);
    }

    @Test
    void another_order_of_jars_does_not_use_it() throws Exception {
        make();
        List<String> command = new ArrayList<>(List.of(JAVA));
        command.addAll(options());
        command.addAll(List.of("-cp", "target/classes" + File.pathSeparator + jar, Started.class.getName()));
        assertThat(run(Map.of(), command.toArray(String[]::new))).isEqualTo(new Ended(0, ""));
    }

    @Test
    void a_full_disk_leaves_no_archive_and_is_said_once() throws Exception {
        Ended full = run(Map.of(), "bash", "-c", "ulimit -f 1000; exec " + SCRIPT + " make '" + JAVA + "'");
        assertThat(full.code()).isEqualTo(1);
        assertThat(full.text())
                .startsWith("The class archive could not be made: the JVM ended with exit code ")
                .hasLineCount(1);
        assertThat(namesIn(FOLDER)).allMatch(name -> name.endsWith("lock") || name.endsWith(".log"));
        assertThat(options()).isEmpty();
        assertThat(inBackground().code())
                .as("not again at each start of the next hour")
                .isEqualTo(1);
        assertThat(options()).isEmpty();
        assertThat(make()).isEqualTo(new Ended(0, ""));
        assertThat(startedWith(options())).isEqualTo(archived);
    }

    @Test
    void where_nothing_can_be_written_none_is_made() throws Exception {
        Files.createDirectories(checkout.resolve("target"));
        Files.writeString(checkout.resolve(FOLDER), "in the way");
        assertThat(make())
                .isEqualTo(new Ended(
                        1,
                        "No class archive can be made: " + checkout.resolve(FOLDER)
                                + " is not a folder that can be written to\n"));
        assertThat(inBackground()).isEqualTo(new Ended(1, ""));
        assertThat(options()).isEmpty();
    }

    @Test
    void two_at_once_leave_one_whole_archive() throws Exception {
        Ended both = run(
                Map.of(),
                "bash",
                "-c",
                "all=(); for i in 1 2 3; do " + SCRIPT + " make '" + JAVA
                        + "' & all+=($!); done; for each in ${all[*]}; do wait $each || exit; done");
        assertThat(both).isEqualTo(new Ended(0, ""));
        assertThat(namesIn(FOLDER))
                .containsExactlyInAnyOrder("stack.lock", archive().getFileName().toString());
        assertThat(startedWith(options())).isEqualTo(archived);
    }

    @Test
    void in_the_background_it_is_made_as_long_as_its_parent_lives() throws Exception {
        assertThat(inBackground()).isEqualTo(new Ended(0, ""));
        assertThat(startedWith(options())).isEqualTo(archived);
        Files.delete(archive());
        Process parent = new ProcessBuilder("true").start();
        assertThat(parent.waitFor()).isZero();
        assertThat(run(Map.of(), SCRIPT, "make", JAVA, Long.toString(parent.pid())))
                .isEqualTo(new Ended(1, ""));
        assertThat(options()).isEmpty();
        assertThat(namesIn(FOLDER)).containsExactly("stack.lock");
    }

    @Test
    void checkouts_have_archives_of_their_own() throws Exception {
        Path other = checkOutInto(temporary.resolve("other"), jar);
        make();
        assertThat(Programs.run(other, Map.of(), List.of(SCRIPT, "options", JAVA)))
                .isEqualTo(new Ended(0, ""));
        assertThat(Programs.run(other, Map.of(), List.of(SCRIPT, "make", JAVA))).isEqualTo(new Ended(0, ""));
        assertThat(startedWith(options())).isEqualTo(archived);
    }

    @Test
    void the_cluster_has_an_archive_of_its_own_beside_the_stacks() throws Exception {
        Path lib = Files.createDirectories(checkout.resolve("target/flink/lib"));
        Files.copy(jar, lib.resolve("gson.jar"));
        make();
        assertThat(run(Map.of(), SCRIPT, "--cluster", "make", JAVA)).isEqualTo(new Ended(0, ""));
        assertThat(namesIn(FOLDER)).filteredOn(name -> name.endsWith(".jsa")).hasSize(2);
        List<String> command = new ArrayList<>(List.of(JAVA));
        command.addAll(run(Map.of(), SCRIPT, "--cluster", "options", JAVA)
                .text()
                .lines()
                .toList());
        assertThat(command).hasSizeGreaterThan(1);
        command.addAll(List.of("-Xshare:on", "-cp", lib + "/*", "-version"));
        assertThat(run(Map.of(), command.toArray(String[]::new)).code())
                .as("a JVM that may not do without")
                .isZero();
        assertThat(startedWith(options())).isEqualTo(archived);
    }

    /** Where jars stand first, what a jar has under the same name would hide ours. */
    @Test
    void no_jar_has_anything_that_our_own_classes_folder_has() throws IOException {
        Path classes = Path.of("target/classes");
        Set<String> ours;
        try (Stream<Path> files = Files.walk(classes)) {
            ours = files.filter(Files::isRegularFile)
                    .map(file -> classes.relativize(file).toString())
                    // Of these, Java reads what every entry of the class path has.
                    .filter(name -> !name.startsWith("META-INF/services/"))
                    .collect(Collectors.toSet());
        }
        assertThat(ours).contains("engagement-reference.properties");
        Set<String> hidden = new TreeSet<>();
        for (String entry :
                Files.readString(Path.of("target/classpath.txt")).strip().split(File.pathSeparator)) {
            try (JarFile file = new JarFile(entry)) {
                file.stream()
                        .map(JarEntry::getName)
                        .filter(ours::contains)
                        .forEach(name -> hidden.add(name + " of " + entry));
            }
        }
        assertThat(hidden).isEmpty();
    }

    @Test
    void the_list_names_what_jars_and_the_jdk_have_and_nothing_of_ours() throws IOException {
        List<String> lines = Files.readAllLines(Path.of("src/main/cds/classes.lst"));
        assertThat(lines)
                .contains(
                        "java/lang/Object",
                        "org/apache/flink/runtime/minicluster/MiniCluster",
                        "kafka/server/KafkaConfig")
                .noneMatch(
                        line -> line.startsWith("dev/engagement/") || line.startsWith("@lambda-proxy dev/engagement/"));
    }

    // ---------------------------------------------------------------------------------------------------- checkout

    private static Path checkOutInto(Path checkout, Path jar) throws IOException {
        Path main = Path.of(Started.class.getName().replace('.', '/') + ".class");
        Path classes = checkout.resolve("target/classes");
        Files.createDirectories(classes.resolve(main).getParent());
        try (InputStream in = Started.class.getResourceAsStream("/" + main)) {
            assertThat(in).isNotNull();
            Files.copy(in, classes.resolve(main));
        }
        Files.createDirectories(checkout.resolve("src/main/cds"));
        Files.writeString(
                checkout.resolve("src/main/cds/classes.lst"),
                "java/lang/Object\ncom/google/gson/JsonElement\ncom/google/gson/JsonNull\nof/no/Jar\n");
        Files.createDirectories(checkout.resolve("scripts/lib"));
        Files.copy(Path.of(SCRIPT), checkout.resolve(SCRIPT));
        Files.setPosixFilePermissions(checkout.resolve(SCRIPT), PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.writeString(checkout.resolve("target/classpath.txt"), jar.toString());
        return checkout;
    }

    private Ended make() throws Exception {
        return run(Map.of(), SCRIPT, "make", JAVA);
    }

    /** As local.sh does it, but waited for. */
    private Ended inBackground() throws Exception {
        return run(
                Map.of(),
                SCRIPT,
                "make",
                JAVA,
                Long.toString(ProcessHandle.current().pid()));
    }

    private List<String> options() throws Exception {
        Ended ended = run(Map.of(), SCRIPT, "options", JAVA);
        assertThat(ended.code()).isZero();
        return ended.text().lines().toList();
    }

    private static List<String> childOptions(Path archive) {
        return ChildJvm.archiveOptions(archive.toString());
    }

    private Path archive() throws IOException {
        return checkout.resolve(FOLDER)
                .resolve(namesIn(FOLDER).stream()
                        .filter(name -> name.endsWith(".jsa"))
                        .findAny()
                        .orElseThrow());
    }

    private static Path writable(Path archive) {
        assertThat(archive.toFile().setWritable(true)).isTrue();
        return archive;
    }

    private Set<String> namesIn(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(checkout.resolve(folder))) {
            return files.map(file -> file.getFileName().toString()).collect(Collectors.toCollection(TreeSet::new));
        }
    }

    private Ended run(Map<String, String> environment, String... command) throws Exception {
        return Programs.run(checkout, environment, List.of(command));
    }

    /** Starts a JVM as local.sh does; fails if it says anything by itself. */
    private Origin startedWith(List<String> options) throws Exception {
        Path log = temporary.resolve("classes.log");
        Files.deleteIfExists(log);
        List<String> command = new ArrayList<>(List.of(JAVA));
        command.addAll(options);
        command.addAll(List.of(
                "-Xlog:class+load:file=" + log,
                "-cp",
                jar + File.pathSeparator + "target/classes",
                Started.class.getName()));
        assertThat(run(Map.of(), command.toArray(String[]::new))).isEqualTo(new Ended(0, ""));
        List<String> loaded;
        try (Stream<String> lines = Files.lines(log)) {
            loaded = lines.filter(line -> line.contains(" com.google.gson.JsonNull "))
                    .toList();
        }
        assertThat(loaded).hasSize(1);
        return loaded.get(0).contains("shared objects file") ? Origin.ARCHIVE : Origin.JAR;
    }

    private static int indexOf(byte[] bytes, String text) {
        int found = new String(bytes, StandardCharsets.ISO_8859_1).indexOf(text);
        assertThat(found).as("where the header names the JVM").isPositive();
        return found;
    }
}
