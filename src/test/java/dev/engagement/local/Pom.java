package dev.engagement.local;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Versions as the POM says them. */
final class Pom {
    private Pom() {}

    /** The value of a property. */
    static String property(String name) {
        try {
            Matcher property = Pattern.compile('<' + Pattern.quote(name) + ">([^<]+)<")
                    .matcher(Files.readString(Path.of("pom.xml")));
            if (!property.find()) {
                throw new IllegalArgumentException("pom.xml has no property " + name);
            }
            return property.group(1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
