package dev.engagement.delivery;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** Which certificates are believed. */
final class TrustStores {
    private TrustStores() {}

    private static final String PEM = "-----BEGIN";

    /**
     * For a client that trusts Java's own certificates, or those of {@code delivery.trust-store} in their place.
     *
     * @throws IllegalStateException if the file or its password cannot be read here; the message names options and path
     */
    static SSLContext context(DeliveryOptions.Security security) {
        String path = security.trustStore();
        try {
            TrustManagerFactory managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            managers.init(
                    path == null
                            ? null
                            : certificates(path, security.trustStorePassword().read()));
            SSLContext context = SSLContext.getInstance("TLS");
            context.init(null, managers.getTrustManagers(), null);
            return context;
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException(
                    "delivery.trust-store is " + path + ", which cannot be read on this machine ("
                            + e.getClass().getSimpleName() + ": " + e.getMessage()
                            + "); it must be a PKCS12, JKS or PEM file with certificates, and its password, if it has one,"
                            + " delivery.trust-store-password",
                    e);
        }
    }

    private static KeyStore certificates(String path, @Nullable String password)
            throws IOException, GeneralSecurityException {
        Path file = Path.of(path);
        KeyStore store = isPem(file)
                ? ofPem(file)
                : KeyStore.getInstance(file.toFile(), password == null ? null : password.toCharArray());
        if (store.size() == 0) {
            // Without its password a PKCS12 file looks empty, and nobody at all would be trusted.
            throw new KeyStoreEmptyException();
        }
        return store;
    }

    private static boolean isPem(Path file) throws IOException {
        byte[] beginning = new byte[1_024];
        try (InputStream in = Files.newInputStream(file)) {
            int read = in.readNBytes(beginning, 0, beginning.length);
            return new String(beginning, 0, read, StandardCharsets.ISO_8859_1).contains(PEM);
        }
    }

    private static KeyStore ofPem(Path file) throws IOException, GeneralSecurityException {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file))) {
            int number = 0;
            for (Certificate certificate :
                    CertificateFactory.getInstance("X.509").generateCertificates(in)) {
                store.setCertificateEntry(Integer.toString(number++), certificate);
            }
        }
        return store;
    }

    private static final class KeyStoreEmptyException extends GeneralSecurityException {
        private static final long serialVersionUID = 1L;

        KeyStoreEmptyException() {
            super("it holds no certificate, or not without its password");
        }
    }
}
