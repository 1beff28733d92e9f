package dev.engagement.rowstore;

import java.io.Serializable;

/**
 * What a store is called in messages.
 *
 * @param product such as {@code BigQuery}
 * @param destination as {@code destinations} names it, and as its options and its metrics begin
 */
public record StoreName(String product, String destination) implements Serializable {

    private static final long serialVersionUID = 1L;

    /** The full name of one of its options. */
    public String option(String key) {
        return destination + "." + key;
    }

    /** The option that lets a job go on although its rows could be there twice. */
    public String acceptDuplicates() {
        return "--accept-" + destination + "-duplicates";
    }
}
