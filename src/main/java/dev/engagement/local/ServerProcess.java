package dev.engagement.local;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A server as a child of this JVM: started in a session of its own (Ctrl-C in the terminal reaches the JVM, which stops
 * the servers in order, and not the servers themselves), its output in a log file, its identity in a pid file, so that
 * the next start in the same folder can sweep what a killed JVM left behind.
 */
final class ServerProcess {

    /** Answers whether the server is ready; an exception means "not yet". */
    @FunctionalInterface
    interface Probe {
        void check() throws Exception;
    }

    private static final Set<ServerProcess> RUNNING = ConcurrentHashMap.newKeySet();
    private static final int LOG_TAIL_LINES = 20;
    private static final Duration PROBE_INTERVAL = Duration.ofMillis(25);
    private static final Duration DEATH_LIMIT = Duration.ofMinutes(1);
    /** The start time is computed from the boot time, which a clock correction moves by a second. */
    private static final Duration START_TIME_TOLERANCE = Duration.ofSeconds(2);

    static {
        // The last resort when a JVM ends without stopping its servers; who stops them in order comes before this.
        Runtime.getRuntime().addShutdownHook(new Thread(ServerProcess::killAllUnlessSomebodyStopsThem, "kill-servers"));
    }

    /** Short commands in progress. */
    private static final Set<Process> COMMANDS = ConcurrentHashMap.newKeySet();

    private static volatile boolean somebodyStopsThem;
    private static volatile boolean ending;

    private final String name;
    private final Process process;
    private final Path log;
    private final Path pidFile;

    private ServerProcess(String name, Process process, Path log, Path pidFile) {
        this.name = name;
        this.process = process;
        this.log = log;
        this.pidFile = pidFile;
    }

    /**
     * Starts a server.
     *
     * @param name what it is called in messages; its lower-case form names log and pid file
     * @param directory working directory, of the log and of the pid file; must exist
     * @param executable file name of the program that the command ends up running, by which a leftover is recognised
     * @param command program and arguments
     * @param environment variables added to this JVM's
     */
    static ServerProcess start(
            String name, Path directory, String executable, List<String> command, Map<String, String> environment) {
        sweep(name, directory);
        Path log = logFile(name, directory);
        Path pidFile = pidFile(name, directory);
        List<String> inOwnSession = new ArrayList<>();
        onPath("setsid").ifPresent(setsid -> inOwnSession.add(setsid.toString()));
        inOwnSession.addAll(command);
        ProcessBuilder builder = new ProcessBuilder(inOwnSession)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null")));
        builder.environment().putAll(environment);
        try {
            Process process = builder.start();
            ServerProcess server = new ServerProcess(name, process, log, pidFile);
            RUNNING.add(server);
            if (ending) {
                server.kill();
                throw new ServerException(name + " is not started any more: this JVM is ending");
            }
            long startedAt =
                    process.info().startInstant().map(Instant::toEpochMilli).orElseGet(System::currentTimeMillis);
            Files.writeString(pidFile, process.pid() + " " + startedAt + " " + executable + "\n");
            return server;
        } catch (IOException e) {
            throw new ServerException(name + " could not be started by " + String.join(" ", command), e);
        }
    }

    /**
     * Kills the process that the folder's pid file names, if it still is the process that wrote it: pid, start time and
     * program must agree, so that a stranger that inherited the pid is left alone.
     *
     * @return whether there was one
     */
    static boolean sweep(String name, Path directory) {
        Path pidFile = pidFile(name, directory);
        if (!Files.exists(pidFile)) {
            return false;
        }
        try {
            String[] fields = Files.readString(pidFile).strip().split(" ");
            Optional<ProcessHandle> leftover = fields.length == 3
                    ? ProcessHandle.of(Long.parseLong(fields[0])).filter(p -> isSame(p, fields[1], fields[2]))
                    : Optional.empty();
            leftover.ifPresent(ServerProcess::killTree);
            Files.deleteIfExists(pidFile);
            return leftover.isPresent();
        } catch (IOException | NumberFormatException e) {
            throw new ServerException(
                    "The pid file " + pidFile + " cannot be read; if no " + name + " of this folder runs, delete it",
                    e);
        }
    }

    private static boolean isSame(ProcessHandle process, String startedAt, String executable) {
        Instant recorded = Instant.ofEpochMilli(Long.parseLong(startedAt));
        boolean sameStart = process.info()
                .startInstant()
                .map(start -> Duration.between(start, recorded).abs().compareTo(START_TIME_TOLERANCE) <= 0)
                .orElse(false);
        boolean sameProgram = process.info()
                .command()
                .map(command -> Path.of(command).getFileName().toString().startsWith(executable))
                .orElse(true);
        return sameStart && sameProgram;
    }

    /**
     * Waits until the probe succeeds.
     *
     * @throws ServerException if the process ends or the limit passes before; with the end of its log
     */
    void awaitReady(Duration limit, Probe probe) {
        long deadline = System.nanoTime() + limit.toNanos();
        while (true) {
            Exception notYet;
            try {
                probe.check();
                return;
            } catch (Exception e) {
                notYet = e;
            }
            if (exitsWithin(PROBE_INTERVAL)) {
                delete(pidFile);
                RUNNING.remove(this);
                throw new ServerException(
                        name + " ended with exit code " + process.exitValue() + " while starting" + logTail(), notYet);
            }
            if (System.nanoTime() > deadline) {
                kill();
                throw new ServerException(
                        name + " did not answer within " + limit.toSeconds() + " s" + logTail(), notYet);
            }
        }
    }

