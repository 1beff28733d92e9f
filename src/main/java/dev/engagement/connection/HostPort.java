package dev.engagement.connection;

import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The server that a URL names.
 *
 * <p>{@link URI} finds neither host nor port nor user in a URL whose host has an underscore, as names of containers do in
 * Compose and Swarm: so whoever wants to know them asks here.
 *
 * @param host as it is written, an IPv6 address in brackets
 * @param port -1 if there is none
 * @param rawUserInfo what stands before the {@code @}, not decoded; null if there is none
 */
public record HostPort(String host, int port, @Nullable String rawUserInfo) {

    /** Letters of any case, digits, and what joins them; an underscore anywhere. */
    private static final Pattern AUTHORITY =
            Pattern.compile("(?:([^@]*)@)?([A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_.])?)(?::([0-9]{0,5}))?");

    private static final int LARGEST_PORT = 65_535;

    /** The server of a URL, or null if it names none. */
    public static @Nullable HostPort of(URI url) {
        String host = url.getHost();
        if (host != null) {
            return new HostPort(host, url.getPort(), url.getRawUserInfo());
        }
        String authority = url.getRawAuthority();
        Matcher parts = authority == null ? null : AUTHORITY.matcher(authority);
        if (parts == null || !parts.matches()) {
            return null;
        }
        String digits = parts.group(3);
        int port = digits == null || digits.isEmpty() ? -1 : Integer.parseInt(digits);
        return port > LARGEST_PORT ? null : new HostPort(parts.group(2), port, parts.group(1));
    }

    /**
     * The server of a URL that was checked to name one.
     *
     * @throws IllegalArgumentException if it does not
     */
    public static HostPort in(URI url) {
        HostPort found = of(url);
        if (found == null) {
            throw new IllegalArgumentException("A " + url.getScheme() + ":// url names no host");
        }
        return found;
    }

    /** What stands before the {@code @} of a URL, decoded; null if there is none. */
    public static @Nullable String userInfo(URI url) {
        HostPort server = of(url);
        if (server == null || server.rawUserInfo() == null) {
            return null;
        }
        // Decoded by the one who knows how, in a URL that it can read.
        return URI.create("x://" + server.rawUserInfo() + "@x").getUserInfo();
    }

    /**
     * Refuses what can be reached by TLS only without knowing who answers.
     *
     * @param option that the URL is the value of, for the message
     * @throws IllegalArgumentException if the host has an underscore
     */
    public static void checkCertifiable(String option, URI url) {
        if (url.getHost() == null) {
            throw new IllegalArgumentException(option + " is " + url.getScheme() + ":// to " + in(url).host()
                    + ", and Java checks no certificate of a host with an underscore; give it a name without one");
        }
    }

    /** The same URL with that port. */
    public static URI withPort(URI url, int port) {
        HostPort server = in(url);
        return with(url, server.host(), port);
    }

    /**
     * The URL as Java's HTTP client and gRPC take it, which refuse a host with an underscore: of such a one, and no other,
     * the address stands in the place of the name. Asks a name server, so not for the task thread, and anew for each
     * connection, as an address changes.
     *
     * @throws UnknownHostException if nobody knows the name
     */
    public static URI reachable(URI url) throws UnknownHostException {
        return reachable(url, InetAddress::getByName);
    }

    /** Knows the addresses of hosts. */
    @FunctionalInterface
    interface Names {
        InetAddress addressOf(String host) throws UnknownHostException;
    }

    static URI reachable(URI url, Names names) throws UnknownHostException {
        if (url.getHost() != null) {
            return url;
        }
        HostPort server = in(url);
        String address = names.addressOf(server.host()).getHostAddress();
        return with(url, address.contains(":") ? "[" + address + "]" : address, server.port());
    }

    private static URI with(URI url, String host, int port) {
        HostPort server = in(url);
        return URI.create(url.getScheme() + "://"
                + (server.rawUserInfo() == null ? "" : server.rawUserInfo() + "@")
                + host
                + (port < 0 ? "" : ":" + port)
                + url.getRawPath()
                + (url.getRawQuery() == null ? "" : "?" + url.getRawQuery()));
    }
}
