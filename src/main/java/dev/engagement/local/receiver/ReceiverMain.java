package dev.engagement.local.receiver;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A {@link WebhookReceiver} as a program of its own. Ends by a signal. */
public final class ReceiverMain {

    private static final String USAGE = """
            Usage: ReceiverMain --directory FOLDER [--port N] [--secret-file FILE]… [--ready-file FILE]
              --directory FOLDER   where it keeps what arrived; made if missing
              --port N             where it listens, on 127.0.0.1; 0 for a free one (default 8000)
              --secret-file FILE   posts have to be signed by the secret in it; several while one is being changed
              --ready-file FILE    its process id is written here as soon as it listens""";

    private static final int USUAL_PORT = 8000;

    private ReceiverMain() {}

    /** Runs until it is told to end. */
    public static void main(String[] args) throws InterruptedException {
        Path directory = null;
        Path readyFile = null;
        int port = USUAL_PORT;
        List<String> secrets = new ArrayList<>();
        try {
            for (int i = 0; i < args.length; i++) {
                switch (args[i]) {
                    case "--help", "-h" -> {
                        System.out.println(USAGE);
                        return;
                    }
                    case "--directory" -> directory = Path.of(value(args, ++i));
                    case "--port" -> port = Integer.parseInt(value(args, ++i));
                    case "--secret-file" -> secrets.add(Files.readString(Path.of(value(args, ++i))));
                    case "--ready-file" -> readyFile = Path.of(value(args, ++i));
                    default -> throw new IllegalArgumentException("Unknown option '" + args[i] + "'");
                }
            }
            if (directory == null) {
                throw new IllegalArgumentException("--directory is missing");
            }
            serve(directory, port, secrets, readyFile);
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage() + "\n" + USAGE);
            System.exit(2);
        } catch (ReceiverException | IOException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    private static void serve(Path directory, int port, List<String> secrets, @Nullable Path readyFile)
            throws IOException, InterruptedException {
        WebhookReceiver receiver = WebhookReceiver.start(directory, port, secrets);
        Runtime.getRuntime().addShutdownHook(new Thread(receiver::close, "stop-receiver"));
        System.out.println("receiver: " + receiver.url());
        if (readyFile != null) {
            Files.writeString(readyFile, Long.toString(ProcessHandle.current().pid()));
        }
        Thread.currentThread().join();
    }

    private static String value(String[] args, int index) {
        if (index >= args.length) {
            throw new IllegalArgumentException(args[index - 1] + " needs a value");
        }
        return args[index];
    }
}