    long pid() {
        return process.pid();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** SIGKILL, to the process and everything it started; returns when they are gone. */
    void kill() {
        killTree(process.toHandle());
        forget();
    }

    /**
     * Asks the process to end.
     *
     * @param signal a signal's name without SIG
     * @param timeout after which it is killed
     */
    void stop(String signal, Duration timeout) {
        List<ProcessHandle> children = process.descendants().toList();
        if (process.isAlive()) {
            signal(signal);
            if (!exitsWithin(timeout)) {
                kill();
                return;
            }
        }
        children.forEach(ServerProcess::killTree);
        forget();
    }

    /** From now on the caller stops all servers when this JVM is told to end, by its own hook and in its own order. */
    static void leaveStoppingToCaller() {
        somebodyStopsThem = true;
    }

    /** SIGKILL to every server of this JVM, which is ending: none is started any more. */
    static void killAll() {
        ending = true;
        COMMANDS.forEach(command -> killTree(command.toHandle()));
        List.copyOf(RUNNING).forEach(ServerProcess::kill);
    }

    private static void killAllUnlessSomebodyStopsThem() {
        if (!somebodyStopsThem) {
            killAll();
        }
    }

    /** The end of the log, as the tail of a message. */
    String logTail() {
        return logTail(log);
    }

    static String logTail(Path log) {
        try {
            List<String> lines = Files.exists(log)
                    ? new String(Files.readAllBytes(log), StandardCharsets.UTF_8)
                            .lines()
                            .toList()
                    : List.of();
            if (lines.isEmpty()) {
                return "; its log " + log + " is empty";
            }
            List<String> tail = lines.subList(Math.max(0, lines.size() - LOG_TAIL_LINES), lines.size());
            return "; the end of its log " + log + ":\n  " + String.join("\n  ", tail);
        } catch (IOException e) {
            return "; its log " + log + " cannot be read: " + e.getMessage();
        }
    }

    static Path logFile(String name, Path directory) {
        return directory.resolve(name.toLowerCase(Locale.ROOT) + ".log");
    }

    private static Path pidFile(String name, Path directory) {
        return directory.resolve(name.toLowerCase(Locale.ROOT) + ".pid");
    }

    /** The program of that name in PATH or where system programs usually are. */
    static Optional<Path> onPath(String program) {
        List<String> folders = new ArrayList<>();
        @Nullable String path = System.getenv("PATH");
        if (path != null) {
            folders.addAll(List.of(path.split(File.pathSeparator)));
        }
        folders.addAll(List.of("/usr/bin", "/bin", "/usr/sbin", "/sbin"));
        return folders.stream()
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, program))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /**
     * Runs a short command to its end.
     *
     * @throws ServerException if it fails or takes longer than the limit; with its output
     */
    static void run(String what, List<String> command, Path directory, Path log, Duration limit) {
        try {
            Process process = new ProcessBuilder(command)
                    .directory(directory.toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                    .start();
            COMMANDS.add(process);
            boolean ended = process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
            COMMANDS.remove(process);
            if (!ended) {
                killTree(process.toHandle());
                throw new ServerException(what + " did not end within " + limit.toSeconds() + " s" + logTail(log));
            }
            if (process.exitValue() != 0) {
                throw new ServerException(what + " ended with exit code " + process.exitValue() + logTail(log));
            }
        } catch (IOException e) {
            throw new ServerException(what + " could not be started by " + String.join(" ", command), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServerException("Interrupted during " + what, e);
        }
    }

    /** Sends it a signal, by its name without SIG. */
    void signal(String signal) {
        if (signal.equals("TERM")) {
            process.destroy();
            return;
        }
        // The shell's own kill: a separate program of that name is not on every machine.
        try {
            Process kill = new ProcessBuilder("/bin/sh", "-c", "kill -" + signal + " " + process.pid()).start();
            kill.waitFor(DEATH_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (IOException e) {
            throw new ServerException("SIG" + signal + " could not be sent to " + name + ", pid " + process.pid(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private boolean exitsWithin(Duration limit) {
        try {
            return process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            kill();
            throw new ServerException("Interrupted while waiting for " + name, e);
        }
    }

    private void forget() {
        delete(pidFile);
        RUNNING.remove(this);
    }

    private static void killTree(ProcessHandle process) {
        List<ProcessHandle> all = new ArrayList<>();
        all.add(process);
        process.descendants().forEach(all::add);
        all.forEach(ServerProcess::destroyForcibly);
        for (ProcessHandle each : all) {
            try {
                each.onExit().get(DEATH_LIMIT.toMillis(), TimeUnit.MILLISECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            } catch (ExecutionException | TimeoutException e) {
                throw new ServerException("The process " + each.pid() + " survives SIGKILL", e);
            }
        }
    }

    private static void destroyForcibly(ProcessHandle process) {
        // False if it has gone meanwhile, which is what is wanted.
        boolean requested = process.destroyForcibly();
        assert requested || !process.isAlive() : process;
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new ServerException("The pid file " + file + " cannot be deleted", e);
        }
    }
}
