package dev.engagement.bench;

import dev.engagement.local.ReceiverProcess;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What the local receiver itself takes of a machine: signed posts of one event, over connections that stay open, from one
 * thread that writes a request to each of them and then reads all answers. So that a benchmark of delivery knows what part
 * is not delivery's.
 */
public final class ReceiverCost {

    private static final int CONNECTIONS = 64;
    private static final Duration WARM_UP = Duration.ofSeconds(5);
    private static final Duration MEASURED = Duration.ofSeconds(10);
    private static final String HEAD_END = "\r\n\r\n";

    private final ReceiverProcess receiver;
    private final String padding;
    private final Mac mac;
    private final AtomicLong ids = new AtomicLong();
    private final List<Socket> sockets = new ArrayList<>();
    private final byte[] answer = new byte[4096];

    private ReceiverCost(ReceiverProcess receiver, int bytes) throws IOException, GeneralSecurityException {
        this.receiver = receiver;
        this.padding = "x".repeat(bytes);
        String secret = Files.readString(receiver.secretFile()).substring("whsec_".length());
        mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(Base64.getDecoder().decode(secret), "HmacSHA256"));
        for (int i = 0; i < CONNECTIONS; i++) {
            Socket socket = new Socket(InetAddress.getLoopbackAddress(), receiver.port());
            socket.setTcpNoDelay(true);
            sockets.add(socket);
        }
    }

    /** {@code DIRECTORY BYTES}: where the receiver keeps its file, and how large a post's payload is. */
    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[0]);
        ReceiverProcess.discard(directory);
        try (ReceiverProcess receiver = ReceiverProcess.start(directory, 0)) {
            ReceiverCost cost = new ReceiverCost(receiver, Integer.parseInt(args[1]));
            cost.run(WARM_UP);
            Duration cpuBefore = cost.cpu();
            long posts = cost.run(MEASURED);
            double cpu = cost.cpu().minus(cpuBefore).toNanos() / 1e9;
            System.out.printf(
                    Locale.ROOT,
                    "%.0f posts/s of %s bytes payload over %d connections; the receiver's CPU %.1f us a post, so %.0f posts/s"
                            + " on a core of its own; %s%n",
                    posts / (MEASURED.toNanos() / 1e9),
                    args[1],
                    CONNECTIONS,
                    cpu * 1e6 / posts,
                    posts / cpu,
                    receiver.get("/stats"));
        }
    }

    private Duration cpu() {
        return ProcessHandle.of(receiver.pid())
                .flatMap(process -> process.info().totalCpuDuration())
                .orElseThrow();
    }

    private long run(Duration length) throws IOException {
        long end = System.nanoTime() + length.toNanos();
        long posts = 0;
        while (System.nanoTime() < end) {
            for (Socket each : sockets) {
                post(each.getOutputStream());
            }
            for (Socket each : sockets) {
                await(each.getInputStream());
                posts++;
            }
        }
        return posts;
    }

    private void post(OutputStream out) throws IOException {
        long id = ids.incrementAndGet();
        String body = "{\"event_id\":" + id + ",\"raw_payload\":{\"text\":\"" + padding + "\"}}";
        String name = "evt_" + id;
        String now = Long.toString(System.currentTimeMillis() / 1000);
        String signature = Base64.getEncoder()
                .encodeToString(mac.doFinal((name + "." + now + "." + body).getBytes(StandardCharsets.US_ASCII)));
        out.write(("POST /events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nIdempotency-Key: "
                        + name
                        + "\r\nwebhook-id: " + name + "\r\nwebhook-timestamp: " + now + "\r\nwebhook-signature: v1,"
                        + signature + "\r\nContent-Length: " + body.length() + HEAD_END + body)
                .getBytes(StandardCharsets.US_ASCII));
    }

    /** Reads one answer, which is short enough to come in few pieces and has to be a success. */
    private void await(InputStream in) throws IOException {
        int length = 0;
        while (true) {
            int read = in.read(answer, length, answer.length - length);
            if (read < 0) {
                throw new IOException("The receiver has closed a connection");
            }
            length += read;
            String text = new String(answer, 0, length, StandardCharsets.US_ASCII);
            if (!text.startsWith("HTTP/1.1 200")) {
                throw new IOException("The receiver answers " + text);
            }
            if (text.endsWith("\"ok\"}")) {
                return;
            }
        }
    }
}
