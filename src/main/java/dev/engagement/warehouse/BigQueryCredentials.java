package dev.engagement.warehouse;

import com.google.auth.oauth2.GoogleCredentials;
import dev.engagement.rowstore.RowStoreRefusedException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Who the job is, for BigQuery. Read where it is used: neither key nor token is in the job graph or in a message. */
final class BigQueryCredentials {

    private static final List<String> SCOPES = List.of("https://www.googleapis.com/auth/bigquery");

    private BigQueryCredentials() {}

    /**
     * The credentials of this machine.
     *
     * @return null for plain endpoints, which get none
     * @throws RowStoreRefusedException if they are not where they should be
     */
    static @Nullable GoogleCredentials of(WarehouseOptions options) {
        if (options.endpoints().isPlain()) {
            return null;
        }
        String file = options.credentialsFile();
        if (file == null) {
            try {
                return GoogleCredentials.getApplicationDefault().createScoped(SCOPES);
            } catch (IOException e) {
                throw new RowStoreRefusedException(
                        "The warehouse needs credentials, and this machine has no application default credentials. Set"
                                + " warehouse.credentials-file to a service account's key file that is on every machine"
                                + " of the cluster, or run where Google provides them",
                        e);
            }
        }
        try (InputStream key = Files.newInputStream(Path.of(file))) {
            return GoogleCredentials.fromStream(key).createScoped(SCOPES);
        } catch (IOException e) {
            // The cause's text may quote the file.
            throw new RowStoreRefusedException("warehouse.credentials-file is " + file
                    + ", which is not a readable key file on this machine ("
                    + e.getClass().getSimpleName() + "); it has to be on every machine of the cluster");
        }
    }
}
