package dev.engagement.connection.testing;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** A certificate that vouches for itself, as Java, as Redis and as a client with a trust store want it. */
public final class SelfSigned {

    /** Whom it is for unless somebody says otherwise. */
    public static final String HOST = "localhost";

    private static final char[] PASSWORD = "changeit".toCharArray();
    private static final String ALIAS = "self-signed";

    private final KeyStore keys;
    private final Path directory;

    private SelfSigned(KeyStore keys, Path directory) {
        this.keys = keys;
        this.directory = directory;
    }

    /** Makes one for {@code localhost}, with its files in that folder. */
    public static SelfSigned in(Path directory) throws GeneralSecurityException, IOException, InterruptedException {
        return in(directory, HOST);
    }

    /** Makes one for that host, with its files in that folder. */
    public static SelfSigned in(Path directory, String host)
            throws GeneralSecurityException, IOException, InterruptedException {
        Path store = directory.resolve("server.p12");
        int exit = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "keytool")
                                .toString(),
                        "-genkeypair",
                        "-alias",
                        ALIAS,
                        "-keyalg",
                        "EC",
                        "-dname",
                        "CN=" + host,
                        "-ext",
                        "san=dns:" + host,
                        "-keystore",
                        store.toString(),
                        "-storetype",
                        "PKCS12",
                        "-storepass",
                        new String(PASSWORD))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start()
                .waitFor();
        if (exit != 0) {
            throw new IOException("keytool ended with exit code " + exit);
        }
        return new SelfSigned(KeyStore.getInstance(store.toFile(), PASSWORD), directory);
    }

    /** Of a client that trusts it, and of a server that is it. */
    public SSLContext context() throws GeneralSecurityException, IOException {
        KeyManagerFactory keyManagers = KeyManagerFactory.getInstance("PKIX");
        keyManagers.init(keys, PASSWORD);
        KeyStore certificates = KeyStore.getInstance("PKCS12");
        certificates.load(null, null);
        certificates.setCertificateEntry(ALIAS, keys.getCertificate(ALIAS));
        TrustManagerFactory trustManagers = TrustManagerFactory.getInstance("PKIX");
        trustManagers.init(certificates);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(keyManagers.getKeyManagers(), trustManagers.getTrustManagers(), null);
        return context;
    }

    /** The certificate, as PEM. */
    public Path certificate() throws GeneralSecurityException, IOException {
        return pem("CERTIFICATE", keys.getCertificate(ALIAS).getEncoded());
    }

    /** Its key, as PEM. */
    public Path key() throws GeneralSecurityException, IOException {
        return pem("PRIVATE KEY", keys.getKey(ALIAS, PASSWORD).getEncoded());
    }

    /** A PKCS12 file with the certificate and nothing else. */
    public Path trustStore(String password) throws GeneralSecurityException, IOException {
        KeyStore certificates = KeyStore.getInstance("PKCS12");
        certificates.load(null, null);
        certificates.setCertificateEntry(ALIAS, keys.getCertificate(ALIAS));
        Path file = directory.resolve("trust.p12");
        try (OutputStream out = Files.newOutputStream(file)) {
            certificates.store(out, password.toCharArray());
        }
        return file;
    }

    private Path pem(String what, byte[] encoded) throws IOException {
        String text = "-----BEGIN " + what + "-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(encoded) + "\n-----END " + what
                + "-----\n";
        return Files.writeString(directory.resolve(what.replace(' ', '-') + ".pem"), text);
    }
}
