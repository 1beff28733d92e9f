package dev.engagement.config;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Collectors;

/** Options in a file of {@code java.util.Properties}, UTF-8. */
final class OptionsFile {
    private OptionsFile() {}

    /** All options of all commands in the file: it is shared by the commands. */
    static Map<String, Given> parse(Given path, List<String> problems) {
        Map<String, Given> options = new LinkedHashMap<>();
        read(path, problems).forEach((name, text) -> {
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

    private static Map<String, String> read(Given path, List<String> problems) {
        Map<String, String> entries = new LinkedHashMap<>();
        // Properties.load puts each entry as it reads it; of two equal keys the first would be lost in silence.
        Properties recorder = new Properties() {
            private static final long serialVersionUID = 1L;

            @Override
            public synchronized Object put(Object key, Object value) {
                if (entries.put((String) key, (String) value) != null) {
                    problems.add("'" + key + "' stands twice in " + path.text() + "; leave one.");
                }
                return super.put(key, value);
            }
        };
        String which = "The configuration file " + path.text() + " (" + path.origin() + ") ";
        try (Reader reader = Files.newBufferedReader(Path.of(path.text()), StandardCharsets.UTF_8)) {
            recorder.load(reader);
        } catch (NoSuchFileException | InvalidPathException e) {
            problems.add(which + "does not exist" + absolute(path.text()) + ".");
        } catch (CharacterCodingException e) {
            problems.add(which + "is not UTF-8; save it as UTF-8.");
        } catch (IOException e) {
            problems.add(which + "cannot be read (" + e.getClass().getSimpleName() + "); is it a file, and readable?");
        } catch (IllegalArgumentException e) {
            problems.add(which + "is malformed: a \\u in it is not followed by four hexadecimal digits; write \\\\u"
                    + " for a backslash and a u.");
        }
        return entries;
    }

    private static String absolute(String path) {
        try {
            Path given = Path.of(path);
            return given.isAbsolute() ? "" : " in " + Path.of("").toAbsolutePath();
        } catch (InvalidPathException e) {
            return "";
        }
    }
}
