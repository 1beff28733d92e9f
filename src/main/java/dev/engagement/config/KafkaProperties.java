package dev.engagement.config;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The open namespace {@code kafka.properties.*}: anything a Kafka client knows, but no secret. What stands here travels
 * in the job graph, so a secret may stand only as a reference that the client itself resolves where it runs.
 */
final class KafkaProperties {
    private KafkaProperties() {}

    /** {@code ${provider:path:key}}, as Kafka reads it. */
    private static final Pattern REFERENCE = Pattern.compile("\\$\\{([^}]*?):(([^}]*?):)?([^}]*?)}");

    private static final Pattern USER_AND_PASSWORD = Pattern.compile("://[^/@\\s]*:[^/@\\s]*@");

    private static final Pattern JAAS_OPTION =
            Pattern.compile("([A-Za-z0-9_.\\-]+)\\s*=\\s*(\"(?:[^\"\\\\]|\\\\.)*\"|'(?:[^'\\\\]|\\\\.)*'|[^\\s;]+)");

    /** Options of login modules that are no secrets. */
    private static final Set<String> OPEN_JAAS_OPTIONS = Set.of(
            "clientid",
            "debug",
            "donotprompt",
            "isinitiator",
            "keytab",
            "principal",
            "refreshkrb5config",
            "renewtgt",
            "scope",
            "servicename",
            "storekey",
            "ticketcache",
            "tokenauth",
            "usekeytab",
            "username",
            "useticketcache");

    /** Properties that have a key of their own. */
    private static final Map<String, String> OWN_KEYS = Map.of(
            "bootstrap.servers", Keys.KAFKA_BOOTSTRAP_SERVERS.name(),
            "group.id", Keys.KAFKA_GROUP_ID.name());

    /** The properties without their common prefix, checked. */
    static Map<String, String> check(Map<String, Given> given, List<String> problems) {
        Map<String, String> properties = new TreeMap<>();
        given.forEach((name, value) ->
                properties.put(name.substring(Keys.KAFKA_PROPERTIES.name().length()), value.text()));
        properties.forEach((property, text) -> {
            String name = Keys.KAFKA_PROPERTIES.name() + property;
            Given from = given.get(name);
            String where = name + " (" + (from == null ? "" : from.origin()) + ") ";
            String own = OWN_KEYS.get(property);
            if (own != null) {
                problems.add(where + "has a key of its own; use " + own + ".");
            } else if (isRawSecret(property, text)) {
                problems.add(
                        where + "is a secret, and what stands there travels in the job graph; put it into a file on"
                                + " every machine and write a reference to it, such as"
                                + " ${file:/run/secrets/kafka.properties:password}, with"
                                + " kafka.properties.config.providers=file and kafka.properties.config.providers.file.class="
                                + "org.apache.kafka.common.config.provider.FileConfigProvider (or env and"
                                + " EnvVarConfigProvider)"
                                + (property.endsWith("jaas.config")
                                        ? "; a reference may also stand inside for the password"
                                        : "")
                                + ".");
            } else if (USER_AND_PASSWORD.matcher(text).find()) {
                problems.add(where + "contains a URL with a password; leave the password out of it.");
            } else if (Keys.isSecretKafkaProperty(property.toLowerCase(Locale.ROOT))) {
                checkProviders(where, text, properties, problems);
            }
        });
        return properties;
    }

    private static boolean isRawSecret(String property, String text) {
        if (text.isEmpty() || !Keys.isSecretKafkaProperty(property.toLowerCase(Locale.ROOT))) {
            return false;
        }
        if (REFERENCE.matcher(text).matches()) {
            return false;
        }
        return !property.toLowerCase(Locale.ROOT).endsWith("jaas.config") || hasRawJaasOption(text);
    }

    /** Whether a login module's option, other than those that are open, is anything but a reference. */
    private static boolean hasRawJaasOption(String text) {
        Matcher option = JAAS_OPTION.matcher(text);
        while (option.find()) {
            String value = option.group(2).replaceAll("^[\"']|[\"']$", "");
            boolean open = OPEN_JAAS_OPTIONS.contains(option.group(1).toLowerCase(Locale.ROOT));
            if (!open && !REFERENCE.matcher(value).matches()) {
                return true;
            }
        }
        return false;
    }

    private static void checkProviders(
            String where, String text, Map<String, String> properties, List<String> problems) {
        List<String> providers = Arrays.stream(
                        properties.getOrDefault("config.providers", "").split(",", -1))
                .map(String::trim)
                .toList();
        Matcher reference = REFERENCE.matcher(text);
        while (reference.find()) {
            String provider = reference.group(1);
            if (!providers.contains(provider) || !properties.containsKey("config.providers." + provider + ".class")) {
                problems.add(where + "refers to the config provider '" + provider
                        + "', which is not configured; Kafka would take the reference for the secret itself. Set"
                        + " kafka.properties.config.providers=" + provider + " and kafka.properties.config.providers."
                        + provider + ".class, for example"
                        + " org.apache.kafka.common.config.provider."
                        + (provider.equals("env") ? "EnvVarConfigProvider" : "FileConfigProvider") + ".");
            }
        }
    }
}
