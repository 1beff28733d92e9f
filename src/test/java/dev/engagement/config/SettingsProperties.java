package dev.engagement.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.options.Nearest;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.StringLength;

class SettingsProperties {

    @Property
    void slipOfOneCharacterIsUnderstood(
            @ForAll("names") String name,
            @ForAll("kinds") int kind,
            @ForAll int position,
            @ForAll @AlphaChars char typed) {
        int at = Math.floorMod(position, name.length() - 1);
        String slip =
                switch (kind) {
                    case 0 -> name.substring(0, at) + name.substring(at + 1);
                    case 1 -> name.substring(0, at) + typed + name.substring(at);
                    case 2 -> name.substring(0, at) + typed + name.substring(at + 1);
                    default -> name.substring(0, at) + name.charAt(at + 1) + name.charAt(at) + name.substring(at + 2);
                };

        assertThat(Nearest.distance(slip, name)).isLessThanOrEqualTo(1);
        assertThat(Nearest.to(slip, namesList())).get().satisfies(meant -> assertThat(Nearest.distance(slip, meant))
                .isLessThanOrEqualTo(1));
    }

    @Property
    void distanceIsThatOfTheDefinition(
            @ForAll @StringLength(max = 6) @AlphaChars String from,
            @ForAll @StringLength(max = 6) @AlphaChars String to) {
        String a = from.toLowerCase(java.util.Locale.ROOT).replaceAll("[d-z]", "a");
        String b = to.toLowerCase(java.util.Locale.ROOT).replaceAll("[d-z]", "a");

        assertThat(Nearest.distance(a, b)).isEqualTo(byDefinition(a, b)).isEqualTo(Nearest.distance(b, a));
    }

    @Property
    void nearerSourceWins(@ForAll boolean onCommandLine, @ForAll boolean inEnvironment, @ForAll("texts") String text) {
        Map<String, String> environment = new HashMap<>(Map.of("ENGAGEMENT_WAREHOUSE_PROJECT", "w"));
        if (inEnvironment) {
            environment.put("ENGAGEMENT_KAFKA_GROUP_ID", "e" + text);
        }
        String[] args = onCommandLine ? new String[] {"--kafka.group-id=c" + text} : new String[0];

        String group = Settings.parse(Command.STREAM, args, environment)
                .ingestOptions()
                .groupId();

        assertThat(group).isEqualTo(onCommandLine ? "c" + text : inEnvironment ? "e" + text : "engagement-stream");
    }

    private static int byDefinition(String a, String b) {
        if (a.isEmpty() || b.isEmpty()) {
            return a.length() + b.length();
        }
        String restA = a.substring(1);
        String restB = b.substring(1);
        int best = byDefinition(restA, restB) + (a.charAt(0) == b.charAt(0) ? 0 : 1);
        best = Math.min(best, 1 + Math.min(byDefinition(restA, b), byDefinition(a, restB)));
        if (a.length() > 1 && b.length() > 1 && a.charAt(0) == b.charAt(1) && a.charAt(1) == b.charAt(0)) {
            best = Math.min(best, 1 + byDefinition(a.substring(2), b.substring(2)));
        }
        return best;
    }

    @Provide
    Arbitrary<String> names() {
        return Arbitraries.of(namesList());
    }

    @Provide
    Arbitrary<Integer> kinds() {
        return Arbitraries.integers().between(0, 3);
    }

    @Provide
    Arbitrary<String> texts() {
        return Arbitraries.strings()
                .withCharRange('a', 'z')
                .withChars("=-._ /:")
                .ofMaxLength(20)
                .map(String::trim);
    }

    private static List<String> namesList() {
        return Keys.ALL.stream().map(Key::name).toList();
    }
}
