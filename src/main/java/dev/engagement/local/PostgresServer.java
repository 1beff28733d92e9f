package dev.engagement.local;

import dev.engagement.connection.PostgresDriver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * A real PostgreSQL 17 as a child process, with logical replication and with {@code fsync} and
 * {@code synchronous_commit} on, so that a commit means what it means in production. It listens on the loopback
 * interface only. Started by root it runs as an unprivileged uid; if that uid cannot reach the given folder, the data
 * live below {@code /tmp} ({@link #dataDirectory}) and only log and pid file in the folder.
 *
 * <p>Not thread safe. Data survive {@link #kill}, {@link #stop} and a later {@link #start} in the same folder.
 */
public final class PostgresServer extends RestartableServer {

    /** The database of the rollups' tables, as the job names it unless told otherwise. */
    public static final String ANALYTICS = "analytics";

    private static final String NAME = "PostgreSQL";
    private static final String HOST = "127.0.0.1";
    private static final String DATABASE = "engagement";
    private static final String USERNAME = "engagement";
    private static final Duration START_LIMIT = Duration.ofMinutes(5);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(10);
    private static final int PASSWORD_BYTES = 12;

    private final Path directory;
    private final Path home;
    private final int port;
    private final String password;

    private PostgresServer(Path directory, Path home, int port, String password) {
        super("INT", STOP_TIMEOUT);
        this.directory = directory;
        this.home = home;
        this.port = port;
        this.password = password;
        launch();
    }

    /**
     * Starts a server, on a new database cluster if the folder has none yet. What a killed JVM left running in that
     * folder is killed first.
     *
     * @param directory for data, log and pid file; created if missing
     * @param port where to listen; 0 takes a free one
     * @throws ServerException if it does not start; with the end of its log
     */
    public static PostgresServer start(Path directory, int port) {
        Path absolute = Folders.create(directory.toAbsolutePath().normalize());
        ServerProcess.sweep(NAME, absolute);
        Path home = Folders.create(Folders.reachable(absolute).resolve("cluster"));
        Folders.giveAway(home);
        Path passwordFile = home.resolve("password");
        if (!Files.exists(home.resolve("data").resolve("PG_VERSION"))) {
            // A folder without its version file is an initdb that was killed.
            Folders.deleteRecursively(home.resolve("data"));
            byte[] random = new byte[PASSWORD_BYTES];
            new SecureRandom().nextBytes(random);
            Folders.writePrivately(passwordFile, HexFormat.of().formatHex(random));
            Folders.giveAway(passwordFile);
            initialise(absolute, home, passwordFile);
        }
        PostgresServer server = new PostgresServer(absolute, home, Ports.orFree(port), Folders.read(passwordFile));
        try {
            server.createDatabase(DATABASE);
        } catch (ServerException e) {
            server.close();
            throw e;
        }
        return server;
    }

    /** Kills what a killed JVM left running in that folder, and deletes the folder with all data. */
    public static void discard(Path directory) {
        Path absolute = directory.toAbsolutePath().normalize();
        ServerProcess.sweep(NAME, absolute);
        if (Files.exists(absolute)) {
            Folders.deleteRecursively(Folders.reachable(absolute));
            Folders.deleteRecursively(absolute);
        }
    }

    private static void initialise(Path directory, Path home, Path passwordFile) {
        List<String> command = new ArrayList<>(unprivileged());
        command.addAll(List.of(
                Binaries.postgres().resolve("bin/initdb").toString(),
                "--pgdata=" + home.resolve("data"),
                "--username=" + USERNAME,
                "--pwfile=" + passwordFile,
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--no-instructions"));
        ServerProcess.run("initdb", command, home, ServerProcess.logFile(NAME, directory), START_LIMIT);
    }

    @Override
    ServerProcess startProcess() {
        List<String> command = new ArrayList<>(unprivileged());
        command.addAll(List.of(
                Binaries.postgres().resolve("bin/postgres").toString(),
                "-D",
                dataDirectory().toString(),
                "-p",
                Integer.toString(port)));
        Map<String, String> settings = Map.ofEntries(
                Map.entry("listen_addresses", HOST),
                Map.entry("unix_socket_directories", ""),
                Map.entry("wal_level", "logical"),
                Map.entry("max_replication_slots", "10"),
                Map.entry("max_wal_senders", "10"),
                Map.entry("fsync", "on"),
                Map.entry("synchronous_commit", "on"),
                // So that SQL can tell how far ahead of its own commit an event is stamped.
                Map.entry("track_commit_timestamp", "on"),
                Map.entry("timezone", "UTC"),
                Map.entry("log_timezone", "UTC"));
        settings.forEach((key, value) -> command.addAll(List.of("-c", key + "=" + value)));
        ServerProcess started =
                ServerProcess.start(NAME, directory, "postgres", command, Map.of("LC_ALL", "C", "TZ", "UTC"));
        started.awaitReady(START_LIMIT, () -> connect("postgres").close());
        return started;
    }

    /**
     * Creates a database beside the one of the source tables, unless it is there.
     *
     * @param database lower-case letters, digits and underscores
     * @throws ServerException if the server refuses; with the end of its log
     */
    public void createDatabase(String database) {
        try (Connection connection = connect("postgres");
                Statement statement = connection.createStatement();
                ResultSet existing =
                        statement.executeQuery("SELECT 1 FROM pg_database WHERE datname = '" + database + "'")) {
            if (!existing.next()) {
                try (Statement create = connection.createStatement()) {
                    create.execute("CREATE DATABASE " + database);
                }
            }
        } catch (SQLException e) {
            throw new ServerException(
                    "The database " + database + " cannot be created"
                            + process().logTail(),
                    e);
        }
    }

    /** PostgreSQL refuses to run as root. */
    private static List<String> unprivileged() {
        if (!Folders.isRoot()) {
            return List.of();
        }
        String setpriv = ServerProcess.onPath("setpriv")
                .map(Path::toString)
                .orElseThrow(() -> new ServerException("PostgreSQL does not run as root, and there is no setpriv to run"
                        + " it as somebody else; install util-linux, or start this as a normal user"));
        return List.of(
                setpriv, "--reuid=" + Folders.UNPRIVILEGED, "--regid=" + Folders.UNPRIVILEGED, "--clear-groups", "--");
    }

    /** {@code jdbc:postgresql://host:port/database}, of the database of the source tables. */
    public String jdbcUrl() {
        return jdbcUrl(DATABASE);
    }

    /** {@link #jdbcUrl()} of another database of this server. */
    public String jdbcUrl(String database) {
        return "jdbc:postgresql://" + HOST + ":" + port + "/" + database;
    }

    /** A superuser. */
    public String username() {
        return USERNAME;
    }

    /** Random per database cluster. */
    public String password() {
        return password;
    }

    /** The address in psql's form, password included, of the database of the source tables. */
    public String psqlUrl() {
        return psqlUrl(DATABASE);
    }

    /** {@link #psqlUrl()} of another database of this server. */
    public String psqlUrl(String database) {
        return "postgresql://" + USERNAME + ":" + password + "@" + HOST + ":" + port + "/" + database;
    }

    public int port() {
        return port;
    }

    /** Where the database cluster is. */
    public Path dataDirectory() {
        return home.resolve("data");
    }

    /** A new connection to the database of the source tables, which the caller closes. */
    public Connection connect() throws SQLException {
        return connect(DATABASE);
    }

    /** {@link #connect()} to another database of this server. */
    public Connection connect(String database) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", USERNAME);
        properties.setProperty("password", password);
        properties.setProperty("connectTimeout", "60");
        properties.setProperty("ApplicationName", "engagement-local");
        properties.setProperty("reWriteBatchedInserts", "true");
        return PostgresDriver.connect(jdbcUrl(database), properties);
    }
}
