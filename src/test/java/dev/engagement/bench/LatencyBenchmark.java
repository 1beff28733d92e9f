package dev.engagement.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.engagement.connection.PostgresDriver;
import java.io.IOException;
import java.io.Reader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * How long after a row is due in PostgreSQL it is readable everywhere, beside a local stack without a load of its own: a
 * first row as soon as the jobs run, a first minute once that row has come through, then a minute at each rate, with nothing
 * outstanding between two of them.
 *
 * <p>Open loop: the n-th row of a minute is due at its beginning plus n by the rate, whatever the rows before it do, and
 * every latency counts from then on. Rows that are due go into one transaction each few milliseconds; how late their commit
 * was stands in the table as the latency of PostgreSQL.
 */
public final class LatencyBenchmark {

    private static final long TICK_NANOS = Duration.ofMillis(5).toNanos();
    private static final int MAX_BATCH = 2_000;
    private static final Duration POLL = Duration.ofMillis(20);
    private static final Duration LIMIT = Duration.ofMinutes(5);

    private static final int FIRST_ROW = 0;
    private static final int FIRST_MINUTE = 1;

    private static final OperatingSystemMXBean MACHINE =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    private final ProbedLoad load;
    private final LatencyWatch watch;
    private final LatencyReport report;
    private final List<Double> rates;
    private final int seconds;

    private LatencyBenchmark(
            ProbedLoad load, LatencyWatch watch, LatencyReport report, List<Double> rates, int seconds) {
        this.load = load;
        this.watch = watch;
        this.report = report;
        this.rates = rates;
        this.seconds = seconds;
    }

    /** {@code ENDPOINTS DIRECTORY RATE,… SECONDS}: exit code 1 if something is missing in the end, or there twice. */
    public static void main(String[] args) throws Exception {
        Properties endpoints = new Properties();
        try (Reader in = Files.newBufferedReader(Path.of(args[0]), StandardCharsets.UTF_8)) {
            endpoints.load(in);
        }
        List<Double> rates =
                Arrays.stream(args[2].split(",")).map(Double::valueOf).toList();
        int seconds = Integer.parseInt(args[3]);
        boolean complete;
        try (Connection connection = connect(endpoints);
                LatencyWatch watch = new LatencyWatch(endpoints, 2 + rates.size());
                LatencyReport report = new LatencyReport(Path.of(args[1]), watch)) {
            complete = new LatencyBenchmark(new ProbedLoad(connection), watch, report, rates, seconds).run(connection);
        }
        System.exit(complete ? 0 : 1);
    }

    private static Connection connect(Properties endpoints) throws SQLException {
        Properties login = new Properties();
        login.setProperty("user", endpoints.getProperty("postgres.username"));
        login.setProperty("password", endpoints.getProperty("postgres.password"));
        login.setProperty("reWriteBatchedInserts", "true");
        Connection connection = PostgresDriver.connect(endpoints.getProperty("postgres.url"), login);
        connection.setAutoCommit(false);
        return connection;
    }

    private boolean run(Connection connection) throws Exception {
        await("both jobs run", watch::jobsRun);
        long before = LatencyWatch.countRows(connection);
        watch.start(before);
        load.writeContents();
        write(FIRST_ROW, 1, 1);
        boolean drained = awaitArrived(FIRST_ROW);
        report.firstRow(FIRST_ROW);
        drained &= minute(FIRST_MINUTE, rates.get(0));
        for (int i = 0; drained && i < rates.size(); i++) {
            drained = minute(FIRST_MINUTE + 1 + i, rates.get(i));
        }
        List<String> differences = watch.differences(connection);
        if (!drained) {
            System.out.printf("%nNOT ALL has arrived within %d minutes%n", LIMIT.toMinutes());
        }
        differences.forEach(System.out::println);
        return drained && differences.isEmpty();
    }

    /** @return whether everything has arrived */
    private boolean minute(int phase, double rate) throws SQLException, IOException {
        MACHINE.getCpuLoad();
        long ownCpu = MACHINE.getProcessCpuTime();
        long start = System.nanoTime();
        write(phase, rate, Math.max(1, Math.round(rate * seconds)));
        long end = System.nanoTime();
        double took = (end - start) / 1e9;
        LatencyReport.Minute minute = new LatencyReport.Minute(
                phase == FIRST_MINUTE,
                phase,
                rate,
                seconds,
                took,
                start + Duration.ofSeconds(seconds).toNanos(),
                MACHINE.getCpuLoad(),
                (MACHINE.getProcessCpuTime() - ownCpu) / 1e9 / took / MACHINE.getAvailableProcessors(),
                MACHINE.getSystemLoadAverage(),
                watch.destinations().stream()
                        .map(destination -> destination.missing(phase))
                        .toList());
        boolean arrived = awaitArrived(phase);
        report.print(minute);
        return arrived;
    }

    /** Commits so many rows, each as soon as it is due or right after what holds it up. */
    private void write(int phase, double rate, long rows) throws SQLException {
        long start = System.nanoTime();
        long done = 0;
        long next = start;
        while (done < rows) {
            long now = System.nanoTime();
            if (now < next) {
                LockSupport.parkNanos(next - now);
                continue;
            }
            watch.check();
            long due = Math.min(rows, (long) ((now - start) * rate / 1e9) + 1);
            List<ProbedLoad.Row> batch = new ArrayList<>();
            Instant wall = Instant.now();
            for (; done < due && batch.size() < MAX_BATCH; done++) {
                ProbedLoad.Row row = load.next(wall);
                // Before it is written: it may be there before the commit's answer is here.
                watch.due(phase, row, start + dueAfter(done, rate));
                batch.add(row);
            }
            load.write(batch);
            watch.committed(batch.size());
            next = Math.max(now + TICK_NANOS, start + dueAfter(done, rate));
        }
    }

    private static long dueAfter(long row, double rate) {
        return (long) (row * 1e9 / rate);
    }

    private boolean awaitArrived(int phase) {
        return arrives(() -> watch.destinations().stream().allMatch(destination -> destination.missing(phase) == 0));
    }

    private void await(String what, BooleanSupplier condition) {
        if (!arrives(condition)) {
            throw new IllegalStateException("Not so after " + LIMIT.toMinutes() + " minutes: " + what);
        }
    }

    private boolean arrives(BooleanSupplier condition) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            watch.check();
            if (System.nanoTime() - start > LIMIT.toNanos()) {
                return false;
            }
            LockSupport.parkNanos(POLL.toNanos());
        }
        return true;
    }
}
