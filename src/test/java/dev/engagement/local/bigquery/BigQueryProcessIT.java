package dev.engagement.local.bigquery;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.cloud.bigquery.storage.v1.StreamWriter;
import dev.engagement.local.BigQueryProcess;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The emulator as a process: killed at once, and started again. */
class BigQueryProcessIT {

    private static final Path DIRECTORY = Path.of("target/it/bigquery-process");

    @Test
    void nothing_acknowledged_is_lost_when_it_is_killed() throws Throwable {
        BigQueryProcess.discard(DIRECTORY);
        try (BigQueryProcess emulator = BigQueryProcess.start(DIRECTORY, 0, 0);
                Client client = new Client(emulator.grpc())) {
            emulator.post(
                    "/bigquery/v2/projects/local/datasets", "{\"datasetReference\": {\"datasetId\": \"analytics\"}}");
            emulator.post(
                    "/bigquery/v2/projects/local/datasets/analytics/tables",
                    "{\"tableReference\": {\"tableId\": \"t\"}, " + Client.HOURLY.substring(1));
            String stream = client.stream("t");
            try (StreamWriter writer = client.writer(stream)) {
                for (int i = 0; i < 20; i++) {
                    Client.append(writer, Client.events(100L * i, 100), 100L * i);
                }
                client.flush(stream, 499);
                long killed = emulator.pid();

                emulator.kill();
                emulator.restart();

                assertThat(emulator.pid()).isNotEqualTo(killed);
                assertThat(count(emulator)).contains("\"v\":\"500\"");
                // The same client, over a new connection.
                assertThat(Client.append(writer, Client.events(2000, 100), 2000))
                        .isEqualTo(2000);
            }
            client.flush(stream, 2099);
            assertThat(count(emulator)).contains("\"v\":\"2100\"");
            assertThat(emulator.get("/emulator/stats")).contains("\"rowsFlushed\":1600");
        }
    }

    private static String count(BigQueryProcess emulator) {
        return emulator.query("local", "SELECT COUNT(DISTINCT event_id) FROM analytics.t");
    }
}
