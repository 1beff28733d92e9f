package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import org.junit.jupiter.api.Test;

class PortsTest {

    @Test
    void aPreferredPortIsGivenOnce() {
        int port = Ports.free();

        assertThat(Ports.preferred(port)).isNotEqualTo(port);
    }

    @Test
    void aPortOnWhichSomethingListensIsNotGiven() throws IOException {
        try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            assertThat(Ports.preferred(listening.getLocalPort())).isNotEqualTo(listening.getLocalPort());
        }
    }

    /** Another JVM that was given it holds the UDP port. */
    @Test
    void aPortThatAnotherWasGivenIsNotGiven() throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = free.getLocalPort();
        }
        InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
        try (DatagramSocket other = new DatagramSocket(address)) {
            assertThat(other.getLocalPort()).isEqualTo(port);
            assertThat(Ports.preferred(port)).isNotEqualTo(port);
        }
    }
}
