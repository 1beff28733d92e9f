package dev.engagement.connection.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.RegistryConnection;
import dev.engagement.connection.SecretRef;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SchemaRegistryTest {

    @TempDir
    Path folder;

    private SmallRegistry server;
    private SchemaRegistry registry;

    @BeforeEach
    void start() throws IOException {
        server = new SmallRegistry();
        registry = new SchemaRegistry(server.connection());
    }

    @AfterEach
    void stop() {
        server.close();
    }

    @Test
    void a_schema_comes_with_its_type_and_all_that_it_refers_to() throws Exception {
        int deepest = server.add("PROTOBUF", "message A {}");
        int middle = server.add("PROTOBUF", "message B {}", "a.proto", Integer.toString(deepest));
        int id = server.add(
                "PROTOBUF", "message C {}", "b.proto", Integer.toString(middle), "a.proto", Integer.toString(deepest));

        assertThat(registry.schema(id))
                .isEqualTo(new RegisteredSchema(
                        "PROTOBUF",
                        "message C {}",
                        List.of(
                                new RegisteredSchema.Reference("a.proto", "message A {}"),
                                new RegisteredSchema.Reference("b.proto", "message B {}"))));
        assertThat(registry.schema(server.add(RegisteredSchema.AVRO, "\"string\"")))
                .isEqualTo(new RegisteredSchema(RegisteredSchema.AVRO, "\"string\"", List.of()));
    }

    @Test
    void an_id_that_is_not_known_is_an_answer() throws Exception {
        assertThat(registry.schema(7)).isNull();
        assertThat(registry.schema(server.add("PROTOBUF", "message C {}", "b.proto", "99")))
                .as("nor one that refers to what is not known")
                .isNull();
    }

    /** A wrong path or a proxy would make dead letters of everything. */
    @Test
    void no_other_answer_says_that_an_id_is_not_known() {
        for (int status : new int[] {301, 400, 401, 403, 404, 408, 429, 500, 502, 503}) {
            server.status = status;
            for (String body : List.of("", "not found", "{}", "{\"error_code\":404}", "{\"error_code\":40401}")) {
                server.body = body;
                assertThatThrownBy(() -> registry.schema(1))
                        .as("%s %s", status, body)
                        .isInstanceOf(RegistryException.class)
                        .hasMessageContaining(Integer.toString(status))
                        .hasMessageContaining(server.url().toString());
            }
        }
        server.status = 200;
        server.body = "<html>welcome</html>";
        assertThatThrownBy(() -> registry.schema(1)).isInstanceOf(RegistryException.class);
        server.body = "{\"subject\":\"x\"}";
        assertThatThrownBy(() -> registry.schema(1)).hasMessageContaining("without 'schema'");
    }

    @Test
    void a_registry_that_is_away_is_no_answer_and_is_reached_again() throws Exception {
        RegistryConnection connection = server.connection();
        server.close();
        assertThatThrownBy(() -> new SchemaRegistry(connection).schema(1))
                .isInstanceOf(RegistryException.class)
                .hasMessageContaining("registry.url");
    }

    @Test
    void user_and_password_are_sent_and_never_told() throws Exception {
        Path secret = folder.resolve("secret");
        Files.writeString(secret, "s3cr3t\n");
        RegistryConnection connection =
                new RegistryConnection(server.url(), "key", SecretRef.inFile("registry.password", secret.toString()));
        SchemaRegistry guarded = new SchemaRegistry(connection);
        guarded.schema(1);
        assertThat(server.authorization)
                .isEqualTo(
                        "Basic " + Base64.getEncoder().encodeToString("key:s3cr3t".getBytes(StandardCharsets.UTF_8)));

        server.status = 401;
        assertThatThrownBy(() -> guarded.schema(1))
                .hasMessageContaining("registry.username")
                .hasMessageNotContaining("s3cr3t");
        assertThat(connection.toString()).doesNotContain("s3cr3t");
        Files.delete(secret);
        assertThatThrownBy(() -> guarded.schema(1))
                .isInstanceOf(RegistryException.class)
                .hasMessageContaining(secret.toString());
    }

    @Test
    void a_user_needs_a_password_and_the_other_way_round() {
        assertThatThrownBy(() -> new RegistryConnection(server.url(), "key", SecretRef.none()))
                .hasMessageContaining("registry.password.secret-file");
        assertThatThrownBy(() -> new RegistryConnection(server.url(), null, SecretRef.inFile("registry.password", "x")))
                .hasMessageContaining("registry.username");
    }

    @Test
    void registering_and_finding_go_to_the_subject() throws Exception {
        assertThat(registry.find("a topic-value", "\"int\"")).isNull();
        int id = registry.register("a topic-value", "\"int\"");
        assertThat(registry.find("a topic-value", "\"int\"")).isEqualTo(id);
        assertThat(server.requests)
                .containsExactly(
                        "POST /base/subjects/a topic-value",
                        "POST /base/subjects/a topic-value/versions",
                        "POST /base/subjects/a topic-value");
        server.status = 409;
        server.body = "{\"error_code\":409,\"message\":\"incompatible\"}";
        assertThatThrownBy(() -> registry.register("a topic-value", "\"long\""))
                .hasMessageContaining("incompatible")
                .hasMessageContaining("refuses the schema");
    }
}
