package dev.engagement.faults;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A process that can be killed, frozen and started again. Signals go to it and all that it started.
 *
 * <p>If there is a proxy before it, connections are refused there while it is dead, as by the dead process's own port.
 */
final class Victim {

    private static final Duration DEATH_LIMIT = Duration.ofMinutes(5);

    /** Something that may fail. */
    @FunctionalInterface
    interface Action<T> {
        T run() throws Exception;
    }

    private final Role role;
    private final Action<Long> pid;
    private final Action<?> start;
    private final @Nullable TcpProxy proxy;

    /**
     * @param pid of the running process
     * @param start what its supervisor does; returns when it serves, or when it will by itself
     */
    Victim(Role role, Action<Long> pid, Action<?> start, @Nullable TcpProxy proxy) {
        this.role = role;
        this.pid = pid;
        this.start = start;
        this.proxy = proxy;
    }

    Role role() {
        return role;
    }

    /** SIGKILL; returns when it is dead. */
    void kill() throws Exception {
        List<Long> family = family();
        send("KILL", family);
        if (proxy != null) {
            proxy.refuse();
            proxy.cut();
        }
        await().atMost(DEATH_LIMIT).pollInterval(Duration.ofMillis(10)).until(() -> family.stream()
                .allMatch(Victim::isGone));
    }

    /** Whether there is no such process any more. */
    boolean isDead() throws Exception {
        return isGone(pid.run());
    }

    /** As its supervisor does after its death. */
    void restart() throws Exception {
        restartBy(start);
    }

    /** After its death, in another way than its supervisor does. */
    void restartBy(Action<?> otherStart) throws Exception {
        otherStart.run();
        if (proxy != null) {
            proxy.restore();
        }
    }

    /** SIGSTOP: it lives, holds its connections, and does nothing. */
    void freeze() throws Exception {
        send("STOP", family());
    }

    /** SIGCONT. */
    void thaw() throws Exception {
        send("CONT", family());
    }

    private List<Long> family() throws Exception {
        long head = pid.run();
        ProcessHandle process = ProcessHandle.of(head)
                .orElseThrow(() -> new IllegalStateException(
                        role.title() + " should run as process " + head + ", but there is none; see its log"));
        List<Long> family = new ArrayList<>();
        family.add(head);
        process.descendants().forEach(each -> family.add(each.pid()));
        return family;
    }

    private void send(String signal, List<Long> pids) throws IOException, InterruptedException {
        StringBuilder command = new StringBuilder("kill -" + signal);
        pids.forEach(each -> command.append(' ').append(each));
        // A child may end in between by itself; the first one must not have.
        Process kill = new ProcessBuilder(
                        "/bin/sh", "-c", command + " 2>/dev/null; kill -0 " + pids.get(0) + " 2>/dev/null")
                .start();
        if (!kill.waitFor(DEATH_LIMIT.toMillis(), TimeUnit.MILLISECONDS)
                || (kill.exitValue() != 0 && !signal.equals("KILL"))) {
            throw new IllegalStateException(
                    "SIG" + signal + " did not reach " + role.title() + ", process " + pids.get(0));
        }
    }

    /** Gone, or dead and not yet collected by its parent. */
    private static boolean isGone(long pid) {
        try {
            String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
            return stat.substring(stat.lastIndexOf(')') + 1).strip().startsWith("Z");
        } catch (IOException noSuchProcess) {
            return true;
        }
    }
}
