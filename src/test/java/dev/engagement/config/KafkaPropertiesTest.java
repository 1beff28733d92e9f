package dev.engagement.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KafkaPropertiesTest {

    private static final Map<String, String> FILE_PROVIDER = Map.of(
            "config.providers",
            "file",
            "config.providers.file.class",
            "org.apache.kafka.common.config.provider.FileConfigProvider");

    private final List<String> problems = new ArrayList<>();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "security.protocol=SASL_SSL",
                "ssl.truststore.location=/etc/kafka/truststore.jks",
                "sasl.oauthbearer.token.endpoint.url=https://login.example.org/token",
                "compression.type=zstd",
                "ssl.truststore.password=",
                "sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true"
                        + " keyTab=\"/etc/kafka.keytab\" principal=\"flink@EXAMPLE.ORG\";",
            })
    void whatIsNoSecretPasses(String property) {
        assertThat(check(property, Map.of())).containsEntry(name(property), text(property));
        assertThat(problems).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ssl.key.password=hunter2",
                "SSL.Keystore.Password=hunter2",
                "ssl.keystore.key=-----BEGIN hunter2",
                "basic.auth.user.info=u:hunter2",
                "sasl.oauthbearer.client.secret=hunter2",
                "config.providers.vault.param.token=hunter2",
                "ssl.key.password=x${file:/run/secrets/kafka:password}hunter2",
                "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\""
                        + " password=\"hunter2\";",
                "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required"
                        + " username=\"${file:/run/secrets/kafka:user}\" password='hunter2';",
                "sasl.jaas.config=a.B required clientSecret=hunter2;",
                "consumer.interceptor.url=https://u:hunter2@example.org",
            })
    void rawSecretIsRefusedAndNotRepeated(String property) {
        check(property, FILE_PROVIDER);

        assertThat(problems).singleElement().asString().contains(name(property)).doesNotContain("hunter2");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ssl.key.password=${file:/run/secrets/kafka.properties:password}",
                "sasl.jaas.config=${file:/run/secrets/kafka.properties:jaas}",
                "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=\"u\""
                        + " password=\"${file:/run/secrets/kafka.properties:password}\";",
            })
    void referencePassesIfItsProviderIsConfigured(String property) {
        assertThat(check(property, FILE_PROVIDER)).containsEntry(name(property), text(property));
        assertThat(problems).isEmpty();

        check(property, Map.of());

        assertThat(problems)
                .singleElement()
                .asString()
                .contains("'file', which is not configured", "kafka.properties.config.providers=file");
    }

    @Test
    void referenceToTheEnvironmentIsOne() {
        check("ssl.key.password=${env:KAFKA_PASSWORD}", FILE_PROVIDER);

        assertThat(problems).singleElement().asString().contains("'env', which is not configured");
    }

    @Test
    void propertiesWithAKeyOfTheirOwnAreRefused() {
        check("bootstrap.servers=a:1", Map.of());
        check("group.id=g", Map.of());

        assertThat(problems)
                .satisfiesExactly(
                        problem -> assertThat(problem).contains("use kafka.bootstrap-servers"),
                        problem -> assertThat(problem).contains("use kafka.group-id"));
    }

    @Test
    void environmentNamesThemWithUnderscoresForDots() {
        Settings settings = Settings.parse(
                Command.STREAM,
                new String[] {"--destinations=liveview"},
                Map.of("ENGAGEMENT_KAFKA_PROPERTIES_SECURITY_PROTOCOL", "SSL"));

        assertThat(settings.kafka().properties()).containsExactly(Map.entry("security.protocol", "SSL"));
    }

    private Map<String, String> check(String property, Map<String, String> others) {
        Map<String, Given> given = new TreeMap<>();
        others.forEach((name, text) -> given.put("kafka.properties." + name, new Given(text, "test")));
        given.put("kafka.properties." + name(property), new Given(text(property), "test"));
        return KafkaProperties.check(given, problems);
    }

    private static String name(String property) {
        return property.substring(0, property.indexOf('='));
    }

    private static String text(String property) {
        return property.substring(property.indexOf('=') + 1);
    }
}
