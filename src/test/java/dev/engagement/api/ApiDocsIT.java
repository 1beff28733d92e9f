package dev.engagement.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.api.definition.ApiDefinition;
import dev.engagement.api.definition.Operation;
import dev.engagement.api.testing.WrittenHour;
import dev.engagement.local.ApiProcess;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.report.testing.Programs;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The page about the API says what is so: each of its {@code curl} lines runs as it stands, but for the address, and is
 * answered with the status and the fields that stand below it.
 */
class ApiDocsIT {

    private static final Path PAGE = Path.of("src/site/markdown/api.md");
    private static final Path DIRECTORY = Path.of("target/it/api-docs");
    private static final String ADDRESS = "http://127.0.0.1:8088";
    private static final String TOKEN = "a-token-of-the-documentation-0123456789";

    /** What is there beside the operations of the definition. */
    private static final Set<String> OTHER_ROUTES = Set.of(
            "GET /",
            "GET /wall",
            "GET /static/{file}",
            "GET /docs",
            "GET /openapi.json",
            "GET /login",
            "POST /login",
            "POST /logout",
            "GET /health/live",
            "GET /health/ready",
            "GET /prometheus");

    private static final Pattern STATUS = Pattern.compile("`(\\d{3})`");
    private static final Pattern STATUS_LINE = Pattern.compile("^HTTP/1\\.1 (\\d{3})");
    private static final Pattern PATH = Pattern.compile(Pattern.quote(ADDRESS) + "(/[^'\"?\\s]*)");
    private static final String DATA = "data: ";

    private static final ObjectMapper JSON = new ObjectMapper();

    /**
     * A command of the page.
     *
     * @param line where it stands, from 1
     * @param status that it is said to be answered with; null if nothing is said
     * @param kind of the answer that is shown: json, text; null if none is
     * @param answer that is shown
     */
    private record Shown(
            int line,
            String command,
            @Nullable Integer status,
            @Nullable String kind,
            String answer) {

        String path() {
            Matcher path = PATH.matcher(command);
            assertThat(path.find()).as("line " + line + " asks " + ADDRESS).isTrue();
            return path.group(1);
        }

        boolean isWebSocket() {
            return command.contains("Upgrade: websocket");
        }

        boolean isStream() {
            return command.startsWith("curl -N ");
        }

        boolean posts() {
            return command.contains(" -d ") || command.contains(" --data-binary ") || command.contains("-X POST");
        }

        /** Where it speaks of tokens, it asks a server that has one. */
        boolean isOfTokens() {
            return command.contains("TOKEN") || command.contains("Authorization");
        }
    }

    private SharedServers servers;
    private WrittenHour hour;
    private List<String> options;

    @BeforeEach
    void write() throws Exception {
        Programs.need("curl", "curl", "each line of the API's documentation does what it says");
        servers = SharedServers.lease(DIRECTORY);
        // Boards are shown for two minutes behind their time, and a slow machine may take longer.
        try (Connection source = servers.postgres().connect()) {
            hour = WrittenHour.write(
                    servers.redis().connect(),
                    source,
                    servers.analytics().connect(PostgresServer.ANALYTICS),
                    Duration.ofMinutes(15));
        }
        options = ApiProcess.options(servers.analytics(), Path.of(servers.postgresPasswordFile()), servers.redis());
    }

    @AfterEach
    void giveBack() throws Exception {
        if (hour != null) {
            hour.close();
            servers.close();
        }
    }

    @Test
    void each_line_does_what_the_page_says() throws Exception {
        Path token = DIRECTORY.resolve("token").toAbsolutePath();
        Files.writeString(token, TOKEN);
        try (EngagementApi open = start();
                EngagementApi closed = start("--api.token.secret-file", token.toString())) {
            for (Shown shown : shown()) {
                String address = (shown.isOfTokens() ? closed : open).address().toString();
                String answer = run(shown, shown.command().replace(ADDRESS, address));
                compare(shown, answer);
            }
        }
    }

