package dev.engagement.api;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;

/** A connection of somebody who writes bytes as he likes. */
final class RawConnection implements AutoCloseable {

    private static final int GUARD_MILLIS = 300_000;

    private final Socket socket;

    RawConnection(int port) throws IOException {
        socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(GUARD_MILLIS);
    }

    /** Writes a text, whose lines end as HTTP wants it where a line ends here. */
    RawConnection write(String text) throws IOException {
        socket.getOutputStream().write(text.replace("\n", "\r\n").getBytes(StandardCharsets.ISO_8859_1));
        socket.getOutputStream().flush();
        return this;
    }

    /** All that comes until the other side closes. */
    String readToEnd() throws IOException {
        InputStream in = socket.getInputStream();
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] buffer = new byte[8_192];
        int count;
        while ((count = readOrEnd(in, buffer)) >= 0) {
            all.write(buffer, 0, count);
        }
        return all.toString(StandardCharsets.UTF_8);
    }

    /** A reset is an end as well: of a request that it has not read whole the server keeps no polite end. */
    private static int readOrEnd(InputStream in, byte[] buffer) throws IOException {
        try {
            return in.read(buffer);
        } catch (SocketException e) {
            return -1;
        }
    }

    /** The next bytes, as text. */
    String readSome(int count) throws IOException {
        return new String(socket.getInputStream().readNBytes(count), StandardCharsets.UTF_8);
    }

    /** One exchange; the other side is asked to close. */
    static String exchange(int port, String request) throws IOException {
        try (RawConnection connection = new RawConnection(port)) {
            return connection.write(request).readToEnd();
        }
    }

    /** The status of a response. */
    static int status(String response) {
        return response.startsWith("HTTP/1.1 ") ? Integer.parseInt(response.substring(9, 12)) : -1;
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
