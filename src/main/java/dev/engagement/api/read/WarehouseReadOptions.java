package dev.engagement.api.read;

import java.net.URI;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The warehouse's table of events, for who reads single rows of it.
 *
 * @param project BigQuery's project, which also pays for the questions
 * @param dataset of the table
 * @param table as the job writes it
 * @param endpoint where BigQuery answers REST; {@code http://} is a local emulator, which gets no credentials
 * @param credentialsFile a service account's key file; null: the API has none, and asks none but an emulator
 * @param timeout how long the answer may take, with whatever is needed for it
 * @param maxBytes how much of the table a question may read; BigQuery refuses one that would read more
 */
public record WarehouseReadOptions(
        String project,
        String dataset,
        String table,
        URI endpoint,
        @Nullable String credentialsFile,
        Duration timeout,
        long maxBytes) {

    private static final Duration LONGEST_TIMEOUT = Duration.ofMinutes(1);

    public WarehouseReadOptions {
        // They stand in a statement, where parameters cannot: none of these has a quote or a backslash.
        matches("warehouse.project", project, "[a-z0-9.:-]{1,63}", "as BigQuery's projects are called");
        matches("warehouse.dataset", dataset, "\\w{1,1024}", "letters, digits and underscores");
        matches("warehouse.table", table, "[\\p{L}\\p{M}\\p{N}\\p{Pc}\\p{Pd} ]{1,1024}", "letters, digits, - and _");
        if (timeout.compareTo(Duration.ofSeconds(1)) < 0 || timeout.compareTo(LONGEST_TIMEOUT) > 0) {
            throw new IllegalArgumentException("api.warehouse-timeout is " + timeout
                    + "; it must be 1 s to 1 min: whoever asks waits for as long while BigQuery is away");
        }
        if (maxBytes < 1) {
            throw new IllegalArgumentException("api.warehouse-max-bytes is " + maxBytes + "; it must be positive");
        }
    }

    /** Without TLS, hence without credentials. */
    boolean isPlain() {
        return "http".equals(endpoint.getScheme());
    }

    private static void matches(String option, String value, String pattern, String said) {
        if (!value.matches(pattern)) {
            throw new IllegalArgumentException(option + " is '" + value + "'; it must be a name: " + said);
        }
    }
}
