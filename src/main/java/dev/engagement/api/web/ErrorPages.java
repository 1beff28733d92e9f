package dev.engagement.api.web;

import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.jspecify.annotations.Nullable;

/** What the server itself refuses, as problems: requests that cannot be parsed, and what nobody caught. */
public final class ErrorPages extends ErrorHandler {

    private final Prometheus numbers;

    /** @param numbers are told what was refused */
    public ErrorPages(Prometheus numbers) {
        this.numbers = numbers;
        setShowStacks(false);
    }

    @Override
    public void handle(String target, Request baseRequest, HttpServletRequest request, HttpServletResponse response)
            throws IOException {
        Object reason = request.getAttribute(RequestDispatcher.ERROR_MESSAGE);
        // Of what was thrown nothing is told: it may name whatever it likes.
        boolean isThrown = request.getAttribute(RequestDispatcher.ERROR_EXCEPTION) != null;
        SecurityHeaders.set(response);
        Problems.ofStatus(response.getStatus(), isThrown || reason == null ? null : reason.toString())
                .write(response);
        baseRequest.setHandled(true);
    }

    @Override
    public ByteBuffer badMessageError(int status, @Nullable String reason, HttpFields.Mutable fields) {
        Problem problem = Problems.ofStatus(status, reason);
        numbers.refused(problem.slug());
        fields.put("Content-Type", Problem.MEDIA_TYPE);
        fields.put("X-Content-Type-Options", "nosniff");
        return ByteBuffer.wrap(problem.json());
    }
}
