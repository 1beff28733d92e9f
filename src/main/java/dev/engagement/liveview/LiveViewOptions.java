package dev.engagement.liveview;

import dev.engagement.connection.HostPort;
import dev.engagement.connection.SecretRef;
import java.io.Serializable;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * Where the live view is.
 *
 * @param url {@code redis://host:port/db} or {@code rediss://…}, without a password; of a Redis Cluster any node, and no
 *     database
 * @param password the password, read where the connection is made
 * @param keyPrefix put before every key, so that two environments can share a server
 */
public record LiveViewOptions(URI url, SecretRef password, String keyPrefix) implements Serializable {

    private static final long serialVersionUID = 1L;
    private static final int DEFAULT_PORT = 6379;

    public LiveViewOptions {
        String scheme = url.getScheme();
        if (!"redis".equals(scheme) && !"rediss".equals(scheme) || HostPort.of(url) == null) {
            throw new IllegalArgumentException("redis.url is not of the form redis://host:port or rediss://host:port");
        }
        if ("rediss".equals(scheme)) {
            HostPort.checkCertifiable("redis.url", url);
        }
        String user = HostPort.userInfo(url);
        if (user != null && user.contains(":")) {
            throw new IllegalArgumentException(
                    "redis.url contains a password; put it into the environment (ENGAGEMENT_REDIS_PASSWORD) or into a"
                            + " file named by redis.password.secret-file");
        }
        if (user != null && !user.isEmpty() && !password.isPresent()) {
            // Without a password there is no login, and whoever is not logged in is the user named default.
            throw new IllegalArgumentException("redis.url names the user " + user
                    + ", and there is no redis.password: put it into the environment (ENGAGEMENT_REDIS_PASSWORD) or"
                    + " into a file named by redis.password.secret-file, or leave the user off");
        }
        databaseOf(url);
        new LiveViewKeys(keyPrefix);
    }

    /** The host that the url names. */
    public String host() {
        return HostPort.in(url).host();
    }

    /** The user that the url names, or null. */
    public @Nullable String user() {
        return HostPort.userInfo(url);
    }

    /** Redis' usual port if the url has none. */
    public int port() {
        int port = HostPort.in(url).port();
        return port == -1 ? DEFAULT_PORT : port;
    }

    /** The number that the url's path gives; 0 if it gives none. */
    public int database() {
        return databaseOf(url);
    }

    /** Whether the connection is encrypted. */
    public boolean tls() {
        return "rediss".equals(url.getScheme());
    }

    /** {@code host:port/database}, for messages; neither user nor password. */
    public String server() {
        return host() + ":" + port() + "/" + database();
    }

    private static int databaseOf(URI url) {
        String path = url.getPath();
        if (path == null || path.isEmpty() || path.equals("/")) {
            return 0;
        }
        if (!path.matches("/\\d{1,5}")) {
            throw new IllegalArgumentException(
                    "redis.url ends with " + path + "; a database is a number, as in redis://host:6379/3");
        }
        return Integer.parseInt(path.substring(1));
    }
}
