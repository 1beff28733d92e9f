package dev.engagement.delivery;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import javax.net.ssl.SSLContext;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.Message;
import org.apache.hc.core5.http.URIScheme;
import org.apache.hc.core5.http.impl.bootstrap.HttpAsyncServer;
import org.apache.hc.core5.http.message.BasicHeader;
import org.apache.hc.core5.http.nio.AsyncRequestConsumer;
import org.apache.hc.core5.http.nio.AsyncServerRequestHandler;
import org.apache.hc.core5.http.nio.entity.BasicAsyncEntityConsumer;
import org.apache.hc.core5.http.nio.support.AsyncResponseBuilder;
import org.apache.hc.core5.http.nio.support.BasicRequestConsumer;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.http.protocol.HttpCoreContext;
import org.apache.hc.core5.http2.HttpVersionPolicy;
import org.apache.hc.core5.http2.impl.nio.bootstrap.H2ServerBootstrap;
import org.apache.hc.core5.http2.ssl.H2ServerTlsStrategy;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.reactor.IOReactorConfig;
import org.apache.hc.core5.reactor.ListenerEndpoint;
import org.jspecify.annotations.Nullable;

/** A receiver that records what it gets and answers what the path asks for; over TLS it offers HTTP/2. */
final class TestReceiver implements AutoCloseable {

    /** What came in one request. */
    record Got(String protocol, String connection, String path, List<Header> headers, byte[] body) {

        String header(String name) {
            List<Header> found = headers.stream()
                    .filter(header -> header.getName().equalsIgnoreCase(name))
                    .toList();
            return found.size() == 1 ? found.get(0).getValue() : found.size() + " of it";
        }
    }

    private final HttpAsyncServer server;
    private final URI url;
    private final Queue<Got> got;
    private final Queue<Header> more;

    private TestReceiver(HttpAsyncServer server, URI url, Queue<Got> got, Queue<Header> more) {
        this.server = server;
        this.url = url;
        this.got = got;
        this.more = more;
    }

    /** @param tls null for plain HTTP/1.1 */
    static TestReceiver start(@Nullable SSLContext tls, HttpVersionPolicy versions)
            throws InterruptedException, ExecutionException {
        Queue<Got> got = new ConcurrentLinkedQueue<>();
        Queue<Header> more = new ConcurrentLinkedQueue<>();
        H2ServerBootstrap bootstrap = H2ServerBootstrap.bootstrap()
                .setIOReactorConfig(IOReactorConfig.custom()
                        .setIoThreadCount(1)
                        .setTcpNoDelay(true)
                        .build())
                .setCanonicalHostName("localhost")
                .setVersionPolicy(versions)
                .register("*", new Handler(got, more));
        if (tls != null) {
            bootstrap.setTlsStrategy(new H2ServerTlsStrategy(tls));
        }
        HttpAsyncServer server = bootstrap.create();
        server.start();
        URIScheme scheme = tls == null ? URIScheme.HTTP : URIScheme.HTTPS;
        // What it offers to TLS has to be said a second time.
        ListenerEndpoint endpoint = server.listen(new InetSocketAddress("localhost", 0), scheme, versions, null)
                .get();
        int port = ((InetSocketAddress) endpoint.getAddress()).getPort();
        return new TestReceiver(server, URI.create(scheme.id + "://localhost:" + port + "/"), got, more);
    }

    URI url(String path) {
        return url.resolve(path);
    }

    /** From now on, with every answer. */
    void sendsHeader(String name, String value) {
        more.add(new BasicHeader(name, value));
    }

    Queue<Got> got() {
        return got;
    }

    @Override
    public void close() {
        server.close(CloseMode.IMMEDIATE);
    }

    /** {@code /STATUS} answers with that status and a short body; its query is sent back as the body. */
    private record Handler(Queue<Got> got, Queue<Header> more)
            implements AsyncServerRequestHandler<Message<HttpRequest, byte[]>> {

        @Override
        public AsyncRequestConsumer<Message<HttpRequest, byte[]>> prepare(
                HttpRequest request, EntityDetails entity, HttpContext context) {
            return new BasicRequestConsumer<>(entity == null ? null : new BasicAsyncEntityConsumer());
        }

        @Override
        public void handle(Message<HttpRequest, byte[]> message, ResponseTrigger trigger, HttpContext context)
                throws HttpException, IOException {
            HttpRequest request = message.getHead();
            HttpCoreContext core = HttpCoreContext.cast(context);
            got.add(new Got(
                    core.getProtocolVersion().toString(),
                    String.valueOf(core.getEndpointDetails().getRemoteAddress()),
                    request.getPath(),
                    List.of(request.getHeaders()),
                    message.getBody()));
            String path = request.getPath();
            int query = path.indexOf('?');
            int status = Integer.parseInt(path.substring(1, query < 0 ? path.length() : query));
            AsyncResponseBuilder response = AsyncResponseBuilder.create(status)
                    .addHeader("Location", "/200")
                    .addHeader("Retry-After", "7")
                    .addHeader("Set-Cookie", "a=b");
            more.forEach(response::addHeader);
            if (status != 204 && status != 304) {
                response.setEntity(query < 0 ? "{}" : path.substring(query + 1), ContentType.APPLICATION_JSON);
            }
            trigger.submitResponse(response.build(), context);
        }
    }
}
