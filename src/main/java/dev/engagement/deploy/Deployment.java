package dev.engagement.deploy;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * One version of a job that was run: a folder with its jar, its catalogue of state, its arguments, and what became of it.
 * Each note is on disk before the step after it begins, so that a deployment that was killed can be gone on from.
 */
final class Deployment {

    static final String JAR = "engagement-job.jar";
    private static final String ARGUMENTS = "arguments";
    private static final String NOTES = "deployment.properties";
    private static final String JOB = "job";
    private static final String FROM = "from";
    private static final String OUTCOME = "outcome";
    private static final String SAVEPOINT = "savepoint";

    private final int number;
    private final Path folder;
    private final Properties notes = new Properties();

    private Deployment(int number, Path folder) {
        this.number = number;
        this.folder = folder;
    }

    static Deployment open(int number, Path folder) throws IOException {
        Deployment deployment = new Deployment(number, folder);
        try (Reader in = Files.newBufferedReader(folder.resolve(NOTES))) {
            deployment.notes.load(in);
        }
        return deployment;
    }

    /** @param from what it starts from; null if it starts without state */
    static Deployment create(
            int number, Path folder, Path jar, byte[] catalogue, List<String> arguments, @Nullable String from)
            throws IOException {
        Files.createDirectories(folder);
        Files.copy(jar, folder.resolve(JAR), StandardCopyOption.REPLACE_EXISTING);
        Files.write(folder.resolve(StateCatalogue.RESOURCE), catalogue);
        Files.write(folder.resolve(ARGUMENTS), arguments, StandardCharsets.UTF_8);
        Deployment deployment = new Deployment(number, folder);
        deployment.note(FROM, from == null ? "" : from);
        return deployment;
    }

    int number() {
        return number;
    }

    Path folder() {
        return folder;
    }

    /** A copy of its own: the one it was made of is overwritten by the next build. */
    Path jar() {
        return folder.resolve(JAR);
    }

    byte[] catalogue() throws IOException {
        return Files.readAllBytes(folder.resolve(StateCatalogue.RESOURCE));
    }

    List<String> arguments() throws IOException {
        return Files.readAllLines(folder.resolve(ARGUMENTS), StandardCharsets.UTF_8);
    }

    /** The job's id; empty if it was killed before that was known. */
    String job() {
        return notes.getProperty(JOB, "");
    }

    /** What it started from; empty if without state. */
    String from() {
        return notes.getProperty(FROM, "");
    }

    /** The savepoint that it was stopped with; empty if it was not. */
    String savepoint() {
        return notes.getProperty(SAVEPOINT, "");
    }

    boolean hasFailed() {
        return notes.getProperty(OUTCOME, "").equals("failed");
    }

    /** Whether it has completed a checkpoint of its own, as far as was noted. */
    boolean hasRun() {
        return notes.getProperty(OUTCOME, "").equals("runs");
    }

    void submitted(String job) throws IOException {
        note(JOB, job);
    }

    void runs() throws IOException {
        note(OUTCOME, "runs");
    }

    /** It was given up after it had completed a checkpoint: what went before is history. */
    void outrun(String checkpoint) throws IOException {
        note(SAVEPOINT, checkpoint);
        runs();
    }

    void failed() throws IOException {
        note(OUTCOME, "failed");
    }

    void stopped(String savepoint) throws IOException {
        note(SAVEPOINT, savepoint);
    }

    private void note(String key, String value) throws IOException {
        notes.setProperty(key, value);
        Path partial = folder.resolve(NOTES + ".partial");
        try (Writer out = Files.newBufferedWriter(partial)) {
            notes.store(out, null);
        }
        Files.move(partial, folder.resolve(NOTES), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
