package dev.engagement.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * Clients of server-sent events, all read by one thread. A change is known by its count: the number of the update, from
 * which follows when it was due.
 */
final class LiveListeners implements AutoCloseable {

    private static final int DIGITS = 3;
    private static final int BUFFER_BYTES = 65_536;

    /** Fewer than api.threads: what is beyond is told to come again. */
    private static final int AT_ONCE = 32;

    private static final byte[] REQUEST = "GET /live HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"
            .getBytes(StandardCharsets.US_ASCII);

    private static final String METRIC = "event: metric\n";
    private static final String COUNT = "\"count\":";

    /** What is read of one client, up to the end of its last whole message. */
    private static final class Listener {
        private final StringBuilder unread = new StringBuilder();
        private boolean hasSnapshot;
    }

    private final Selector selector;
    private final Thread reader = new Thread(this::read, "listeners");
    private final AtomicInteger ready = new AtomicInteger();
    private final AtomicInteger lost = new AtomicInteger();
    private final AtomicLong heard = new AtomicLong();

    /** Written by the one who sends, read by the reader: when the update of that number is due. */
    private volatile long firstDueNanos;

    private volatile int firstNumber = Integer.MAX_VALUE;
    private volatile long intervalNanos;

    /** Guarded by itself. */
    private final Histogram micros = new Histogram(DIGITS);

    private LiveListeners(Selector selector) {
        this.selector = selector;
        // It ends with a benchmark that fails.
        reader.setDaemon(true);
    }

    /** Connects as many, some at a time as they may ask at once, and waits until each has its snapshot. */
    static LiveListeners connect(int port, int clients) throws IOException {
        LiveListeners listeners = new LiveListeners(Selector.open());
        listeners.reader.start();
        for (int i = 0; i < clients; i++) {
            listeners.awaitReady(i - AT_ONCE);
            SocketChannel channel = SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            channel.write(ByteBuffer.wrap(REQUEST));
            channel.configureBlocking(false);
            channel.register(listeners.selector, SelectionKey.OP_READ, new Listener());
            // A client that comes while the others are listened to is seen at the next look.
            listeners.selector.wakeup();
        }
        listeners.awaitReady(clients);
        return listeners;
    }

    private void awaitReady(int clients) throws IOException {
        while (ready.get() < clients) {
            if (lost.get() > 0) {
                throw new IOException(lost.get() + " live clients were sent away; see ulimit -n");
            }
            Thread.onSpinWait();
        }
    }

    /** From now on updates from that number on are measured: each is due an interval after the one before. */
    void measure(int number, long dueNanos, long interval) {
        synchronized (micros) {
            micros.reset();
        }
        heard.set(0);
        firstDueNanos = dueNanos;
        intervalNanos = interval;
        firstNumber = number;
    }

    /** Messages of updates that were measured. */
    long heard() {
        return heard.get();
    }

    /** Clients whose connection has ended. */
    int lost() {
        return lost.get();
    }

    /** How long each took, from when it was due. */
    Histogram micros() {
        synchronized (micros) {
            return micros.copy();
        }
    }

    private void read() {
        ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
        byte[] bytes = new byte[BUFFER_BYTES];
        try {
            while (selector.isOpen()) {
                selector.select();
                for (SelectionKey key : selector.selectedKeys()) {
                    read(key, buffer, bytes);
                }
                selector.selectedKeys().clear();
            }
        } catch (IOException | java.nio.channels.ClosedSelectorException e) {
            lost.incrementAndGet();
        }
    }

    private void read(SelectionKey key, ByteBuffer buffer, byte[] bytes) throws IOException {
        SocketChannel channel = (SocketChannel) key.channel();
        Listener listener = (Listener) key.attachment();
        buffer.clear();
        int count;
        try {
            count = channel.read(buffer);
        } catch (IOException e) {
            count = -1;
        }
        if (count < 0) {
            lost.incrementAndGet();
            key.cancel();
            channel.close();
            return;
        }
        buffer.flip();
        buffer.get(bytes, 0, count);
        listener.unread.append(new String(bytes, 0, count, StandardCharsets.ISO_8859_1));
        messages(listener);
    }

    private void messages(Listener listener) {
        long now = System.nanoTime();
        int begin = 0;
        for (int end = listener.unread.indexOf("\n\n"); end >= 0; end = listener.unread.indexOf("\n\n", begin)) {
            message(listener, listener.unread.substring(begin, end), now);
            begin = end + 2;
        }
        listener.unread.delete(0, begin);
    }

    private void message(Listener listener, String message, long now) {
        if (!listener.hasSnapshot && message.contains("event: snapshot\n")) {
            listener.hasSnapshot = true;
            ready.incrementAndGet();
        }
        Integer number = message.contains(METRIC) ? count(message) : null;
        if (number != null && number >= firstNumber) {
            heard.incrementAndGet();
            long took = now - firstDueNanos - (number - firstNumber) * intervalNanos;
            synchronized (micros) {
                micros.recordValue(Math.max(0, took / 1_000));
            }
        }
    }

    private static @Nullable Integer count(String message) {
        int begin = message.indexOf(COUNT);
        if (begin < 0) {
            return null;
        }
        begin += COUNT.length();
        int end = begin;
        while (end < message.length() && Character.isDigit(message.charAt(end))) {
            end++;
        }
        return Integer.valueOf(message.substring(begin, end));
    }

    @Override
    public void close() throws IOException {
        for (SelectionKey key : selector.keys()) {
            key.channel().close();
        }
        selector.close();
    }
}
