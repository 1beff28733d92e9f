package dev.engagement.local.testing;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.engagement.local.BigQueryProcess;
import dev.engagement.local.bigquery.BigQueryEmulator;
import java.nio.file.Path;
import java.util.List;

/** A {@link BigQueryEmulator} of one lease, asked as a {@link BigQueryProcess} is. */
public final class InProcessBigQuery {

    private final BigQueryEmulator emulator;
    private final LocalHttp http;

    InProcessBigQuery(Path directory) {
        emulator = BigQueryEmulator.start(directory, 0, 0);
        http = new LocalHttp(emulator.rest());
    }

    /** With its faults and its clock. */
    public BigQueryEmulator emulator() {
        return emulator;
    }

    /** Where REST answers: {@code http://host:port}. */
    public String rest() {
        return emulator.rest();
    }

    /** Where gRPC listens, in plain text: {@code host:port}. */
    public String grpc() {
        return emulator.grpc();
    }

    /**
     * Asks in GoogleSQL.
     *
     * @return BigQuery's answer, as JSON
     */
    public String query(String project, String sql) {
        return http.post(
                "/bigquery/v2/projects/" + project + "/queries",
                "{\"query\": " + new TextNode(sql) + ", \"useLegacySql\": false}");
    }

    /** What {@code stream} needs on its command line to write here, into a table of hours as the local stack has it. */
    public List<String> streamArguments() {
        return List.of(
                "--warehouse.project",
                BigQueryProcess.PROJECT,
                "--warehouse.endpoint",
                rest(),
                "--warehouse.grpc-endpoint",
                "http://" + grpc(),
                "--warehouse.partition",
                "HOUR",
                "--warehouse.partition-expiration",
                "90 d");
    }

    void close() {
        emulator.close();
    }
}
