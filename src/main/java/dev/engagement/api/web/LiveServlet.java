package dev.engagement.api.web;

import dev.engagement.api.definition.InvalidParameterException;
import dev.engagement.api.definition.Operation;
import dev.engagement.api.definition.Parameters;
import dev.engagement.api.live.LiveFilter;
import jakarta.servlet.AsyncContext;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/**
 * Changes as server-sent events. A servlet of its own, since a client costs no thread here: that is the servlet API's
 * asynchronous output.
 */
public final class LiveServlet extends HttpServlet {

    private static final long serialVersionUID = 1L;

    private static final int MAX_ID_LENGTH = 128;

    private final transient Operation operation;
    private final transient LiveSource source;
    private final transient LiveSeats seats;

    /** @param operation whose parameters it takes */
    public LiveServlet(Operation operation, LiveSource source, LiveSeats seats) {
        this.operation = operation;
        this.source = source;
        this.seats = seats;
    }

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response) throws IOException {
        Gate.answeredBy(request, operation.id());
        Asked asked = asked(operation, Query.parse(request.getQueryString()), request.getHeader("Last-Event-ID"));
        seats.take();
        AtomicBoolean taken = new AtomicBoolean(true);
        Runnable free = () -> {
            if (taken.getAndSet(false)) {
                seats.free();
            }
        };
        boolean begun = false;
        try {
            response.setContentType("text/event-stream");
            response.setCharacterEncoding("utf-8");
            response.setHeader("Cache-Control", "no-store");
            // Of proxies that would keep it back until there is more.
            response.setHeader("X-Accel-Buffering", "no");
            AsyncContext async = request.startAsync();
            async.setTimeout(0);
            ServletOutputStream out = response.getOutputStream();
            EndPoint endPoint = Request.getBaseRequest(request).getHttpChannel().getEndPoint();
            EventStream stream = new EventStream(async, out, endPoint::close, free);
            async.addListener(stream);
            out.setWriteListener(stream);
            begun = true;
            begin(asked, stream);
        } finally {
            if (!begun) {
                free.run();
            }
        }
    }

    private void begin(Asked asked, EventStream stream) {
        try {
            stream.tells(source.join(asked.filter(), asked.lastEventId(), stream));
        } catch (RuntimeException e) {
            // The response is the stream's by now: all that can be said is its end.
            Problem unsaid = Gate.incident(e);
            stream.close(unsaid.detail());
        }
    }

    /** By itself it would be a GET whose body nobody sees, and that never ends. */
    @Override
    protected void doHead(HttpServletRequest request, HttpServletResponse response) {
        Gate.answeredBy(request, operation.id());
        response.setContentType("text/event-stream");
    }

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response) {
        throw Problems.methodNotAllowed("POST", Set.of("GET")).exception();
    }

    /** What a live client wants. */
    record Asked(LiveFilter filter, @Nullable String lastEventId) {}

    /**
     * What the query of a live client says.
     *
     * @param header the id as a browser sends it; null if it does not
     * @throws ProblemException if a parameter would not do
     */
    static Asked asked(Operation operation, Map<String, String> query, @Nullable String header) {
        try {
            Parameters parameters = Parameters.of(operation, query::get, query.keySet());
            String id = header == null ? parameters.textOrNull("last_event_id") : header;
            // Of another hub it is taken for none: the client gets a snapshot.
            boolean isId = id != null && id.length() <= MAX_ID_LENGTH;
            return new Asked(LiveFilter.ofTypes(parameters.textOrNull("types")), isId ? id : null);
        } catch (InvalidParameterException e) {
            throw Problems.invalidParameter(String.valueOf(e.getMessage()), e.wayOut())
                    .exception();
        } catch (IllegalArgumentException e) {
            throw Problems.invalidParameter(String.valueOf(e.getMessage()), "name fewer")
                    .exception();
        }
    }
}
