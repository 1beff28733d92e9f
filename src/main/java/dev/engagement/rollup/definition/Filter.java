package dev.engagement.rollup.definition;

import java.io.Serializable;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Which events a rollup is about: those of one of the types, in which every one of the fields is present. Immutable.
 *
 * @param eventTypes any if empty; iterated in the order of their characters
 * @param presentFields fields at the top of {@code raw_payload} that have to be there and not be null; iterated likewise
 */
public record Filter(Set<String> eventTypes, Set<String> presentFields) implements Serializable {

    private static final long serialVersionUID = 1L;

    public Filter {
        eventTypes = sorted(eventTypes);
        presentFields = sorted(presentFields);
    }

    /** Whether every event passes. */
    boolean isOfAll() {
        return eventTypes.isEmpty() && presentFields.isEmpty();
    }

    /** As it stands in {@code where}. */
    public String text() {
        return Stream.concat(eventTypes.stream(), presentFields.stream().map(PayloadField::text))
                .collect(Collectors.joining(","));
    }

    /** One order in every JVM, which {@link Set#copyOf} does not have: texts and job graphs are compared. */
    static Set<String> sorted(Collection<String> texts) {
        return Collections.unmodifiableSet(new LinkedHashSet<>(new TreeSet<>(texts)));
    }
}
