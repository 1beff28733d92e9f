package dev.engagement.warehouse;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.cloud.bigquery.storage.v1.Exceptions;
import com.google.cloud.bigquery.storage.v1.StorageError;
import com.google.cloud.bigquery.storage.v1.StorageError.StorageErrorCode;
import com.google.protobuf.Any;
import dev.engagement.rowstore.RowStoreRefusedException;
import dev.engagement.rowstore.RowVerdict;
import dev.engagement.rowstore.RowVerdict.Operation;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionException;
import org.apache.flink.runtime.throwable.ThrowableClassifier;
import org.apache.flink.runtime.throwable.ThrowableType;
import org.apache.flink.util.SerializedThrowable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class WarehouseVerdictTest {

    private static final StorageErrorCode NOTHING = StorageErrorCode.STORAGE_ERROR_CODE_UNSPECIFIED;

    @ParameterizedTest
    @CsvSource({
        "UNAVAILABLE, TRANSIENT, TRANSIENT, TRANSIENT",
        "DEADLINE_EXCEEDED, TRANSIENT, TRANSIENT, TRANSIENT",
        "RESOURCE_EXHAUSTED, TRANSIENT, TRANSIENT, TRANSIENT",
        "PERMISSION_DENIED, TRANSIENT, TRANSIENT, TRANSIENT",
        "FAILED_PRECONDITION, TRANSIENT, TRANSIENT, TRANSIENT",
        "NOT_FOUND, TRANSIENT, TRANSIENT, STREAM_LOST",
        "ALREADY_EXISTS, TERMINAL, DONE, DONE",
        "OUT_OF_RANGE, TERMINAL, GAP, TERMINAL",
        "INVALID_ARGUMENT, TERMINAL, TERMINAL, TERMINAL",
        "UNAUTHENTICATED, TERMINAL, TERMINAL, TERMINAL"
    })
    void a_status_has_a_verdict(Status.Code status, RowVerdict opening, RowVerdict appending, RowVerdict flushing) {
        WarehouseFailure failure = WarehouseFailure.of(status, "…");

        assertThat(WarehouseVerdict.of(Operation.OPEN, failure)).isEqualTo(opening);
        assertThat(WarehouseVerdict.of(Operation.APPEND, failure)).isEqualTo(appending);
        assertThat(WarehouseVerdict.of(Operation.SHOW, failure)).isEqualTo(flushing);
    }

    @ParameterizedTest
    @CsvSource({
        "OFFSET_ALREADY_EXISTS, TERMINAL, DONE, DONE",
        "OFFSET_OUT_OF_RANGE, TERMINAL, GAP, TERMINAL",
        "STREAM_NOT_FOUND, TERMINAL, STREAM_LOST, STREAM_LOST",
        "STREAM_FINALIZED, TERMINAL, STREAM_LOST, STREAM_LOST",
        "INVALID_STREAM_STATE, TERMINAL, STREAM_LOST, STREAM_LOST",
        "TABLE_NOT_FOUND, TRANSIENT, TRANSIENT, STREAM_LOST",
        "SCHEMA_MISMATCH_EXTRA_FIELDS, TERMINAL, TERMINAL, TERMINAL",
        "KMS_SERVICE_ERROR, TRANSIENT, TRANSIENT, TRANSIENT",
        "KMS_PERMISSION_DENIED, TERMINAL, TERMINAL, TERMINAL"
    })
    void bigquerys_own_code_refines_the_status(
            StorageErrorCode error, RowVerdict opening, RowVerdict appending, RowVerdict flushing) {
        WarehouseFailure failure = WarehouseFailure.of(Status.Code.INTERNAL, error, "…");

        assertThat(WarehouseVerdict.of(Operation.OPEN, failure)).isEqualTo(opening);
        assertThat(WarehouseVerdict.of(Operation.APPEND, failure)).isEqualTo(appending);
        assertThat(WarehouseVerdict.of(Operation.SHOW, failure)).isEqualTo(flushing);
    }

    @ParameterizedTest
    @EnumSource(Status.Code.class)
    void errors_of_rows_come_before_any_status(Status.Code status) {
        WarehouseFailure failure = new WarehouseFailure(status, NOTHING, Map.of(3, "bad"), "…", null);

        assertThat(WarehouseVerdict.of(Operation.APPEND, failure)).isEqualTo(RowVerdict.RECORD);
    }

    @Test
    void every_code_has_a_verdict_for_every_operation() {
        Set<RowVerdict> seen = EnumSet.noneOf(RowVerdict.class);
        for (Operation operation : Operation.values()) {
            for (Status.Code status : Status.Code.values()) {
                for (StorageErrorCode error : StorageErrorCode.values()) {
                    seen.add(WarehouseVerdict.of(operation, WarehouseFailure.of(status, error, "…")));
                }
            }
        }

        assertThat(seen)
                .containsExactlyInAnyOrder(
                        RowVerdict.DONE,
                        RowVerdict.TRANSIENT,
                        RowVerdict.GAP,
                        RowVerdict.STREAM_LOST,
                        RowVerdict.TERMINAL);
    }

    @Test
    void a_storage_error_in_the_details_of_a_status_is_read() {
        StorageError finalized = StorageError.newBuilder()
                .setCode(StorageErrorCode.STREAM_FINALIZED)
                .build();
        Throwable thrown = StatusProto.toStatusRuntimeException(com.google.rpc.Status.newBuilder()
                .setCode(Status.Code.INVALID_ARGUMENT.value())
                .setMessage("Stream has been finalized")
                .addDetails(Any.pack(finalized))
                .build());

        WarehouseFailure failure = GoogleFailures.of(new CompletionException(thrown));

        assertThat(failure.status()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        assertThat(failure.error()).isEqualTo(StorageErrorCode.STREAM_FINALIZED);
        assertThat(failure.text()).contains("Stream has been finalized");
    }

    @Test
    void errors_of_rows_are_read() {
        Throwable thrown = new Exceptions.AppendSerializationError(3, "rows", "s", Map.of(7, "bad json"));

        WarehouseFailure failure = GoogleFailures.of(thrown);

        assertThat(failure.rowErrors()).isEqualTo(Map.of(7, "bad json"));
        assertThat(failure.status()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    }

    @Test
    void a_refusal_because_of_it_is_recognised_behind_any_serialization() throws Exception {
        Throwable thrown = new StatusRuntimeException(Status.NOT_FOUND, new Metadata());
        RowStoreRefusedException refusal = new RowStoreRefusedException("lost", GoogleFailures.of(thrown));

        Throwable received =
                new SerializedThrowable(refusal).deserializeError(getClass().getClassLoader());

        assertThat(ThrowableClassifier.getThrowableType(received)).isEqualTo(ThrowableType.NonRecoverableError);
    }

    @Test
    void a_bug_in_the_client_is_not_repeated() {
        WarehouseFailure failure = GoogleFailures.of(new NullPointerException("oops"));

        assertThat(WarehouseVerdict.of(Operation.APPEND, failure)).isEqualTo(RowVerdict.TERMINAL);
        assertThat(failure.text()).contains("oops");
    }
}
