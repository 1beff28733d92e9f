package dev.engagement.api.web;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.api.read.Health;

/**
 * What health checks are answered. {@code live}: the process answers. {@code ready}: its stores answer as well. A store
 * that is away is no reason to start the process again, nor to hide it: it says itself what it cannot show.
 */
public final class HealthAnswers {

    private static final String STATUS = "status";

    private HealthAnswers() {}

    /** That the process answers. */
    public static ObjectNode live() {
        return JsonNodeFactory.instance.objectNode().put(STATUS, "up");
    }

    /** Whether its stores do. */
    public static ObjectNode ready(Health health) {
        return JsonNodeFactory.instance
                .objectNode()
                .put(STATUS, isReady(health) ? "ready" : "not ready")
                .put("redis", health.redis())
                .put("postgres", health.postgres())
                .put("why", health.why());
    }

    /** Whether all of them do. */
    public static boolean isReady(Health health) {
        return health.redis() && health.postgres();
    }
}
