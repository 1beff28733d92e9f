package dev.engagement.bench;

import dev.engagement.local.KafkaServer;
import java.io.IOException;
import java.nio.file.Path;

/** A broker in a process of its own, so that what a benchmark measures is not the broker. Ends with its standard input. */
public final class Broker {

    private Broker() {}

    /** Starts it in a folder, says where it listens, and waits. */
    public static void main(String[] args) throws IOException {
        KafkaServer kafka = KafkaServer.start(Path.of(args[0]), 0);
        System.out.println("listening " + kafka.bootstrapServers());
        while (System.in.read() >= 0) {
            // Until whoever started it is gone.
        }
        Runtime.getRuntime().halt(0);
    }
}
