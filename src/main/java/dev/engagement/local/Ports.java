package dev.engagement.local;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/** TCP ports of this machine's loopback interface. */
public final class Ports {

    /** Below the range from which outgoing connections take theirs, so that none of them takes a port just found free. */
    private static final int FIRST = 20_000;

    private static final int LAST = 31_999;
    private static final int ATTEMPTS = 200;

    private Ports() {}

    /** The given port, or a free one if it is 0. */
    static int orFree(int port) {
        return port == 0 ? free() : port;
    }

    /** A port that nothing listened on a moment ago. */
    public static int free() {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(FIRST, LAST + 1);
            if (isFree(port)) {
                return port;
            }
        }
        throw new ServerException("No free port found between " + FIRST + " and " + LAST + " in " + ATTEMPTS
                + " attempts; stop some of the servers of this machine");
    }

    /** The preferred port if nothing listens on it, else a free one. */
    static int preferred(int port) {
        return isFree(port) ? port : free();
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
