package dev.engagement.local;

import java.util.List;
import java.util.UUID;
import java.util.function.Function;

/** The destinations that are compared with the source, by the self-check and by the fault harness: one place for both. */
public final class DestinationChecks {

    private DestinationChecks() {}

    /**
     * A check of each destination that exists.
     *
     * @param source with {@link Schema}, and the rollups' tables in its database {@value PostgresServer#ANALYTICS}
     * @param bootstrapServers of Kafka, which holds the dead letters
     * @param versions every version that a content had, as far as known; the present row counts without it
     */
    public static List<DestinationCheck> of(
            PostgresServer source,
            RedisServer liveView,
            BigQueryProcess warehouse,
            ReceiverProcess receiver,
            String bootstrapServers,
            Function<UUID, List<ContentRow>> versions) {
        return List.of(
                new RedisCheck(source, liveView, versions),
                new WarehouseCheck(source, sql -> warehouse.query(BigQueryProcess.PROJECT, sql), versions),
                new DeliveryCheck(source, receiver::get, () -> DeadLetters.eventIds(bootstrapServers, "UNDELIVERABLE")),
                new RollupCheck(source, liveView, versions));
    }
}