    @Test
    void each_route_has_a_line_and_each_line_an_answer() throws Exception {
        Set<String> routes = new HashSet<>(OTHER_ROUTES);
        for (Operation operation : ApiDefinition.get().operations()) {
            String method = operation.method().equals(Operation.WEB_SOCKET) ? "GET" : operation.method();
            routes.add(method + " " + operation.path());
        }
        Set<String> without = new HashSet<>(routes);
        for (Shown shown : shown()) {
            assertThat(shown.status()).as("status below line " + shown.line()).isNotNull();
            boolean hasBody = shown.status() != 204 && shown.status() / 100 != 3;
            assertThat(shown.kind() != null || !hasBody)
                    .as("what line " + shown.line() + " is answered stands below it")
                    .isTrue();
            String asked = (shown.posts() ? "POST " : "GET ") + shown.path();
            List<String> matching =
                    routes.stream().filter(route -> matches(route, asked)).toList();
            assertThat(matching).as("route of line " + shown.line()).isNotEmpty();
            matching.forEach(without::remove);
        }
        assertThat(without).as("routes without a line").isEmpty();
    }

    private static boolean matches(String route, String asked) {
        return asked.matches(Pattern.quote(route).replaceAll("\\{[a-z]+}", "\\\\E[^/]+\\\\Q"));
    }

    private EngagementApi start(String... more) {
        List<String> arguments = new ArrayList<>(options);
        // Of a machine that does something else, too.
        arguments.addAll(List.of("--api.port", "0", "--api.store-timeout", "30 s"));
        arguments.addAll(List.of(more));
        return EngagementApi.start(ApiOptions.parse(arguments.toArray(String[]::new), Map.of()), Clock.systemUTC());
    }

    // ------------------------------------------------------------------------------------------------------ the page

    /** Blocks of sh that begin with curl; up to the next one or a heading, what they are answered. */
    private static List<Shown> shown() throws IOException {
        List<Shown> all = new ArrayList<>();
        List<String> lines = Files.readAllLines(PAGE);
        for (int i = 0; i < lines.size(); i++) {
            if (lines.get(i).equals("```sh") && lines.get(i + 1).startsWith("curl ")) {
                all.add(shownAt(lines, i + 1));
            }
        }
        long commands = lines.stream().filter(line -> line.startsWith("curl ")).count();
        assertThat(all).as("each command is a block of its own").hasSize((int) commands);
        assertThat(all).isNotEmpty();
        return all;
    }

