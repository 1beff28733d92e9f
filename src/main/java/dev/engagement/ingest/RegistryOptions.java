package dev.engagement.ingest;

import dev.engagement.connection.RegistryConnection;
import java.io.Serializable;

/**
 * Where the schemas of what is read are.
 *
 * @param connection how to reach the registry
 * @param idBytes how many bytes an id has behind the magic byte: 4, or 8 as Apicurio's own clients write it
 */
public record RegistryOptions(RegistryConnection connection, int idBytes) implements Serializable {

    private static final long serialVersionUID = 1L;

    public RegistryOptions {
        if (idBytes != Integer.BYTES && idBytes != Long.BYTES) {
            throw new IllegalArgumentException(
                    "registry.id-bytes is " + idBytes + "; it must be 4, or 8 as Apicurio's own clients write ids");
        }
    }

    WireFormat wire() {
        return new WireFormat(idBytes);
    }
}
