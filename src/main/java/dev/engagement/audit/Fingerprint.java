package dev.engagement.audit;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * A number that says which ids there are, whatever their order: the sum, over distinct ids, of the first 60 bits of MD5 of
 * the id in decimal. Every store computes it by itself, so that a minute of millions of rows is one number to fetch. Two
 * sets that differ have one number by chance once in 2^60; nobody is kept from making such sets.
 *
 * <p>The same in DuckDB: {@code sum(DISTINCT ('0x' || substr(md5(id::VARCHAR), 1, 15))::BIGINT)}.
 */
final class Fingerprint {

    private static final int UNUSED_BITS = 4;

    private Fingerprint() {}

    /** What one id adds. */
    static BigInteger of(long id) {
        try {
            byte[] hash =
                    MessageDigest.getInstance("MD5").digest(Long.toString(id).getBytes(StandardCharsets.US_ASCII));
            return BigInteger.valueOf(ByteBuffer.wrap(hash).getLong() >>> UNUSED_BITS);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has MD5", e);
        }
    }

    /**
     * The sum in PostgreSQL's SQL.
     *
     * @param id a column of distinct integers
     */
    static String inPostgres(String id) {
        return "sum(('x' || substr(md5(" + id + "::text), 1, 15))::bit(60)::bigint)";
    }

    /**
     * The sum in GoogleSQL, of type NUMERIC.
     *
     * @param id a column of integers
     */
    static String inBigQuery(String id) {
        return "SUM(DISTINCT CAST(CAST(CONCAT('0x', SUBSTR(TO_HEX(MD5(CAST(" + id
                + " AS STRING))), 1, 15)) AS INT64) AS NUMERIC))";
    }
}
