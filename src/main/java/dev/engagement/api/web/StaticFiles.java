package dev.engagement.api.web;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Files of the class path below one folder, read once and kept, compressed as well. A name that is not a plain relative
 * path of a known kind of file is none, whatever lies there. Thread-safe.
 */
public final class StaticFiles {

    /** One file. */
    private record Content(byte[] bytes, byte @Nullable [] compressed, String mediaType, String etag) {}

    private static final Pattern NAME =
            Pattern.compile("(?:[A-Za-z0-9_-][A-Za-z0-9._-]*/){0,8}[A-Za-z0-9_-][A-Za-z0-9._-]*\\.([a-z0-9]{2,11})");

    private static final Map<String, String> MEDIA_TYPES = Map.ofEntries(
            Map.entry("css", "text/css; charset=utf-8"),
            Map.entry("html", "text/html; charset=utf-8"),
            Map.entry("ico", "image/x-icon"),
            Map.entry("js", "text/javascript; charset=utf-8"),
            Map.entry("json", "application/json"),
            Map.entry("mjs", "text/javascript; charset=utf-8"),
            Map.entry("png", "image/png"),
            Map.entry("svg", "image/svg+xml"),
            Map.entry("txt", "text/plain; charset=utf-8"),
            Map.entry("webmanifest", "application/manifest+json"),
            Map.entry("woff2", "font/woff2"));

    private static final int ETAG_BYTES = 16;

    private final String folder;
    private final Map<String, Content> contents = new ConcurrentHashMap<>();

    /** @param folder of the class path, without slashes at its ends */
    public StaticFiles(String folder) {
        this.folder = folder;
    }

    /**
     * Answers with a file.
     *
     * @param name below the folder
     * @throws ProblemException if there is no such file
     */
    public void serve(String name, HttpServletRequest request, HttpServletResponse response) throws IOException {
        Content content = content(name);
        if (content == null) {
            throw Problems.notFound("There is no file of that name", "see the page at /")
                    .exception();
        }
        // Asked again each time, and answered in a line if nothing has changed: a new build shows at once.
        response.setHeader("Cache-Control", "no-cache");
        response.setHeader("ETag", content.etag());
        response.setHeader("Vary", "Accept-Encoding");
        response.setContentType(content.mediaType());
        String known = request.getHeader("If-None-Match");
        if (known != null && known.contains(content.etag())) {
            response.setStatus(HttpServletResponse.SC_NOT_MODIFIED);
            return;
        }
        byte[] bytes = content.bytes();
        byte[] compressed = content.compressed();
        if (compressed != null && accepts(request.getHeader("Accept-Encoding"))) {
            bytes = compressed;
            response.setHeader("Content-Encoding", "gzip");
        }
        response.setContentLength(bytes.length);
        if (!request.getMethod().equals("HEAD")) {
            response.getOutputStream().write(bytes);
        }
    }

    /** Whether there is such a file. */
    public boolean has(String name) {
        return content(name) != null;
    }

    private static boolean accepts(@Nullable String encodings) {
        return encodings != null && encodings.matches(".*\\bgzip\\b(?!\\s*;\\s*q=0(\\.0*)?\\s*(,|$)).*");
    }

    private @Nullable Content content(String name) {
        Content known = contents.get(name);
        if (known != null) {
            return known;
        }
        var matcher = NAME.matcher(name);
        String mediaType = matcher.matches() ? MEDIA_TYPES.get(matcher.group(1)) : null;
        if (mediaType == null) {
            return null;
        }
        try (InputStream in = StaticFiles.class.getClassLoader().getResourceAsStream(folder + "/" + name)) {
            if (in == null) {
                return null;
            }
            byte[] bytes = in.readAllBytes();
            Content content = new Content(bytes, compressed(bytes, mediaType), mediaType, etag(bytes));
            // As many as there are files: what is not there is not kept.
            contents.put(name, content);
            return content;
        } catch (IOException e) {
            throw new IllegalStateException("The resource " + folder + "/" + name + " cannot be read", e);
        }
    }

    private static byte @Nullable [] compressed(byte[] bytes, String mediaType) throws IOException {
        if ((mediaType.startsWith("image/") && !mediaType.contains("svg")) || mediaType.startsWith("font/")) {
            return null;
        }
        ByteArrayOutputStream compressed = new ByteArrayOutputStream(bytes.length / 2 + 64);
        try (OutputStream out = new GZIPOutputStream(compressed)) {
            out.write(bytes);
        }
        return compressed.size() < bytes.length ? compressed.toByteArray() : null;
    }

    private static String etag(byte[] bytes) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
            return "\"" + HexFormat.of().formatHex(digest, 0, ETAG_BYTES) + "\"";
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("This Java has no SHA-256, which every Java has", e);
        }
    }
}
