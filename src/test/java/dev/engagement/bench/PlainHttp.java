package dev.engagement.bench;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.function.IntFunction;

/**
 * One connection that stays open, and requests one after the other on it. It reads no more of an answer than it has to:
 * what a client costs is taken from the same cores that the server has.
 */
final class PlainHttp implements ClosedLoop.Client {

    private static final String LENGTH = "content-length:";
    private static final String CHUNKED = "transfer-encoding: chunked";
    private static final int HEX = 16;

    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;
    private final IntFunction<byte[]> requests;
    private final int status;
    private final byte[] line = new byte[8_192];
    private int asked;

    /**
     * Connects.
     *
     * @param requests the bytes of each, by its number
     * @param status that every answer must have
     */
    PlainHttp(int port, IntFunction<byte[]> requests, int status) {
        this.requests = requests;
        this.status = status;
        try {
            socket = new Socket(InetAddress.getLoopbackAddress(), port);
            socket.setTcpNoDelay(true);
            in = new BufferedInputStream(socket.getInputStream(), 65_536);
            out = socket.getOutputStream();
        } catch (IOException e) {
            throw new UncheckedIOException("The API does not take a connection", e);
        }
    }

    /** The bytes of a GET. */
    static byte[] get(String path) {
        return ("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
    }

    /** The bytes of a POST to {@code /track}. */
    static byte[] track(String mediaType, String key, String body) {
        return ("POST /track HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: " + mediaType + "\r\nIdempotency-Key: " + key
                        + "\r\nContent-Length: " + body.length() + "\r\n\r\n" + body)
                .getBytes(StandardCharsets.US_ASCII);
    }

    @Override
    public void ask() throws IOException {
        out.write(requests.apply(asked++));
        out.flush();
        String first = line();
        int length = 0;
        boolean isChunked = false;
        for (String header = line(); !header.isEmpty(); header = line()) {
            if (header.regionMatches(true, 0, LENGTH, 0, LENGTH.length())) {
                length = Integer.parseInt(header.substring(LENGTH.length()).trim());
            }
            isChunked |= header.equalsIgnoreCase(CHUNKED);
        }
        if (Integer.parseInt(first.substring(9, 12)) != status) {
            throw new IOException(first + ": " + new String(in.readNBytes(length), StandardCharsets.UTF_8));
        }
        if (isChunked) {
            skipChunks();
        } else {
            in.skipNBytes(length);
        }
    }

    private void skipChunks() throws IOException {
        int length;
        do {
            length = Integer.parseInt(line(), HEX);
            // And the line's end behind it.
            in.skipNBytes(length + 2L);
        } while (length > 0);
    }

    private String line() throws IOException {
        int length = 0;
        while (true) {
            int c = in.read();
            if (c < 0) {
                throw new EOFException("The API has closed the connection");
            }
            if (c == '\n') {
                return new String(line, 0, length - 1, StandardCharsets.ISO_8859_1);
            }
            line[length++] = (byte) c;
        }
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
