package dev.engagement.warehouse;

import com.google.api.gax.grpc.GrpcStatusCode;
import com.google.api.gax.rpc.ApiException;
import com.google.cloud.bigquery.storage.v1.Exceptions;
import com.google.cloud.bigquery.storage.v1.StorageError;
import com.google.cloud.bigquery.storage.v1.StorageError.StorageErrorCode;
import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What Google's client throws, as a {@link WarehouseFailure}. */
final class GoogleFailures {

    private GoogleFailures() {}

    static WarehouseFailure of(Throwable problem) {
        Status.@Nullable Code status = null;
        StorageErrorCode error = StorageErrorCode.STORAGE_ERROR_CODE_UNSPECIFIED;
        Map<Integer, String> rowErrors = Map.of();
        Throwable told = problem;
        for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
            if (cause instanceof WarehouseFailure failure) {
                return failure;
            }
            if (status == null) {
                status = statusOf(cause);
                if (status != null) {
                    told = cause;
                }
            }
            if (error == StorageErrorCode.STORAGE_ERROR_CODE_UNSPECIFIED) {
                error = errorOf(cause);
            }
            if (cause instanceof Exceptions.AppendSerializtionError rows) {
                rowErrors = rows.getRowIndexToErrorMessage();
            }
        }
        // Without a status it is no answer of BigQuery's, and no failure that passes.
        return new WarehouseFailure(
                status == null ? Status.Code.UNIMPLEMENTED : status,
                error,
                rowErrors,
                status == null ? problem.toString() : told.getMessage(),
                problem);
    }

    private static Status.@Nullable Code statusOf(Throwable problem) {
        if (problem instanceof StatusRuntimeException exception) {
            return exception.getStatus().getCode();
        }
        if (problem instanceof StatusException exception) {
            return exception.getStatus().getCode();
        }
        if (problem instanceof ApiException exception && exception.getStatusCode() instanceof GrpcStatusCode code) {
            return code.getTransportCode();
        }
        return null;
    }

    private static StorageErrorCode errorOf(Throwable problem) {
        if (problem instanceof Exceptions.OffsetAlreadyExists) {
            return StorageErrorCode.OFFSET_ALREADY_EXISTS;
        }
        if (problem instanceof Exceptions.OffsetOutOfRange) {
            return StorageErrorCode.OFFSET_OUT_OF_RANGE;
        }
        if (problem instanceof Exceptions.StreamFinalizedException) {
            return StorageErrorCode.STREAM_FINALIZED;
        }
        if (problem instanceof Exceptions.StreamNotFound) {
            return StorageErrorCode.STREAM_NOT_FOUND;
        }
        if (problem instanceof Exceptions.SchemaMismatchedException) {
            return StorageErrorCode.SCHEMA_MISMATCH_EXTRA_FIELDS;
        }
        com.google.rpc.Status rich = StatusProto.fromThrowable(problem);
        if (rich != null) {
            for (Any detail : rich.getDetailsList()) {
                if (detail.is(StorageError.class)) {
                    try {
                        return detail.unpack(StorageError.class).getCode();
                    } catch (InvalidProtocolBufferException e) {
                        // The status itself decides.
                        return StorageErrorCode.STORAGE_ERROR_CODE_UNSPECIFIED;
                    }
                }
            }
        }
        return StorageErrorCode.STORAGE_ERROR_CODE_UNSPECIFIED;
    }
}
