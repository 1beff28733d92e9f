package dev.engagement.local;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.SocketException;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;

/**
 * TCP ports of this machine's loopback interface. Each is given to one JVM, once: between the look and the server's own
 * bind nobody else who asks here is given it, whatever checkout or user he is of.
 */
public final class Ports {

    /** Below the range from which outgoing connections take theirs, so that none of them takes a port just found free. */
    private static final int FIRST = 20_000;

    private static final int LAST = 31_999;
    private static final int ATTEMPTS = 200;

    /** Bound to the UDP port of the same number, which no server here uses, until this JVM ends. */
    private static final Queue<DatagramSocket> GIVEN = new ConcurrentLinkedQueue<>();

    private Ports() {}

    /** The given port, or a free one if it is 0. */
    static int orFree(int port) {
        return port == 0 ? free() : port;
    }

    /** A port that nothing listened on a moment ago, and that nobody was given. */
    public static int free() {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(FIRST, LAST + 1);
            if (isFree(port) && take(port)) {
                return port;
            }
        }
        throw new ServerException("No free port found between " + FIRST + " and " + LAST + " in " + ATTEMPTS
                + " attempts; stop some of the servers of this machine");
    }

    /** The preferred port if nothing listens on it and nobody was given it, else a free one. */
    static int preferred(int port) {
        return isFree(port) && take(port) ? port : free();
    }

    private static boolean take(int port) {
        try {
            GIVEN.add(new DatagramSocket(new InetSocketAddress(InetAddress.getLoopbackAddress(), port)));
            return true;
        } catch (SocketException given) {
            return false;
        }
    }

    /** Whether the port can be listened on, on the loopback interface and, for strangers that listen on all, there too. */
    static boolean isFree(int port) {
        return canBind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                && canBind(new InetSocketAddress(port));
    }

    private static boolean canBind(InetSocketAddress address) {
        try (ServerSocket socket = new ServerSocket()) {
            // As the servers do: a port whose old connections linger in TIME_WAIT is free.
            socket.setReuseAddress(true);
            socket.bind(address);
            return true;
        } catch (IOException taken) {
            return false;
        }
    }
}
