package dev.engagement.local.bigquery;

import com.google.cloud.bigquery.storage.v1.RowError;
import com.google.cloud.bigquery.storage.v1.StorageError;
import com.google.cloud.bigquery.storage.v1.StorageError.StorageErrorCode;
import com.google.protobuf.Any;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.List;

/** An answer of the Storage Write API that is an error: a status, with what BigQuery adds to it. */
final class Refusal extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final Status.Code code;
    private final StorageErrorCode storageCode;
    private final String entity;
    private final transient List<RowError> rowErrors;

    private Refusal(
            Status.Code code, StorageErrorCode storageCode, String entity, String message, List<RowError> rowErrors) {
        super(message);
        this.code = code;
        this.storageCode = storageCode;
        this.entity = entity;
        this.rowErrors = rowErrors;
    }

    static Refusal of(Status.Code code, String message) {
        return new Refusal(code, StorageErrorCode.STORAGE_ERROR_CODE_UNSPECIFIED, "", message, List.of());
    }

    static Refusal invalidArgument(String message) {
        return of(Status.Code.INVALID_ARGUMENT, message);
    }

    static Refusal of(Status.Code code, StorageErrorCode storageCode, String entity, String message) {
        return new Refusal(code, storageCode, entity, message, List.of());
    }

    static Refusal ofRows(String stream, List<RowError> rowErrors) {
        return new Refusal(
                Status.Code.INVALID_ARGUMENT,
                StorageErrorCode.STORAGE_ERROR_CODE_UNSPECIFIED,
                stream,
                "Errors found while processing rows. Please refer to the row_errors field for details. The list may not be"
                        + " complete because of the size limitations. Entity: " + stream,
                rowErrors);
    }

    Status.Code code() {
        return code;
    }

    List<RowError> rowErrors() {
        return rowErrors;
    }

    /** As it stands in an answer, or in the trailers of a call that ends with it. */
    com.google.rpc.Status toStatus() {
        com.google.rpc.Status.Builder status =
                com.google.rpc.Status.newBuilder().setCode(code.value()).setMessage(String.valueOf(getMessage()));
        if (storageCode != StorageErrorCode.STORAGE_ERROR_CODE_UNSPECIFIED) {
            status.addDetails(Any.pack(StorageError.newBuilder()
                    .setCode(storageCode)
                    .setEntity(entity)
                    .setErrorMessage(String.valueOf(getMessage()))
                    .build()));
        }
        return status.build();
    }

    StatusRuntimeException toException() {
        return StatusProto.toStatusRuntimeException(toStatus());
    }
}
