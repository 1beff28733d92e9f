package dev.engagement.local.testing;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.engagement.local.BigQueryProcess;
import dev.engagement.local.ControlHttp;
import dev.engagement.local.bigquery.BigQueryEmulator;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Path;
import java.util.List;

/** A {@link BigQueryEmulator} of one lease, asked as a {@link BigQueryProcess} is. */
public final class InProcessBigQuery {

    private final BigQueryEmulator emulator;
    private final ControlHttp http = new ControlHttp("The BigQuery emulator");

    InProcessBigQuery(Path directory) {
        emulator = BigQueryEmulator.start(directory, 0, 0);
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
        return http.send(HttpRequest.newBuilder(URI.create(rest() + "/bigquery/v2/projects/" + project + "/queries"))
                .POST(HttpRequest.BodyPublishers.ofString(
                        "{\"query\": " + new TextNode(sql) + ", \"useLegacySql\": false}")));
    }

    /** What {@code stream} needs on its command line to write here, into a table of hours as the local stack has it. */
    public List<String> streamArguments() {
        return BigQueryProcess.streamArguments(rest(), grpc());
    }

    void close() {
        emulator.close();
    }
}
