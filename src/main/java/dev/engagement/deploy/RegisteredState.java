package dev.engagement.deploy;

import java.util.List;

/**
 * A state that an operator has registered.
 *
 * @param name unique in its operator and kind
 * @param kind how it is kept and shared, such as {@code keyed map} or {@code operator union list}
 * @param serializers sorted by role
 */
record RegisteredState(String name, String kind, List<StateSerializer> serializers) {

    /** The role of the serializer of the key that the operator's stream is keyed by. */
    static final String KEY = "KEY";

    RegisteredState {
        serializers = List.copyOf(serializers);
    }
}