    private static Shown shownAt(List<String> lines, int at) {
        assertThat(lines.get(at + 1)).as("end of the block of line " + (at + 1)).isEqualTo("```");
        Integer status = null;
        for (int i = at + 2; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.equals("```sh") || line.startsWith("#")) {
                break;
            }
            Matcher said = STATUS.matcher(line);
            if (status == null && said.matches()) {
                status = Integer.valueOf(said.group(1));
            }
            if (line.startsWith("```")) {
                int end = lines.subList(i + 1, lines.size()).indexOf("```") + i + 1;
                String answer = String.join("\n", lines.subList(i + 1, end));
                return new Shown(at + 1, lines.get(at), status, line.substring(3), answer);
            }
        }
        return new Shown(at + 1, lines.get(at), status, null, "");
    }

    // --------------------------------------------------------------------------------------------------- the answers

    /** The head and the body of what it answers; of a stream what came up to its first message. */
    private static String run(Shown shown, String command) throws IOException, InterruptedException {
        // A pipe's reader that is gone would end a shell, and leave its curl.
        ProcessBuilder builder = new ProcessBuilder("bash", "-c", "exec " + command + " -sS -i")
                .redirectErrorStream(true)
                .directory(DIRECTORY.toFile());
        builder.environment().put("TOKEN", TOKEN);
        builder.environment().put("LC_ALL", "C.UTF-8");
        Process curl = builder.start();
        curl.getOutputStream().close();
        try (InputStream out = curl.getInputStream()) {
            if (!shown.isStream()) {
                String answer = new String(out.readAllBytes(), StandardCharsets.UTF_8);
                assertThat(curl.waitFor(5, TimeUnit.MINUTES)).isTrue();
                assertThat(curl.exitValue()).as(command + "\n" + answer).isZero();
                return answer;
            }
            StringBuilder answer = new StringBuilder();
            byte[] buffer = new byte[8_192];
            int count;
            while (!hasMessage(shown, answer.toString()) && (count = out.read(buffer)) >= 0) {
                // A frame's head is no UTF-8; all that is looked at is.
                answer.append(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
            }
            return new String(answer.toString().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
        } finally {
            curl.destroyForcibly();
        }
    }

    private static boolean hasMessage(Shown shown, String answer) {
        int begin = answer.indexOf(shown.isWebSocket() ? "{\"event\"" : DATA);
        if (begin < 0) {
            return false;
        }
        return shown.isWebSocket() ? firstValue(answer.substring(begin)) != null : answer.indexOf("\n\n", begin) > 0;
    }

    private static void compare(Shown shown, String answer) throws IOException {
        String what = "line " + shown.line() + ": " + shown.command() + "\n" + answer;
        Matcher status = STATUS_LINE.matcher(answer);
        assertThat(status.find()).as(what).isTrue();
        assertThat(Integer.valueOf(status.group(1))).as(what).isEqualTo(shown.status());
        if (shown.kind() == null) {
            return;
        }
        int end = answer.indexOf("\r\n\r\n") + 4;
        String body = answer.substring(end);
        if (shown.isWebSocket()) {
            compareJson(what, shown.answer(), body.substring(body.indexOf('{', body.indexOf("{\"event\""))));
        } else if (shown.isStream()) {
            compareMessages(what, shown.answer(), body);
        } else if (shown.kind().equals("json")) {
            assertThat(JSON.readTree(body).isObject()).as(what).isTrue();
            compareJson(what, shown.answer(), body);
        } else {
            shown.answer().lines().forEach(line -> assertThat(answer).as(what).contains(line));
        }
    }

    private static void compareMessages(String what, String shown, String sent) throws IOException {
        List<String> lines = sent.lines().toList();
        List<String> wanted = shown.lines().toList();
        for (int i = 0; i < wanted.size(); i++) {
            String line = wanted.get(i);
            assertThat(lines.get(i).split(": ", 2)[0]).as(what).isEqualTo(line.split(": ", 2)[0]);
            if (line.startsWith("event: ")) {
                assertThat(lines.get(i)).as(what).isEqualTo(line);
            }
            if (line.startsWith(DATA)) {
                compareJson(what, line.substring(DATA.length()), lines.get(i).substring(DATA.length()));
            }
        }
    }

    private static void compareJson(String what, String shown, String sent) throws IOException {
        JsonNode answer = firstValue(sent);
        assertThat(answer).as(what).isNotNull();
        List<String> differences = new ArrayList<>();
        difference("$", JSON.readTree(shown), answer, differences);
        assertThat(differences).as(what).isEmpty();
    }

    /** Each field that is shown is there, with a value of its kind; others may be there too. */
    private static void difference(String at, JsonNode shown, @Nullable JsonNode sent, List<String> differences) {
        if (sent == null || sent.isMissingNode()) {
            differences.add(at + " is not there");
        } else if (!sent.isNull() && !shown.isNull() && sent.getNodeType() != shown.getNodeType()) {
            differences.add(at + " is " + sent.getNodeType() + " and shown as " + shown.getNodeType());
        } else if (shown.isObject() && sent.isObject()) {
            shown.fields()
                    .forEachRemaining(field -> difference(
                            at + "." + field.getKey(), field.getValue(), sent.get(field.getKey()), differences));
        } else if (shown.isArray() && !shown.isEmpty()) {
            difference(at + "[0]", shown.get(0), sent.get(0), differences);
        } else if (shown.isObject() != sent.isObject() && !shown.isEmpty()) {
            differences.add(at + " is " + sent + " and shown as an object");
        }
    }

    /** The JSON value that a text begins with; null if it is not complete. */
    private static @Nullable JsonNode firstValue(String text) {
        try (JsonParser parser = JSON.getFactory().createParser(text)) {
            return parser.readValueAsTree();
        } catch (IOException e) {
            return null;
        }
    }

    /** That a line which says something else fails is as much of the test as that none does. */
    @Test
    void what_is_shown_and_not_so_is_found() throws Exception {
        List<String> found = new ArrayList<>();
        for (String sent : Stream.of("{\"a\":1}", "{\"a\":\"x\",\"b\":[]}", "{\"a\":null,\"b\":[{\"c\":2}]}")
                .toList()) {
            difference("$", JSON.readTree("{\"a\":7,\"b\":[{\"c\":1}]}"), JSON.readTree(sent), found);
        }
        assertThat(found)
                .containsExactly("$.b is not there", "$.a is STRING and shown as NUMBER", "$.b[0] is not there");
        assertThat(matches("GET /rollups/{name}", "GET /rollups/hourly")).isTrue();
        assertThat(matches("GET /rollups", "GET /rollups/hourly")).isFalse();
    }
}
