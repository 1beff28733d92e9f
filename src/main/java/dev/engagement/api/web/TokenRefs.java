package dev.engagement.api.web;

import dev.engagement.connection.SecretRef;

/**
 * Where the tokens are to be found.
 *
 * @param all allows everything
 * @param read allows reading, the page too
 * @param write allows sending events
 * @param metrics allows to ask for numbers about the API
 */
public record TokenRefs(SecretRef all, SecretRef read, SecretRef write, SecretRef metrics) {

    /** No tokens: everybody who reaches the address may do everything. */
    public static TokenRefs none() {
        return new TokenRefs(SecretRef.none(), SecretRef.none(), SecretRef.none(), SecretRef.none());
    }

    /** Whether whoever reaches the address may do that without a token. */
    public boolean isOpen(Right right) {
        return !all.isPresent()
                && switch (right) {
                    case NONE -> true;
                    case READ -> !read.isPresent();
                    case WRITE -> !write.isPresent();
                    case METRICS -> !metrics.isPresent();
                };
    }
}
