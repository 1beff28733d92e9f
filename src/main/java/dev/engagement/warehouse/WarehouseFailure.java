package dev.engagement.warehouse;

import com.google.cloud.bigquery.storage.v1.StorageError.StorageErrorCode;
import dev.engagement.rowstore.RowFailure;
import dev.engagement.rowstore.RowVerdict;
import io.grpc.Status;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.util.SerializedThrowable;
import org.jspecify.annotations.Nullable;

/** An answer of BigQuery that is not a success, or none. Immutable. */
final class WarehouseFailure extends RowFailure {

    private static final long serialVersionUID = 1L;

    private final Status.Code status;
    private final StorageErrorCode error;

    /**
     * A failure.
     *
     * @param status gRPC's code
     * @param error what the Storage Write API says in addition; unspecified if nothing
     * @param rowErrors what is wrong with which rows of the append, counted from 0; empty if nothing is said of rows
     */
    WarehouseFailure(
            Status.Code status,
            StorageErrorCode error,
            Map<Integer, String> rowErrors,
            @Nullable String message,
            @Nullable Throwable cause) {
        // Google's exceptions cannot be serialized, and Flink would not recognise a failure that has one in it.
        super(message, new TreeMap<>(rowErrors), cause == null ? null : new SerializedThrowable(cause));
        this.status = status;
        this.error = error;
    }

    /** A failure of which only the status is known. */
    static WarehouseFailure of(Status.Code status, String message) {
        return new WarehouseFailure(status, StorageErrorCode.STORAGE_ERROR_CODE_UNSPECIFIED, Map.of(), message, null);
    }

    /** A failure with the Storage Write API's own code. */
    static WarehouseFailure of(Status.Code status, StorageErrorCode error, String message) {
        return new WarehouseFailure(status, error, Map.of(), message, null);
    }

    Status.Code status() {
        return status;
    }

    StorageErrorCode error() {
        return error;
    }

    @Override
    public RowVerdict verdict(RowVerdict.Operation operation) {
        return WarehouseVerdict.of(operation, this);
    }

    /** Status, error and message in a line. */
    @Override
    public String text() {
        String code = error == StorageErrorCode.STORAGE_ERROR_CODE_UNSPECIFIED ? "" : "/" + error;
        return status + code + ": " + getMessage();
    }
}
