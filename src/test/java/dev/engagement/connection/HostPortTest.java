package dev.engagement.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostPortTest {

    @ParameterizedTest
    @CsvSource(nullValues = "none", textBlock = """
                    redis://live_view:6379,              live_view,           6379, none
                    redis://live_view,                   live_view,           -1,   none
                    redis://live_view:,                  live_view,           -1,   none
                    redis://me@live_view:6379/3,         live_view,           6379, me
                    redis://m%20e:x@live_view/3,         live_view,           -1,   m%20e:x
                    http://stack_web_1.net:8000/a_b?c_d, stack_web_1.net,     8000, none
                    http://_,                            _,                   -1,   none
                    http://_dmarc.example.com.:80,       _dmarc.example.com., 80,   none
                    http://localhost:8000/x,             localhost,           8000, none
                    http://127.0.0.1:8000/x,             127.0.0.1,           8000, none
                    http://u:p@[::1]:8000/x,             [::1],               8000, u:p
                    https://example.com/a_b,             example.com,         -1,   none
                    """)
    void the_host_the_port_and_the_user_of_a_url(String url, String host, int port, String user) {
        assertThat(HostPort.of(URI.create(url))).isEqualTo(new HostPort(host, port, user));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "redis:///3",
                "redis:x_y:6379",
                "redis://live_view:six",
                "redis://live_view:65536",
                "redis://live_view:-1",
                "redis://live_view:1:2",
                "redis://-live_view",
                "redis://a@b@live_view",
                "file:/x_y"
            })
    void a_url_that_names_no_host(String url) {
        assertThat(HostPort.of(URI.create(url))).isNull();
        assertThatThrownBy(() -> HostPort.in(URI.create(url))).hasMessageContaining("names no host");
    }

    @Test
    void a_user_is_decoded() {
        assertThat(HostPort.userInfo(URI.create("redis://m%C3%BC%20e@live_view")))
                .isEqualTo("mü e");
        assertThat(HostPort.userInfo(URI.create("redis://m%C3%BC%20e@liveview")))
                .isEqualTo("mü e");
        assertThat(HostPort.userInfo(URI.create("redis://live_view"))).isNull();
    }

    @Test
    void a_port_is_put_in() {
        assertThat(HostPort.withPort(URI.create("redis://m%20e@live_view/3?a=%20b"), 6379))
                .isEqualTo(URI.create("redis://m%20e@live_view:6379/3?a=%20b"));
        assertThat(HostPort.withPort(URI.create("redis://[::1]"), 6379)).isEqualTo(URI.create("redis://[::1]:6379"));
    }

    @Test
    void the_jdk_s_client_reaches_a_host_with_an_underscore() throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            exchange.sendResponseHeaders(204, -1);
            exchange.close();
        });
        server.start();
        try {
            URI url = URI.create("http://big_query:" + server.getAddress().getPort() + "/a_b");
            HttpClient client = HttpClient.newHttpClient();
            assertThatThrownBy(() -> HttpRequest.newBuilder(url)).isInstanceOf(IllegalArgumentException.class);

            URI reachable = HostPort.reachable(url, host -> {
                assertThat(host).isEqualTo("big_query");
                return InetAddress.getLoopbackAddress();
            });
            assertThat(client.send(HttpRequest.newBuilder(reachable).build(), HttpResponse.BodyHandlers.discarding())
                            .statusCode())
                    .isEqualTo(204);
        } finally {
            server.stop(0);
        }
    }

    @Test
    void a_name_that_java_takes_stays_and_is_not_looked_up() throws Exception {
        URI url = URI.create("https://bigquery.googleapis.com/x");

        assertThat(HostPort.reachable(url, host -> {
                    throw new UnknownHostException(host);
                }))
                .isEqualTo(url);
    }

    @Test
    void an_address_of_version_6_stands_in_brackets() throws Exception {
        assertThat(HostPort.reachable(URI.create("http://big_query:80"), host -> InetAddress.getByName("::1")))
                .isEqualTo(URI.create("http://[0:0:0:0:0:0:0:1]:80"));
    }
}
