package dev.engagement.capture;

import java.util.List;

/** Which columns of a table are read; no other is. */
interface ReadColumns {

    /** Their names. */
    List<String> columns();

    /** Whether whoever uses that column takes PostgreSQL's text of any value. */
    boolean isText(String column);
}
