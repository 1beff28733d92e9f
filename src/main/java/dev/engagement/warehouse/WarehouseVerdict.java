package dev.engagement.warehouse;

import com.google.cloud.bigquery.storage.v1.StorageError.StorageErrorCode;
import dev.engagement.rowstore.RowVerdict;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * What an answer of BigQuery means: the one place that decides it. Codes of the Storage Write API come before those of
 * gRPC, which they refine.
 *
 * <table>
 * <caption>Verdicts</caption>
 * <tr><th>answer</th><th>opening a stream</th><th>appending</th><th>flushing</th><th>why</th></tr>
 * <tr><td>OFFSET_ALREADY_EXISTS, or ALREADY_EXISTS</td><td>TERMINAL</td><td>DONE</td><td>DONE</td><td>a repetition: what
 *   stands at an offset of our own stream is what we put there</td></tr>
 * <tr><td>errors of single rows</td><td>-</td><td>RECORD</td><td>-</td><td>no row of the append was taken; without those
 *   the others will be</td></tr>
 * <tr><td>OFFSET_OUT_OF_RANGE, or OUT_OF_RANGE</td><td>TERMINAL</td><td>GAP</td><td>TERMINAL</td><td>an append before
 *   this one was not taken</td></tr>
 * <tr><td>STREAM_NOT_FOUND, STREAM_FINALIZED, STREAM_ALREADY_COMMITTED, INVALID_STREAM_TYPE, INVALID_STREAM_STATE</td>
 *   <td>TERMINAL</td><td>STREAM_LOST</td><td>STREAM_LOST</td><td>the stream expired or somebody ended it</td></tr>
 * <tr><td>NOT_FOUND</td><td>TRANSIENT</td><td>TRANSIENT</td><td>STREAM_LOST</td><td>a fresh table is not found
 *   everywhere at once; a stream that had rows is not found when it expired</td></tr>
 * <tr><td>TABLE_NOT_FOUND</td><td>TRANSIENT</td><td>TRANSIENT</td><td>STREAM_LOST</td><td>the same; a table whose rows
 *   wait to be flushed was deleted</td></tr>
 * <tr><td>PERMISSION_DENIED</td><td colspan="3">TRANSIENT</td><td>a fresh table answers it for a while; a right that is
 *   missing for longer than {@code warehouse.commit-timeout} fails the job</td></tr>
 * <tr><td>SCHEMA_MISMATCH_EXTRA_FIELDS</td><td colspan="3">TERMINAL</td><td>a column was dropped, or one just added is not
 *   known everywhere yet: the restart, which checks the table, sees to both</td></tr>
 * <tr><td>KMS_SERVICE_ERROR</td><td colspan="3">TRANSIENT</td><td>BigQuery says that it passes</td></tr>
 * <tr><td>CMEK_*, INVALID_CMEK_PROVIDED, KMS_PERMISSION_DENIED</td><td colspan="3">TERMINAL</td><td>a matter of keys</td>
 *   </tr>
 * <tr><td>UNAVAILABLE, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, CANCELLED, INTERNAL, UNKNOWN, DATA_LOSS,
 *   FAILED_PRECONDITION</td><td colspan="3">TRANSIENT</td><td>outages, quotas, broken connections; the client says
 *   FAILED_PRECONDITION of a connection that it closed</td></tr>
 * <tr><td>INVALID_ARGUMENT, UNAUTHENTICATED, UNIMPLEMENTED, OUT_OF_RANGE elsewhere</td><td colspan="3">TERMINAL</td><td>a
 *   fault of ours or of the configuration; repeating it would repeat it</td></tr>
 * </table>
 */
final class WarehouseVerdict {

    private WarehouseVerdict() {}

    static RowVerdict of(RowVerdict.Operation operation, WarehouseFailure failure) {
        if (operation == RowVerdict.Operation.APPEND && !failure.rowErrors().isEmpty()) {
            return RowVerdict.RECORD;
        }
        RowVerdict byError = ofError(operation, failure.error());
        return byError != null ? byError : ofStatus(operation, failure.status());
    }

    private static @Nullable RowVerdict ofError(RowVerdict.Operation operation, StorageErrorCode error) {
        return switch (error) {
            case OFFSET_ALREADY_EXISTS ->
                operation == RowVerdict.Operation.OPEN ? RowVerdict.TERMINAL : RowVerdict.DONE;
            case OFFSET_OUT_OF_RANGE -> operation == RowVerdict.Operation.APPEND ? RowVerdict.GAP : RowVerdict.TERMINAL;
            case STREAM_NOT_FOUND,
                    STREAM_FINALIZED,
                    STREAM_ALREADY_COMMITTED,
                    INVALID_STREAM_TYPE,
                    INVALID_STREAM_STATE ->
                operation == RowVerdict.Operation.OPEN ? RowVerdict.TERMINAL : RowVerdict.STREAM_LOST;
            case TABLE_NOT_FOUND ->
                operation == RowVerdict.Operation.SHOW ? RowVerdict.STREAM_LOST : RowVerdict.TRANSIENT;
            case KMS_SERVICE_ERROR -> RowVerdict.TRANSIENT;
            case SCHEMA_MISMATCH_EXTRA_FIELDS,
                    CMEK_NOT_PROVIDED,
                    INVALID_CMEK_PROVIDED,
                    CMEK_ENCRYPTION_ERROR,
                    KMS_PERMISSION_DENIED -> RowVerdict.TERMINAL;
            case STORAGE_ERROR_CODE_UNSPECIFIED, UNRECOGNIZED -> null;
        };
    }

    private static RowVerdict ofStatus(RowVerdict.Operation operation, Status.Code status) {
        return switch (status) {
            case ALREADY_EXISTS -> operation == RowVerdict.Operation.OPEN ? RowVerdict.TERMINAL : RowVerdict.DONE;
            case OUT_OF_RANGE -> operation == RowVerdict.Operation.APPEND ? RowVerdict.GAP : RowVerdict.TERMINAL;
            case NOT_FOUND -> operation == RowVerdict.Operation.SHOW ? RowVerdict.STREAM_LOST : RowVerdict.TRANSIENT;
            case UNAVAILABLE,
                    DEADLINE_EXCEEDED,
                    RESOURCE_EXHAUSTED,
                    ABORTED,
                    CANCELLED,
                    INTERNAL,
                    UNKNOWN,
                    DATA_LOSS,
                    FAILED_PRECONDITION,
                    PERMISSION_DENIED -> RowVerdict.TRANSIENT;
            case OK, INVALID_ARGUMENT, UNAUTHENTICATED, UNIMPLEMENTED -> RowVerdict.TERMINAL;
        };
    }
}
