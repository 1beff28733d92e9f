package dev.engagement.faults;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A network that can go wrong: forwards a port of the loopback interface to another, and on demand cuts, refuses, delays
 * or swallows. Delay is latency and not a limit of throughput: what is on its way is queued, up to some megabytes.
 *
 * <p>The methods may be called from any thread.
 */
final class TcpProxy implements AutoCloseable {

    private static final InetAddress HOST = InetAddress.getLoopbackAddress();
    private static final int CHUNK_BYTES = 64 * 1024;
    private static final int CHUNKS_IN_FLIGHT = 64;
    private static final int CONNECT_TIMEOUT_MILLIS = 5_000;

    private final int port;
    private final int target;
    private final Set<Link> links = ConcurrentHashMap.newKeySet();
    private volatile long delayNanos;
    private volatile boolean swallowing;
    private @Nullable ServerSocket listener;
    private @Nullable Thread accepting;

    private TcpProxy(int port, int target) {
        this.port = port;
        this.target = target;
    }

    /**
     * Starts forwarding.
     *
     * @param port where to listen
     * @param target where to forward to; nothing needs to listen there yet
     */
    static TcpProxy start(int port, int target) {
        TcpProxy proxy = new TcpProxy(port, target);
        proxy.listen();
        return proxy;
    }

    int port() {
        return port;
    }

    /** How many connections there are, swallowed ones included. */
    int connections() {
        return links.size();
    }

    /** Resets every connection; new ones are served as before. */
    void cut() {
        links.forEach(Link::reset);
    }

    /** Refuses new connections, as a host does where nothing listens; those that exist stay. */
    synchronized void refuse() {
        ServerSocket open = listener;
        Thread accepter = accepting;
        listener = null;
        if (open != null && accepter != null) {
            try {
                open.close();
                // Until its thread has let go of it, the port still takes connections.
                accepter.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (IOException e) {
                throw new UncheckedIOException("The proxy's port " + port + " cannot be closed", e);
            }
        }
    }

    /** Holds every byte back for that long, each way, from now on. */
    void delay(Duration eachWay) {
        delayNanos = eachWay.toNanos();
    }

    /** The other side vanishes without a word: connections stay and are accepted, and every byte is swallowed. */
    void swallow() {
        swallowing = true;
    }

    /** Back to plain forwarding. Connections that lost bytes are reset: they cannot go on. */
    synchronized void restore() {
        delayNanos = 0;
        swallowing = false;
        links.stream().filter(link -> link.damaged).forEach(Link::reset);
        if (listener == null) {
            listen();
        }
    }

    @Override
    public void close() {
        refuse();
        cut();
    }

    private synchronized void listen() {
        try {
            ServerSocket open = new ServerSocket();
            open.setReuseAddress(true);
            open.bind(new InetSocketAddress(HOST, port));
            listener = open;
            accepting = daemon("proxy-" + port, () -> accept(open));
        } catch (IOException e) {
            throw new UncheckedIOException("The proxy cannot listen on port " + port + "; is it taken?", e);
        }
    }

    private void accept(ServerSocket open) {
        while (true) {
            Socket client;
            try {
                client = open.accept();
            } catch (IOException closed) {
                return;
            }
            new Link(client).open();
        }
    }

    private static Thread daemon(String name, Runnable task) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    /** Bytes under way; none is the end of the stream. */
    private record Chunk(byte[] bytes, long dueNanos) {}

    /** A client's connection and ours to the target. */
    private final class Link {

        private final Socket client;
        private final Socket server = new Socket();
        private volatile boolean damaged;

        Link(Socket client) {
            this.client = client;
        }

        void open() {
            links.add(this);
            if (swallowing) {
                damaged = true;
                daemon("swallow-" + port, () -> swallow(client));
                return;
            }
            daemon("link-" + port, () -> {
                try {
                    client.setTcpNoDelay(true);
                    server.setTcpNoDelay(true);
                    server.connect(new InetSocketAddress(HOST, target), CONNECT_TIMEOUT_MILLIS);
                } catch (IOException nobodyThere) {
                    reset();
                    return;
                }
                forward(client, server);
                forward(server, client);
            });
        }

        private void forward(Socket from, Socket to) {
            BlockingQueue<Chunk> underWay = new ArrayBlockingQueue<>(CHUNKS_IN_FLIGHT);
            daemon("read-" + port, () -> read(from, underWay));
            daemon("write-" + port, () -> write(underWay, to));
        }

        private void read(Socket from, BlockingQueue<Chunk> underWay) {
            byte[] buffer = new byte[CHUNK_BYTES];
            try {
                while (true) {
                    int read = from.getInputStream().read(buffer);
                    if (swallowing && read > 0) {
                        damaged = true;
                        continue;
                    }
                    underWay.put(new Chunk(Arrays.copyOf(buffer, Math.max(read, 0)), System.nanoTime() + delayNanos));
                    if (read < 0) {
                        return;
                    }
                }
            } catch (IOException | InterruptedException gone) {
                reset();
                // Lets the writer go; if there is no room, it has something to write, and fails at that.
                boolean told = underWay.offer(new Chunk(new byte[0], System.nanoTime()));
                assert told || !underWay.isEmpty();
            }
        }

        private void write(BlockingQueue<Chunk> underWay, Socket to) {
            try {
                for (Chunk chunk = underWay.take(); chunk.bytes.length > 0; chunk = underWay.take()) {
                    for (long rest = chunk.dueNanos - System.nanoTime();
                            rest > 0;
                            rest = chunk.dueNanos - System.nanoTime()) {
                        LockSupport.parkNanos(rest);
                    }
                    to.getOutputStream().write(chunk.bytes);
                }
                close();
            } catch (IOException | InterruptedException gone) {
                reset();
            } finally {
                // Lets the reader go, should it wait for room.
                underWay.clear();
            }
        }

        private void swallow(Socket from) {
            byte[] buffer = new byte[CHUNK_BYTES];
            try {
                int read;
                do {
                    read = from.getInputStream().read(buffer);
                } while (read >= 0);
                close();
            } catch (IOException gone) {
                reset();
            }
        }

        /** Ends both sides abruptly, so that neither takes it for an end in order. */
        private void reset() {
            discardOnClose(client);
            discardOnClose(server);
            close();
        }

        private void close() {
            links.remove(this);
            try (client) {
                server.close();
            } catch (IOException e) {
                throw new UncheckedIOException("A connection of the proxy on port " + port + " cannot be closed", e);
            }
        }

        private static void discardOnClose(Socket socket) {
            try {
                socket.setSoLinger(true, 0);
            } catch (SocketException e) {
                // A connection that was never made, or is closed already: there is nothing to discard.
                assert !socket.isConnected() || socket.isClosed() : e;
            }
        }
    }
}
