package dev.engagement.api.read;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A server that answers in turn what it is told to, and remembers what it was asked. */
final class ScriptedHttp implements AutoCloseable {

    /** What was asked. */
    record Asked(String method, String target, String authorization, String body) {}

    /** How an answer comes. */
    private enum Manner {
        WHOLE,
        /** Nothing at all, until the test ends. */
        NEVER,
        /** Headers and the first bytes of the body, and the rest never. */
        BEGUN
    }

    private record Answer(int status, String body, Manner manner) {}

    final Queue<Asked> asked = new ConcurrentLinkedQueue<>();

    /** Counted down with each question that is never answered. */
    private final Queue<CountDownLatch> held = new ConcurrentLinkedQueue<>();

    private final Queue<Answer> answers = new ConcurrentLinkedQueue<>();
    private final CountDownLatch end = new CountDownLatch(1);
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpServer server;

    ScriptedHttp() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(threads);
        server.createContext("/", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            asked.add(new Asked(
                    exchange.getRequestMethod(),
                    exchange.getRequestURI().toString(),
                    String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")),
                    body));
            Answer answer = answers.poll();
            if (answer == null) {
                answer = new Answer(599, "nothing is scripted", Manner.WHOLE);
            }
            byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
            try (exchange) {
                if (answer.manner() != Manner.NEVER) {
                    boolean isWhole = answer.manner() == Manner.WHOLE;
                    exchange.sendResponseHeaders(answer.status(), isWhole ? bytes.length : bytes.length + 1_000L);
                    exchange.getResponseBody().write(bytes);
                    exchange.getResponseBody().flush();
                }
                if (answer.manner() != Manner.WHOLE) {
                    held.forEach(CountDownLatch::countDown);
                    end.await();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        server.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    ScriptedHttp answers(int status, String body) {
        answers.add(new Answer(status, body, Manner.WHOLE));
        return this;
    }

    /** The next so many questions are never answered; the latch is open once all of them are here. */
    CountDownLatch holds(int questions) {
        CountDownLatch arrived = new CountDownLatch(questions);
        held.add(arrived);
        for (int i = 0; i < questions; i++) {
            answers.add(new Answer(0, "", Manner.NEVER));
        }
        return arrived;
    }

    /** The next answer begins and does not end. */
    void begins(String body) {
        answers.add(new Answer(200, body, Manner.BEGUN));
    }

    @Override
    public void close() {
        end.countDown();
        server.stop(0);
        threads.shutdown();
    }
}
