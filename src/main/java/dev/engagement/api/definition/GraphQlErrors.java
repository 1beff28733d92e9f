package dev.engagement.api.definition;

import dev.engagement.api.read.NotFoundException;
import dev.engagement.api.read.UnavailableException;
import graphql.ErrorClassification;
import graphql.GraphqlErrorBuilder;
import graphql.execution.DataFetcherExceptionHandler;
import graphql.execution.DataFetcherExceptionHandlerParameters;
import graphql.execution.DataFetcherExceptionHandlerResult;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a read that fails says in GraphQL. What nobody foresaw goes to the log with its stack trace, and to the outside
 * with the place alone.
 */
final class GraphQlErrors implements DataFetcherExceptionHandler {

    private static final Logger LOG = LoggerFactory.getLogger(GraphQlErrors.class);

    private static final ErrorClassification INVALID = ErrorClassification.errorClassification("InvalidParameter");
    private static final ErrorClassification NOT_FOUND = ErrorClassification.errorClassification("NotFound");
    private static final ErrorClassification UNAVAILABLE = ErrorClassification.errorClassification("Unavailable");
    private static final ErrorClassification INTERNAL = ErrorClassification.errorClassification("Internal");

    @Override
    public CompletableFuture<DataFetcherExceptionHandlerResult> handleException(
            DataFetcherExceptionHandlerParameters handlerParameters) {
        Throwable exception = handlerParameters.getException();
        GraphqlErrorBuilder<?> error = GraphqlErrorBuilder.newError()
                .path(handlerParameters.getPath())
                .location(handlerParameters.getSourceLocation());
        if (exception instanceof InvalidParameterException invalid) {
            error.message(invalid.getMessage()).errorType(INVALID);
        } else if (exception instanceof NotFoundException) {
            error.message(exception.getMessage()).errorType(NOT_FOUND);
        } else if (exception instanceof UnavailableException unavailable) {
            long seconds = Math.max(1, unavailable.retryAfter().toSeconds());
            error.message(unavailable.saying() + "; ask again in " + seconds + " s")
                    .errorType(UNAVAILABLE);
        } else {
            LOG.error("Read {} failed", handlerParameters.getPath(), exception);
            error.message("The read failed; the API's log says why").errorType(INTERNAL);
        }
        return CompletableFuture.completedFuture(DataFetcherExceptionHandlerResult.newResult()
                .error(error.build())
                .build());
    }
}
