package dev.engagement.config;

import dev.engagement.options.Nearest;
import dev.engagement.options.PropertiesFile;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Options in a file of {@code java.util.Properties}, UTF-8. */
final class OptionsFile {
    private OptionsFile() {}

    /** Before every option that is the API's alone, which may stand in the same file, and which the API itself checks. */
    private static final String OF_API = "api.";

    /** All options of all commands in the file: it is shared by the commands, and by the API. */
    static Map<String, Given> parse(Given path, List<String> problems) {
        Map<String, Given> options = new LinkedHashMap<>();
        PropertiesFile.read(path.text(), path.origin(), problems).forEach((name, text) -> {
            if (name.startsWith(OF_API)) {
                return;
            }
            Optional<Key<?>> key = Keys.named(name).filter(k -> k.kind() != Key.Kind.FILE);
            if (key.isEmpty()) {
                problems.add("Unknown key '" + name + "' in " + path.text() + Nearest.hint(name, NAMES, "")
                        + (Nearest.to(name, NAMES).isEmpty() ? "; --help lists all." : ""));
            } else if (key.get().isSecret()) {
                problems.add(name + " stands in " + path.text() + ", but is a secret; put it into "
                        + Key.waysOfSecret(name) + ".");
            } else if (key.get().isForOneStart()) {
                problems.add(name + " stands in " + path.text()
                        + ", but is for one start only; give it on the command line, --" + name + ".");
            } else {
                options.put(name, new Given(text, path.text()));
            }
        });
        return options;
    }

    private static final List<String> NAMES = Keys.ALL.stream()
            .filter(key -> key.kind() == Key.Kind.VALUE || key.kind() == Key.Kind.NAMESPACE)
            .map(Key::name)
            .collect(Collectors.toUnmodifiableList());
}
