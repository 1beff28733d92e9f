package dev.engagement.api;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.api.definition.ApiDefinition;
import dev.engagement.api.definition.Operation;
import dev.engagement.api.definition.Parameters;
import dev.engagement.api.live.LiveClient;
import dev.engagement.api.live.LiveFilter;
import dev.engagement.api.live.LiveMessage;
import dev.engagement.api.live.LiveSink;
import dev.engagement.api.read.Answer;
import dev.engagement.api.read.Health;
import dev.engagement.api.read.NotFoundException;
import dev.engagement.api.read.Read;
import dev.engagement.api.read.UnavailableException;
import dev.engagement.api.track.TrackAnswer;
import dev.engagement.api.web.TokenRefs;
import dev.engagement.api.web.WebOptions;
import dev.engagement.connection.SecretRef;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** A server on a free port whose parts answer as they are told, and keep what they were asked. */
final class ScriptedApi implements AutoCloseable {

    /** So generous that nothing is refused by them. */
    static final WebOptions.Limits LIMITS = new WebOptions.Limits(
            100_000, 100_000, 500, 50, 16, 8_192, 65_536, Duration.ofMinutes(5), Duration.ofMinutes(5));

    static final String TOKEN = "a-token-for-everything-0123456789";

    /** One who is told changes. */
    record Joined(LiveFilter filter, @Nullable String lastEventId, LiveSink sink) {}

    /** What a read was asked: the operation, and each of its parameters. */
    final Queue<String> asked = new ConcurrentLinkedQueue<>();

    /** What was sent. */
    final Queue<String> tracked = new ConcurrentLinkedQueue<>();

    final LinkedBlockingQueue<Joined> joined = new LinkedBlockingQueue<>();
    final LinkedBlockingQueue<LiveSink> left = new LinkedBlockingQueue<>();

    private final Queue<LiveSink> sinks = new ConcurrentLinkedQueue<>();

    /** How often the stores were asked whether they answer. */
    final AtomicInteger healthAsked = new AtomicInteger();

    /** What a store takes until this is complete; null if it takes no time. */
    volatile @Nullable CompletableFuture<Void> slow;

    /** Requests that a store has had. */
    final AtomicInteger begun = new AtomicInteger();

    volatile Health health = new Health(true, true, null);
    volatile int maxAgeSeconds;
    volatile @Nullable RuntimeException failure;
    volatile @Nullable UnavailableException away;
    volatile @Nullable NotFoundException missing;

    private final ApiServer server;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();

    private ScriptedApi(WebOptions options, LongSupplier nanos) {
        Map<String, Read> reads = new HashMap<>();
        for (Operation operation : ApiDefinition.get().reads()) {
            reads.put(operation.id(), parameters -> read(operation, parameters));
        }
        ApiParts parts = new ApiParts(ApiDefinition.get(), reads, this::health, this::join, this::track, List.of());
        server = ApiServer.start(options, parts, nanos);
    }

    /** Without tokens. */
    static ScriptedApi open() {
        return with(TokenRefs.none(), LIMITS);
    }

    static ScriptedApi with(TokenRefs tokens, WebOptions.Limits limits) {
        return with(new WebOptions("127.0.0.1", 0, tokens, Set.of(), Set.of(), limits), System::nanoTime);
    }

    static ScriptedApi with(WebOptions options, LongSupplier nanos) {
        return new ScriptedApi(options, nanos);
    }

    /** One token for everything. */
    static TokenRefs token(Path folder) throws IOException {
        return new TokenRefs(in(folder, TOKEN), SecretRef.none(), SecretRef.none(), SecretRef.none());
    }

    static SecretRef in(Path folder, String token) throws IOException {
        Path file = folder.resolve(Integer.toHexString(token.hashCode()));
        Files.writeString(file, token);
        return SecretRef.inFile("api.token", file.toString());
    }

    private Answer read(Operation operation, Parameters parameters) throws NotFoundException, UnavailableException {
        StringBuilder values = new StringBuilder(operation.id());
        operation.parameters().forEach(parameter -> values.append(' ')
                .append(parameter.name())
                .append('=')
                .append(parameters.textOrNull(parameter.name())));
        asked.add(values.toString());
        takeTime();
        throwScripted();
        ObjectNode body = JsonNodeFactory.instance
                .objectNode()
                .put("title", "<script>alert('x')</script>")
                .put("as_of", "2026-01-08T09:00:00Z")
                .put("exact", true);
        body.putNull("window");
        return new Answer(body, maxAgeSeconds);
    }

    private Health health() {
        healthAsked.incrementAndGet();
        takeTime();
        return health;
    }

    private void takeTime() {
        begun.incrementAndGet();
        CompletableFuture<Void> until = slow;
        if (until != null) {
            until.join();
        }
    }

    private void throwScripted() throws NotFoundException, UnavailableException {
        RuntimeException broken = failure;
        UnavailableException store = away;
        NotFoundException nothing = missing;
        if (broken != null) {
            throw broken;
        }
        if (store != null) {
            throw store;
        }
        if (nothing != null) {
            throw nothing;
        }
    }

    private TrackAnswer track(byte[] body, String contentType, @Nullable String key) throws UnavailableException {
        UnavailableException store = away;
        if (store != null) {
            throw store;
        }
        takeTime();
        tracked.add(contentType + " " + key + " " + new String(body, StandardCharsets.UTF_8));
        return new TrackAnswer(List.of((long) tracked.size()), false);
    }

    private LiveClient join(LiveFilter filter, @Nullable String lastEventId, LiveSink sink) {
        sinks.add(sink);
        joined.add(new Joined(filter, lastEventId, sink));
        var unused = sink.send(new LiveMessage("s-1", LiveMessage.SNAPSHOT, "{\"windows\":[]}"));
        return () -> left.add(sink);
    }

    int port() {
        return server.port();
    }

    URI uri(String path) {
        return URI.create("http://127.0.0.1:" + port() + path);
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(uri(path)).timeout(Duration.ofMinutes(5));
    }

    HttpResponse<String> get(String path, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = request(path);
        return send(headers.length == 0 ? request : request.headers(headers));
    }

    HttpResponse<String> post(String path, String body, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = request(path).POST(HttpRequest.BodyPublishers.ofString(body));
        return send(headers.length == 0 ? request : request.headers(headers));
    }

    HttpResponse<String> send(HttpRequest.Builder request) throws IOException, InterruptedException {
        return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    /** One of which nobody waits for the end. */
    CompletableFuture<HttpResponse<String>> sending(HttpRequest.Builder request) {
        return http.sendAsync(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    HttpClient http() {
        return http;
    }

    @Override
    public void close() {
        // As the hub does, which ends before the server: that would wait for them.
        sinks.forEach(sink -> sink.close("The end"));
        server.close();
    }
}
