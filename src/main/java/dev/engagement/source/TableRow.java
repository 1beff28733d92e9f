package dev.engagement.source;

/** What a {@link RebuildSource} gives: all contents, the mark of their end, then events. */
public sealed interface TableRow permits EventRow, ContentRow, TableRow.ContentsEnd {

    /** All contents have been given. */
    record ContentsEnd() implements TableRow {}
}
