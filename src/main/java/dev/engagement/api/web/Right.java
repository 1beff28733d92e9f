package dev.engagement.api.web;

/** What a request needs to be allowed. */
public enum Right {
    /** Nothing: the login page, its files, whether the process lives. */
    NONE,
    /** To see what is stored. */
    READ,
    /** To send events. */
    WRITE,
    /** To see numbers about the API itself. */
    METRICS
}
