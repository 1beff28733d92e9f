package dev.engagement.deploy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.connection.HostPort;
import dev.engagement.connection.Pause;
import java.io.IOException;
import java.net.ConnectException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.flink.core.fs.FileStatus;
import org.apache.flink.core.fs.FileSystem;
import org.jspecify.annotations.Nullable;

/**
 * A session cluster by Flink's REST API, and by its command line where a job is submitted: there the client's own
 * configuration and environment count, secrets included.
 */
final class FlinkCluster implements Cluster {

    private static final ObjectMapper JSON = new ObjectMapper();

    private static final Duration TIMEOUT = Duration.ofSeconds(20);
    private static final Pattern JOB_ID = Pattern.compile("JobID ([0-9a-f]{32})");
    private static final Duration POLL_INTERVAL = Duration.ofMillis(200);
    /** Longer than a standby takes to lead, and than a JobManager takes to start again. */
    private static final long OUTAGE_MILLIS = 120_000;

    private static final Duration RETRY_INTERVAL = Duration.ofSeconds(1);
    private static final int LINES_OF_A_FAILURE = 12;

    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
    private final URI rest;
    private final Path commandLine;
    private final @Nullable String savepoints;
    private final @Nullable String checkpoints;
    private final Duration timeout;
    private final LongSupplier clockMillis;
    private final Pause pause;
    /** Where nobody ever answered there is nothing to wait for. */
    private boolean hasAnswered;

    /**
     * A cluster.
     *
     * @param rest where its REST API is
     * @param commandLine Flink's
     * @param savepoints where savepoints go; null for the cluster's own folder
     * @param checkpoints where the jobs' checkpoints are; null if that is not known, and then retained ones are not found
     * @param timeout for a savepoint, the end of a job, or Flink's command line
     */
    FlinkCluster(
            URI rest,
            Path commandLine,
            @Nullable String savepoints,
            @Nullable String checkpoints,
            Duration timeout,
            LongSupplier clockMillis,
            Pause pause) {
        this.rest = rest;
        this.commandLine = commandLine;
        this.savepoints = savepoints;
        this.checkpoints = checkpoints;
        this.timeout = timeout;
        this.clockMillis = clockMillis;
        this.pause = pause;
    }

    @Override
    public List<Job> jobs() throws IOException, InterruptedException {
        List<Job> jobs = new ArrayList<>();
        for (JsonNode each : get("/jobs/overview").path("jobs")) {
            jobs.add(new Job(
                    each.path("jid").asText(""),
                    each.path("name").asText(""),
                    each.path("state").asText(""),
                    each.path("start-time").asLong()));
        }
        return jobs;
    }

    @Override
    public Progress progress(String job) throws IOException, InterruptedException {
        JsonNode overview = get("/jobs/" + job);
        JsonNode checkpointing = get("/jobs/" + job + "/checkpoints");
        JsonNode failures = get("/jobs/" + job + "/exceptions?maxExceptions=16")
                .path("exceptionHistory")
                .path("entries");
        int tasks = 0;
        int running = 0;
        for (JsonNode vertex : overview.path("vertices")) {
            tasks += Math.toIntExact(vertex.path("parallelism").asLong());
            running += Math.toIntExact(vertex.path("tasks").path("RUNNING").asLong());
        }
        return new Progress(
                overview.path("state").asText(""),
                tasks,
                running,
                checkpointing.path("counts").path("completed").asLong(),
                newest(checkpointing.path("latest")),
                failures.size(),
                firstLines(failures.path(0).path("stacktrace").asText("")));
    }

    private static @Nullable String newest(JsonNode latest) {
        String newest = null;
        long checkpoint = -1;
        for (String kind : List.of("completed", "savepoint", "restored")) {
            JsonNode each = latest.path(kind);
            // What has no path of its own is called so by Flink.
            if (each.path("external_path").asText("").contains("/")
                    && each.path("id").asLong() > checkpoint) {
                newest = each.path("external_path").asText("");
                checkpoint = each.path("id").asLong();
            }
        }
        return newest;
    }

    private static String firstLines(String stacktrace) {
        return stacktrace
                .lines()
                .filter(line -> !line.startsWith("\tat ") && !line.startsWith("\t..."))
                .limit(LINES_OF_A_FAILURE)
                .collect(Collectors.joining("; "));
    }

    @Override
    public List<String> retained(String job) throws IOException {
        List<String> found = new ArrayList<>();
        if (checkpoints != null) {
            var folder = new org.apache.flink.core.fs.Path(checkpoints, job);
            FileSystem files = folder.getFileSystem();
            FileStatus[] entries = files.exists(folder) ? files.listStatus(folder) : null;
            for (FileStatus each : entries == null ? new FileStatus[0] : entries) {
                if (each.getPath().getName().startsWith("chk-")
                        && files.exists(new org.apache.flink.core.fs.Path(each.getPath(), "_metadata"))) {
                    found.add(each.getPath().toString());
                }
            }
        }
        return found;
    }

