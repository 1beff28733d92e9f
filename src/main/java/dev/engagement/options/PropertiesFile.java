package dev.engagement.options;

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
import java.util.Properties;

/** A file of {@code java.util.Properties}, UTF-8, as a person wrote it. */
public final class PropertiesFile {
    private PropertiesFile() {}

    /**
     * Its entries in their order; of a name that stands twice the last, and a problem.
     *
     * @param path of the file
     * @param origin who said so, for messages
     * @param problems gets a sentence for whatever is wrong with the file
     */
    public static Map<String, String> read(String path, String origin, List<String> problems) {
        Map<String, String> entries = new LinkedHashMap<>();
        // Properties.load puts each entry as it reads it; of two equal keys the first would be lost in silence.
        Properties recorder = new Properties() {
            private static final long serialVersionUID = 1L;

            @Override
            public synchronized Object put(Object key, Object value) {
                if (entries.put((String) key, (String) value) != null) {
                    problems.add("'" + key + "' stands twice in " + path + "; leave one.");
                }
                return super.put(key, value);
            }
        };
        String which = "The configuration file " + path + " (" + origin + ") ";
        try (Reader reader = Files.newBufferedReader(Path.of(path), StandardCharsets.UTF_8)) {
            recorder.load(reader);
        } catch (NoSuchFileException | InvalidPathException e) {
            problems.add(which + "does not exist" + absolute(path) + ".");
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
