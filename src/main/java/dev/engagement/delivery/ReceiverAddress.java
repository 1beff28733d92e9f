package dev.engagement.delivery;

import java.net.InetAddress;
import java.net.UnknownHostException;
import org.apache.hc.client5.http.DnsResolver;

/**
 * The receiver's addresses, as they were when somebody last {@link #refresh looked them up}. The client asks on the thread
 * that posts, which must not wait for a name server.
 */
final class ReceiverAddress implements DnsResolver {

    private final DnsResolver names;
    private final String host;
    private volatile InetAddress[] known = {};
    private volatile String trouble;

    /**
     * @param names looks names up, and may take its time
     * @param host the one that is asked for
     */
    ReceiverAddress(DnsResolver names, String host) {
        this.names = names;
        this.host = host;
        this.trouble = "was not looked up yet";
    }

    /** Looks the name up; may wait for as long as a name server lets it. What was known stays if nobody answers. */
    void refresh() {
        try {
            InetAddress[] found = names.resolve(host);
            if (found == null || found.length == 0) {
                throw new UnknownHostException(host);
            }
            known = found;
        } catch (UnknownHostException e) {
            // Told by each request that has to connect, until somebody knows the name.
            trouble = "is not known to any name server here";
        }
    }

    @Override
    public InetAddress[] resolve(String asked) throws UnknownHostException {
        InetAddress[] addresses = known;
        if (addresses.length == 0) {
            throw new UnknownHostException(host + " " + trouble);
        }
        return addresses;
    }

    @Override
    public String resolveCanonicalHostname(String asked) {
        return asked;
    }
}
