package dev.engagement.local;

import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * PostgreSQL with the source tables, Kafka, Redis, a BigQuery emulator and a webhook receiver: what a test of the whole job
 * needs. Each run takes free ports.
 *
 * <pre>{@code
 * try (LocalServers servers = LocalServers.start(Path.of("target/it/my-test"))) {
 *     … servers.postgres().connect() … servers.kafka().bootstrapServers() … servers.redis().url() …
 *     servers.bigQuery().streamArguments() … servers.receiver().streamArguments()
 * }
 * }</pre>
 *
 * @param postgres with {@link Schema} created, and the database {@value PostgresServer#ANALYTICS} beside it
 * @param kafka without topics
 * @param redis empty, without a password
 * @param bigQuery without tables
 * @param receiver that has received nothing
 */
public record LocalServers(
        PostgresServer postgres,
        KafkaServer kafka,
        RedisServer redis,
        BigQueryProcess bigQuery,
        ReceiverProcess receiver)
        implements AutoCloseable {

    /**
     * Starts all of them at once, on free ports and without the data of an earlier run in that folder.
     *
     * @param directory of this run alone, by habit {@code target/it/…} named for the test
     */
    public static LocalServers start(Path directory) {
        PostgresServer.discard(directory.resolve("postgres"));
        RedisServer.discard(directory.resolve("redis"));
        BigQueryProcess.discard(directory.resolve("bigquery"));
        ReceiverProcess.discard(directory.resolve("receiver"));
        Folders.deleteRecursively(directory);
        CompletableFuture<PostgresServer> postgres = CompletableFuture.supplyAsync(() -> {
            PostgresServer server = PostgresServer.start(directory.resolve("postgres"), 0);
            Schema.create(server);
            server.createDatabase(PostgresServer.ANALYTICS);
            return server;
        });
        CompletableFuture<RedisServer> redis =
                CompletableFuture.supplyAsync(() -> RedisServer.start(directory.resolve("redis"), 0));
        CompletableFuture<BigQueryProcess> bigQuery =
                CompletableFuture.supplyAsync(() -> BigQueryProcess.start(directory.resolve("bigquery"), 0, 0));
        CompletableFuture<ReceiverProcess> receiver =
                CompletableFuture.supplyAsync(() -> ReceiverProcess.start(directory.resolve("receiver"), 0));
        CompletableFuture<KafkaServer> kafka =
                CompletableFuture.supplyAsync(() -> KafkaServer.start(directory.resolve("kafka"), 0));
        try {
            return new LocalServers(postgres.join(), kafka.join(), redis.join(), bigQuery.join(), receiver.join());
        } catch (CompletionException e) {
            RuntimeException failure = e.getCause() instanceof ServerException cause ? cause : e;
            closeStarted(kafka, failure);
            closeStarted(receiver, failure);
            closeStarted(bigQuery, failure);
            closeStarted(redis, failure);
            closeStarted(postgres, failure);
            throw failure;
        }
    }

    private static <S extends AutoCloseable> void closeStarted(CompletableFuture<S> future, RuntimeException failure) {
        Optional<S> server = future.thenApply(Optional::of)
                .exceptionally(e -> Optional.empty())
                .join();
        if (server.isPresent()) {
            try {
                server.get().close();
            } catch (Exception e) {
                failure.addSuppressed(e);
            }
        }
    }

    /** Stops in the order in which nobody waits for a stopped one. */
    @Override
    public void close() {
        try {
            kafka.close();
        } finally {
            try {
                receiver.close();
            } finally {
                try {
                    bigQuery.close();
                } finally {
                    try {
                        redis.close();
                    } finally {
                        postgres.close();
                    }
                }
            }
        }
    }
}
