package dev.engagement.faults;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** What Flink's REST API says of the jobs. */
final class ClusterRest {

    private static final Duration TIMEOUT = Duration.ofMinutes(1);

    private final ObjectMapper mapper = new ObjectMapper();
    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
    private final URI base;

    ClusterRest(URI base) {
        this.base = base;
    }

    /** @param runningTasks how many of its tasks run */
    record Job(String id, String name, String state, int tasks, int runningTasks) {

        boolean isRunning() {
            return state.equals("RUNNING") && tasks > 0 && tasks == runningTasks;
        }

        boolean hasEnded() {
            return List.of("FAILED", "CANCELED", "FINISHED").contains(state);
        }
    }

    /** All jobs that the cluster remembers, the ended ones included. */
    List<Job> jobs() throws IOException, InterruptedException {
        List<Job> jobs = new ArrayList<>();
        for (JsonNode each : get("/jobs/overview").path("jobs")) {
            jobs.add(new Job(
                    each.path("jid").asText(),
                    each.path("name").asText(),
                    each.path("state").asText(),
                    each.path("tasks").path("total").asInt(),
                    each.path("tasks").path("running").asInt()));
        }
        return jobs;
    }

    /**
     * Whether a checkpoint that began after that moment is complete: every part of the job works.
     *
     * @param since of the wall clock, in milliseconds
     */
    boolean hasCheckpointAfter(String job, long since) throws IOException, InterruptedException {
        return get("/jobs/" + job + "/checkpoints")
                        .path("latest")
                        .path("completed")
                        .path("trigger_timestamp")
                        .asLong()
                > since;
    }

    /** Task managers that the job manager knows of. */
    int taskManagers() throws IOException, InterruptedException {
        return get("/overview").path("taskmanagers").asInt();
    }

    /** Of its widest task. */
    int parallelism(String job) throws IOException, InterruptedException {
        int widest = 0;
        for (JsonNode each : get("/jobs/" + job).path("vertices")) {
            widest = Math.max(widest, each.path("parallelism").asInt());
        }
        return widest;
    }

    /**
     * How often a part of the job failed since that moment, as far as the present job manager remembers: 16 at most. From
     * the exceptions and not from the metric of restarts, which comes late.
     *
     * @param since of the wall clock, in milliseconds
     */
    int failures(String job, long since) throws IOException, InterruptedException {
        int failures = 0;
        for (JsonNode each : get("/jobs/" + job + "/exceptions?maxExceptions=16")
                .path("exceptionHistory")
                .path("entries")) {
            if (each.path("timestamp").asLong() >= since) {
                failures++;
            }
        }
        return failures;
    }

    /** Why the job last restarted, the first lines; empty if it did not. */
    String lastException(String job) throws IOException, InterruptedException {
        JsonNode latest = get("/jobs/" + job + "/exceptions?maxExceptions=1")
                .path("exceptionHistory")
                .path("entries")
                .path(0);
        List<String> causes = latest.path("stacktrace")
                .asText()
                .lines()
                .filter(line -> !line.startsWith("\tat ") && !line.startsWith("\t..."))
                .limit(6)
                .toList();
        return String.join("; ", causes);
    }

    private JsonNode get(String path) throws IOException, InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(base.resolve(path)).timeout(TIMEOUT).build();
        HttpResponse<byte[]> response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
        if (response.statusCode() != 200) {
            throw new IOException("Flink answers " + response.statusCode() + " to " + base.resolve(path));
        }
        return mapper.readTree(response.body());
    }
}
