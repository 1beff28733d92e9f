package dev.engagement.delivery;

import dev.engagement.connection.HostPort;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.hc.client5.http.DnsResolver;
import org.apache.hc.client5.http.SystemDefaultDnsResolver;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpHost;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.message.BasicHeader;
import org.apache.hc.core5.http.message.BasicHttpRequest;
import org.apache.hc.core5.net.URIAuthority;

/**
 * Posts over HTTP/1.1, or HTTP/2 where the receiver offers it. One thread does all the input and output; whoever posts never
 * waits, not even for a name server.
 *
 * <p>It does what it is told, once: no redirects, no retries, no cookies, no proxies, no decompression. Connections are kept
 * and used again, {@code delivery.max-in-flight} of them at most, and each carries one request at a time, with HTTP/2 too:
 * an attempt that is given up costs its own connection and not those of its neighbours.
 *
 * <p>Secrets are read when it is opened, and again every ten seconds; so is the receiver's address. Nothing that this class
 * or the library below logs has headers in it, at whatever level.
 */
final class AsyncHttpSender implements HttpSender {

    /** How long a changed secret or address goes unnoticed. */
    static final Duration LOOK_AGAIN = Duration.ofSeconds(10);

    /** How long opening waits for a name server; requests that come before its answer have none either. */
    private static final Duration TIMEOUT_WITH_NAMES = Duration.ofSeconds(10);

    private static final Header USER_AGENT = new BasicHeader("User-Agent", "engagement-pipeline");

    private final DeliveryOptions options;
    private final ReceiverSecrets credentials;
    private final ReceiverAddress address;
    private final Clock clock;
    private final HttpConnections.Maker maker;
    private final ScheduledExecutorService lookout;
    private final URIAuthority authority;
    private final String path;
    private final int maxBytes;

    private volatile HttpConnections connections;
    private volatile boolean closed;

    private AsyncHttpSender(
            DeliveryOptions options,
            ReceiverSecrets credentials,
            ReceiverAddress address,
            Clock clock,
            HttpConnections.Maker maker,
            ScheduledExecutorService lookout) {
        this.options = options;
        this.credentials = credentials;
        this.address = address;
        this.clock = clock;
        this.maker = maker;
        this.lookout = lookout;
        URI url = options.url();
        this.authority = new URIAuthority(nameOf(url), HostPort.in(url).port());
        this.path = (url.getRawPath().isEmpty() ? "/" : url.getRawPath())
                + (url.getRawQuery() == null ? "" : "?" + url.getRawQuery());
        this.maxBytes = (int) options.maxResponseBytes().getBytes();
        this.connections = maker.make();
    }

    /** Opens posters to that receiver, where they are used. */
    static HttpSender.Factory of(DeliveryOptions options) {
        return () -> open(options, Clock.systemUTC(), SystemDefaultDnsResolver.INSTANCE);
    }

    /**
     * @param clock dates the requests
     * @param names knows the receiver's addresses
     * @throws IllegalStateException if a secret or the trust store cannot be read here
     * @throws IllegalArgumentException if a secret is malformed
     */
    static AsyncHttpSender open(DeliveryOptions options, Clock clock, DnsResolver names) throws InterruptedException {
        ReceiverSecrets credentials = new ReceiverSecrets(options.secrets());
        URI url = options.url();
        ReceiverAddress address = new ReceiverAddress(names, nameOf(url));
        HttpHost receiver = new HttpHost(url.getScheme(), nameOf(url), portOf(options));
        HttpConnections.Maker maker = HttpConnections.to(receiver, options, address);
        ScheduledExecutorService lookout =
                Executors.newSingleThreadScheduledExecutor(task -> daemon(task, "delivery-lookout"));
        AsyncHttpSender sender = new AsyncHttpSender(options, credentials, address, clock, maker, lookout);
        try {
            Future<?> looked = lookout.submit(address::refresh);
            long millis = LOOK_AGAIN.toMillis();
            // Ends with its thread; nothing that it does throws.
            Future<?> unused = lookout.scheduleWithFixedDelay(sender::lookAgain, millis, millis, TimeUnit.MILLISECONDS);
            looked.get(TIMEOUT_WITH_NAMES.toMillis(), TimeUnit.MILLISECONDS);
            return sender;
        } catch (TimeoutException e) {
            // A job starts though its receiver is away, and this is no more than that.
            return sender;
        } catch (InterruptedException e) {
            sender.close();
            throw e;
        } catch (ExecutionException e) {
            sender.close();
            throw new IllegalStateException("The address of " + options.receiver() + " cannot be looked up", e);
        }
    }

    @Override
    public Attempt post(Request request, Consumer<Answer> answered) {
        HttpConnections through = connections();
        HttpExchange exchange =
                new HttpExchange(head(request), request.body(), answered, through, credentials, maxBytes);
        through.send(exchange);
        return exchange::giveUp;
    }

    private HttpRequest head(Request request) {
        BasicHttpRequest head = new BasicHttpRequest("POST", options.url().getScheme(), authority, path);
        head.addHeader(USER_AGENT);
        Header authorization = credentials.authorization();
        if (authorization != null) {
            head.addHeader(authorization);
        }
        String id = request.webhookId();
        String timestamp = Long.toString(clock.millis() / 1_000);
        head.addHeader(new BasicHeader("Idempotency-Key", id));
        head.addHeader(new BasicHeader("webhook-id", id));
        head.addHeader(new BasicHeader("webhook-timestamp", timestamp));
        WebhookSignature signature = credentials.signature();
        if (signature != null) {
            head.addHeader(new BasicHeader("webhook-signature", signature.sign(id, timestamp, request.body())));
        }
        return head;
    }

    /** Those that are there, or new ones if their thread has died of an error, which it would not tell to anybody. */
    private HttpConnections connections() {
        HttpConnections current = connections;
        return current.isAlive() || closed ? current : renewed(current);
    }

    private synchronized HttpConnections renewed(HttpConnections dead) {
        if (connections == dead && !closed) {
            dead.close();
            connections = maker.make();
        }
        return connections;
    }

    /** Reads secrets and address again, now. */
    void lookAgain() {
        credentials.refresh();
        address.refresh();
    }

    /** Connections that are open or being made. */
    int connectionCount() {
        return connections.count();
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        lookout.shutdownNow();
        connections.close();
    }

    /** Without the brackets of an IPv6 address. */
    private static String nameOf(URI url) {
        String host = HostPort.in(url).host();
        return host.startsWith("[") ? host.substring(1, host.length() - 1) : host;
    }

    private static int portOf(DeliveryOptions options) {
        int port = HostPort.in(options.url()).port();
        return port != -1 ? port : options.tls() ? 443 : 80;
    }

    static Thread daemon(Runnable task, String name) {
        Thread thread = new Thread(task, name);
        thread.setDaemon(true);
        return thread;
    }

    /** Whom it posts to, and nothing that nobody may know. */
    @Override
    public String toString() {
        return "AsyncHttpSender[" + options.receiver() + "]";
    }
}
