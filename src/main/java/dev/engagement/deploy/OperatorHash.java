package dev.engagement.deploy;

import java.nio.charset.StandardCharsets;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.shaded.guava31.com.google.common.hash.Hashing;

/** Under what name a savepoint keeps the state of an operator with a uid: Flink's {@code StreamGraphHasherV2}. */
final class OperatorHash {

    private OperatorHash() {}

    static OperatorID of(String uid) {
        return new OperatorID(Hashing.murmur3_128(0)
                .newHasher()
                .putString(uid, StandardCharsets.UTF_8)
                .hash()
                .asBytes());
    }
}
