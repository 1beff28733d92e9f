package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** That the local ClickHouse behaves as clients expect of one. */
class ClickHouseProcessIT {

    @TempDir
    static Path directory;

    private static ClickHouseProcess server;

    @BeforeAll
    static void start() {
        server = ClickHouseProcess.start(directory.resolve("click house"), 0);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void rows_that_it_took_are_there_after_it_was_killed() {
        server.query(
                "CREATE TABLE kept (n UInt32, t String) ENGINE = MergeTree ORDER BY n SETTINGS fsync_after_insert = 1");
        server.insert("INSERT INTO kept FORMAT RowBinary", row(7, "a\0\n"));

        server.kill();
        server.restart();

        assertThat(server.query("SELECT n, hex(t) FROM kept")).isEqualTo("7\t61000A\n");
    }

    @Test
    void rows_that_do_not_fit_are_refused_whole() {
        server.query("CREATE TABLE whole (n UInt32, t String) ENGINE = MergeTree ORDER BY n");
        byte[] good = row(7, "a");
        byte[] cut = ByteBuffer.allocate(good.length * 2 - 1)
                .put(good)
                .put(good, 0, good.length - 1)
                .array();

        assertThatThrownBy(() -> server.insert("INSERT INTO whole FORMAT RowBinary", cut))
                .hasMessageContaining("CANNOT_READ_ALL_DATA");
        assertThat(server.query("SELECT count() FROM whole")).isEqualTo("0\n");
    }

    @Test
    void a_lost_answer_is_of_rows_that_are_there() {
        server.query("CREATE TABLE lost (n UInt32, t String) ENGINE = MergeTree ORDER BY n");
        server.faults("[{\"statement\": \"INSERT INTO lost\", \"does\": \"LOSE_ANSWER\"}]");

        assertThatThrownBy(() -> server.insert("INSERT INTO lost FORMAT RowBinary", row(1, "a")))
                .isInstanceOf(ServerException.class);
        assertThat(server.query("SELECT count() FROM lost")).isEqualTo("1\n");
        server.faults("[]");
    }

    @Test
    void errors_have_their_number() {
        assertThatThrownBy(() -> server.query("SELECT * FROM none")).hasMessageContaining("Code: 60.");
    }

    private static byte[] row(int number, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(Integer.BYTES + 1 + bytes.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(number)
                .put((byte) bytes.length)
                .put(bytes)
                .array();
    }
}
