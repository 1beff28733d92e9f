package dev.engagement.source;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one statement, fetched some at a time. Closing it ends its transaction.
 *
 * @param <T> a row
 */
public final class RowCursor<T> implements AutoCloseable {

    /** Makes a row of where a result stands. */
    @FunctionalInterface
    public interface Mapper<T> {
        T map(ResultSet row) throws SQLException;
    }

    private final Connection connection;
    private final PreparedStatement statement;
    private final ResultSet rows;
    private final Mapper<T> mapper;

    private RowCursor(Connection connection, PreparedStatement statement, ResultSet rows, Mapper<T> mapper) {
        this.connection = connection;
        this.statement = statement;
        this.rows = rows;
        this.mapper = mapper;
    }

    /** Runs the statement, in whose connection no autocommit is: PostgreSQL keeps a cursor for the transaction only. */
    public static <T> RowCursor<T> open(PreparedStatement statement, int fetchRows, Mapper<T> mapper)
            throws SQLException {
        Connection connection = statement.getConnection();
        if (connection.getAutoCommit()) {
            throw new IllegalStateException("With autocommit the driver would fetch all rows at once");
        }
        statement.setFetchSize(fetchRows);
        return new RowCursor<>(connection, statement, statement.executeQuery(), mapper);
    }

    /** The next row, or null behind the last. */
    @Nullable
    public T next() throws SQLException {
        return rows.next() ? mapper.map(rows) : null;
    }

    /**
     * Adds the next rows to a list.
     *
     * @return whether there may be more
     */
    public boolean next(List<? super T> into, int max) throws SQLException {
        for (int i = 0; i < max; i++) {
            if (!rows.next()) {
                return false;
            }
            into.add(mapper.map(rows));
        }
        return true;
    }

    @Override
    public void close() throws SQLException {
        rows.close();
        statement.close();
        connection.rollback();
    }
}
