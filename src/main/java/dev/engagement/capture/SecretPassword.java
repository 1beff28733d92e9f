package dev.engagement.capture;

import dev.engagement.connection.SecretRef;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.util.Base64;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.postgresql.plugin.AuthenticationPlugin;
import org.postgresql.plugin.AuthenticationRequestType;

/**
 * Gives the PostgreSQL driver the password at the moment it connects, so that it stands in no job graph, no
 * configuration and no log, and a rotated one is taken at the next connection. What travels in the connection's
 * properties is the reference ({@link #PROPERTY}).
 */
public final class SecretPassword implements AuthenticationPlugin {

    /** The connection property that carries the reference. */
    static final String PROPERTY = "engagementSecretRef";

    private final Properties connection;

    /** Called by the driver, by name. */
    public SecretPassword(Properties connection) {
        this.connection = connection;
    }

    @Override
    public char @Nullable [] getPassword(AuthenticationRequestType type) {
        String reference = connection.getProperty(PROPERTY);
        String password = reference == null ? null : decode(reference).read();
        return password == null ? null : password.toCharArray();
    }

    /** The connection properties that make the driver take the password from {@code secret}; none if there is none. */
    static Properties properties(SecretRef secret) {
        Properties properties = new Properties();
        if (secret.isPresent()) {
            properties.setProperty("authenticationPluginClassName", SecretPassword.class.getName());
            properties.setProperty(PROPERTY, encode(secret));
        }
        return properties;
    }

    private static String encode(SecretRef secret) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(secret);
        } catch (IOException e) {
            throw new IllegalStateException("The reference " + secret + " cannot be serialized", e);
        }
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes.toByteArray());
    }

    private static SecretRef decode(String reference) {
        try (ObjectInputStream in = new ObjectInputStream(
                new ByteArrayInputStream(Base64.getUrlDecoder().decode(reference)))) {
            return (SecretRef) in.readObject();
        } catch (IOException | ClassNotFoundException e) {
            throw new IllegalStateException("The connection property " + PROPERTY + " is not a secret's reference", e);
        }
    }
}
