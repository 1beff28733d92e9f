package dev.engagement.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import org.HdrHistogram.Histogram;

/** Clients that each ask again once they are answered. */
final class ClosedLoop {

    /** One client; used by one thread. */
    interface Client extends AutoCloseable {

        /** Asks once, and waits for the answer. */
        void ask() throws Exception;

        @Override
        void close() throws Exception;
    }

    /**
     * What came out.
     *
     * @param micros how long each answer took
     */
    record Result(double perSecond, Histogram micros) {

        double millisAt(double percentile) {
            return micros.getValueAtPercentile(percentile) / 1e3;
        }
    }

    private static final int DIGITS = 3;

    private ClosedLoop() {}

    /** Runs as many clients at the same time for that long. */
    static Result run(int clients, Duration howLong, IntFunction<Client> client) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(clients);
        try {
            List<Client> all = new ArrayList<>();
            for (int i = 0; i < clients; i++) {
                all.add(client.apply(i));
            }
            long begin = System.nanoTime();
            long end = begin + howLong.toNanos();
            List<Future<Histogram>> running = new ArrayList<>();
            for (Client each : all) {
                running.add(threads.submit(() -> until(end, each)));
            }
            Histogram sum = new Histogram(DIGITS);
            for (Future<Histogram> each : running) {
                sum.add(each.get());
            }
            double seconds = (System.nanoTime() - begin) / 1e9;
            for (Client each : all) {
                each.close();
            }
            return new Result(sum.getTotalCount() / seconds, sum);
        } catch (ExecutionException e) {
            throw new IllegalStateException("A client of the benchmark was not answered", e.getCause());
        } finally {
            threads.shutdownNow();
        }
    }

    private static Histogram until(long end, Client client) throws Exception {
        Histogram micros = new Histogram(DIGITS);
        long before = System.nanoTime();
        while (before < end) {
            client.ask();
            long after = System.nanoTime();
            micros.recordValue((after - before) / 1_000);
            before = after;
        }
        return micros;
    }
}