    @Override
    public String stop(String job) throws IOException, InterruptedException {
        String directory = savepoints == null ? "" : "\"targetDirectory\": \"" + savepoints + "\", ";
        String trigger = send("POST", "/jobs/" + job + "/stop", "{" + directory + "\"drain\": false}")
                .path("request-id")
                .asText("");
        long deadline = clockMillis.getAsLong() + timeout.toMillis();
        while (clockMillis.getAsLong() < deadline) {
            JsonNode answer = get("/jobs/" + job + "/savepoints/" + trigger);
            if (answer.path("status").path("id").asText("").equals("COMPLETED")) {
                JsonNode operation = answer.path("operation");
                if (operation.hasNonNull("location")) {
                    return operation.path("location").asText("");
                }
                throw new IOException(firstLines(
                        operation.path("failure-cause").path("stack-trace").asText("")));
            }
            pause.of(POLL_INTERVAL);
        }
        throw new IOException(
                "no savepoint within " + timeout.toSeconds() + " s (--timeout). The order stands: the job ends"
                        + " once its savepoint is complete, and the next deployment goes on from there");
    }

    @Override
    public String run(Submission submission) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(commandLine.toString(), "run", "-d"));
        if (submission.from() != null) {
            command.addAll(List.of("-s", submission.from()));
        }
        if (submission.leaveBehind()) {
            command.add("-n");
        }
        command.add(submission.jar().toString());
        command.addAll(submission.arguments());
        // One that is killed may have submitted the job: the deployer looks for it.
        ExternalProgram.Ended ended = ExternalProgram.run("flink run", command, timeout);
        Matcher id = JOB_ID.matcher(ended.said());
        if (ended.exitCode() != 0 || !id.find()) {
            throw new IOException("flink run ended with exit code " + ended.exitCode() + ": "
                    + firstLines(ended.said().strip()));
        }
        return id.group(1);
    }

    @Override
    public void checkpoint(String job) throws IOException, InterruptedException {
        var unused = send("POST", "/jobs/" + job + "/checkpoints", "{\"checkpointType\": \"CONFIGURED\"}");
    }

    @Override
    public void cancel(String job) throws IOException, InterruptedException {
        var unused = send("PATCH", "/jobs/" + job + "?mode=cancel", "");
        awaitEnd(job);
    }

    @Override
    public void awaitEnd(String job) throws IOException, InterruptedException {
        long deadline = clockMillis.getAsLong() + timeout.toMillis();
        while (!ENDED.contains(get("/jobs/" + job).path("state").asText(""))) {
            if (clockMillis.getAsLong() > deadline) {
                throw new IOException("Job " + job + " has not ended within " + timeout.toSeconds() + " s");
            }
            pause.of(POLL_INTERVAL);
        }
    }

    private JsonNode get(String path) throws IOException, InterruptedException {
        return send("GET", path, "");
    }

    /**
     * Asks until there is an answer: a JobManager that leads no more is soon followed by another. An order is repeated only if
     * nobody can have heard it.
     */
    private JsonNode send(String method, String path, String body) throws IOException, InterruptedException {
        long deadline = clockMillis.getAsLong() + OUTAGE_MILLIS;
        while (true) {
            try {
                JsonNode answer = sendOnce(method, path, body);
                hasAnswered = true;
                return answer;
            } catch (NobodyException e) {
                boolean mayRepeat = e.isUnheard || method.equals("GET");
                if (!hasAnswered || !mayRepeat || clockMillis.getAsLong() > deadline) {
                    throw e;
                }
            }
            pause.of(RETRY_INTERVAL);
        }
    }

    private JsonNode sendOnce(String method, String path, String body) throws IOException, InterruptedException {
        URI uri;
        try {
            uri = HostPort.reachable(rest).resolve(path);
        } catch (UnknownHostException e) {
            throw new NobodyException("No name server here knows the host of " + rest, true);
        }
        HttpRequest request = HttpRequest.newBuilder(uri)
                .timeout(TIMEOUT)
                .header("Content-Type", "application/json")
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .build();
        HttpResponse<byte[]> answer;
        try {
            answer = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
        } catch (ConnectException | HttpConnectTimeoutException e) {
            throw new NobodyException("Flink does not answer at " + uri + ": " + e, true);
        } catch (IOException e) {
            throw new NobodyException("Flink does not answer at " + uri + ": " + e, false);
        }
        if (answer.statusCode() / 100 != 2) {
            String message = "Flink answers " + answer.statusCode() + " to " + method + " " + uri + ": "
                    + firstLines(new String(answer.body(), StandardCharsets.UTF_8));
            if (answer.statusCode() / 100 == 5) {
                throw new NobodyException(message, answer.statusCode() == HttpURLConnection.HTTP_UNAVAILABLE);
            }
            throw new IOException(message);
        }
        return JSON.readTree(answer.body());
    }

    /** Nobody answers, or nobody who knows. */
    private static final class NobodyException extends IOException {
        private static final long serialVersionUID = 1L;

        private final boolean isUnheard;

        /** @param isUnheard whether nobody can have begun to do it */
        NobodyException(String message, boolean isUnheard) {
            super(message);
            this.isUnheard = isUnheard;
        }
    }
}
