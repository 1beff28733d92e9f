package dev.engagement.capture;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.SecretRef;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class SourceDatabaseTest {

    /** As one behind a firewall that drops packets: the connection is made, by the backlog, and then nothing comes. */
    @Test
    @Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void a_database_that_never_answers_is_an_error_and_no_wait_for_ever() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            String url =
                    "jdbc:postgresql://localhost:" + silent.getLocalPort() + "/db?sslmode=disable&gssEncMode=disable";
            SourceDatabase database = new SourceDatabase(CaptureSamples.options(url, SecretRef.none()), 1);

            assertThatThrownBy(database::touch).isInstanceOf(SQLException.class);
            assertThatThrownBy(database::slot).isInstanceOf(SQLException.class);
        }
    }
}
