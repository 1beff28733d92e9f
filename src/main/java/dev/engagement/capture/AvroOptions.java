package dev.engagement.capture;

import dev.engagement.connection.RegistryConnection;
import java.io.Serializable;

/**
 * Where the schemas of what capture writes in Avro are kept.
 *
 * @param connection how to reach the registry
 * @param autoRegister whether capture registers what is not there; else it only looks it up
 */
public record AvroOptions(RegistryConnection connection, boolean autoRegister) implements Serializable {

    private static final long serialVersionUID = 1L;
}
