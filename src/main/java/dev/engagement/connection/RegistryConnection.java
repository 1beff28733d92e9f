package dev.engagement.connection;

import java.io.Serializable;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * How to reach a schema registry with Confluent's routes. {@code https} is checked against the JVM's own trust store.
 *
 * @param url what stands before {@code /schemas/ids/}, without a slash at its end
 * @param username user of basic authentication, on Confluent Cloud the API key; null without authentication
 * @param password that user's password, on Confluent Cloud the API secret
 */
public record RegistryConnection(URI url, @Nullable String username, SecretRef password) implements Serializable {

    private static final long serialVersionUID = 1L;

    public RegistryConnection {
        if ((username == null) == password.isPresent()) {
            throw new IllegalArgumentException(
                    username == null
                            ? "registry.password is given without registry.username; the registry takes both or neither"
                            : "registry.username is '" + username + "' and there is no password; give it by the"
                                    + " environment variable ENGAGEMENT_REGISTRY_PASSWORD or a file named by"
                                    + " registry.password.secret-file");
        }
    }
}
