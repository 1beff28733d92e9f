package dev.engagement.liveview;

import dev.engagement.connection.SecretRef;
import java.io.Serializable;
import java.net.URI;

/**
 * Where the live view is.
 *
 * @param url {@code redis://host:port/db} or {@code rediss://…}, without a password
 * @param password the password, read where the connection is made
 * @param keyPrefix put before every key, so that two environments can share a server
 */
public record LiveViewOptions(URI url, SecretRef password, String keyPrefix) implements Serializable {

    private static final long serialVersionUID = 1L;

    public LiveViewOptions {
        String scheme = url.getScheme();
        if (!"redis".equals(scheme) && !"rediss".equals(scheme) || url.getHost() == null) {
            throw new IllegalArgumentException("redis.url is not of the form redis://host:port or rediss://host:port");
        }
        if (url.getUserInfo() != null && url.getUserInfo().contains(":")) {
            throw new IllegalArgumentException(
                    "redis.url contains a password; put it into the environment (ENGAGEMENT_REDIS_PASSWORD) or into a"
                            + " file named by redis.password.secret-file");
        }
    }
}
