package dev.engagement.local;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** YAML as maps, lists and scalars, its merge keys ({@code <<}) resolved. */
final class Yaml {
    private Yaml() {}

    /** All documents of a file, each a map. */
    static List<Map<String, Object>> documents(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            List<Map<String, Object>> documents = new ArrayList<>();
            // The parser closes the stream with the last document.
            new Load(LoadSettings.builder().setLabel(file.toString()).build())
                    .loadAllFromInputStream(in)
                    .forEach(document -> documents.add(map(merged(document))));
            return documents;
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be read", e);
        }
    }

    /** The one document of a file. */
    static Map<String, Object> document(Path file) {
        List<Map<String, Object>> documents = documents(file);
        if (documents.size() != 1) {
            throw new IllegalArgumentException(file + " has " + documents.size() + " documents and not one");
        }
        return documents.get(0);
    }

    /** A value that is known to be a map; empty if there is none. */
    @SuppressWarnings("unchecked")
    static Map<String, Object> map(@Nullable Object value) {
        return value == null ? Map.of() : (Map<String, Object>) value;
    }

    /** A value that is known to be a list; empty if there is none. */
    @SuppressWarnings("unchecked")
    static List<Object> list(@Nullable Object value) {
        return value == null ? List.of() : (List<Object>) value;
    }

    /** The texts of a list. */
    static List<String> texts(@Nullable Object value) {
        return list(value).stream().map(Object::toString).toList();
    }

    private static Object merged(Object value) {
        if (value instanceof List<?> list) {
            return list.stream().map(Yaml::merged).toList();
        }
        if (!(value instanceof Map<?, ?> map)) {
            return value == null ? "" : value;
        }
        Map<String, Object> all = new LinkedHashMap<>();
        if (map.containsKey("<<")) {
            all.putAll(map(merged(map.get("<<"))));
        }
        map.forEach((key, each) -> {
            if (!key.equals("<<")) {
                all.put(key.toString(), merged(each));
            }
        });
        return all;
    }
}
