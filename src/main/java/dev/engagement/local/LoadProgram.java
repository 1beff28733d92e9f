package dev.engagement.local;

import dev.engagement.config.Keys;
import dev.engagement.connection.Pause;
import dev.engagement.connection.PostgresDriver;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;

/**
 * The load generator as a program of its own, told by its environment:
 *
 * <ul>
 *   <li>{@value #RATE}: events a minute, 3000 if not given; 0 for none
 *   <li>{@value #BURST_MODE}: {@code true} or {@code false} (if not given); whether there are bursts
 *   <li>{@value #BURST_COUNT}: events of a burst, 1000 if not given
 *   <li>{@value #BURST_EVERY}: seconds from one burst to the next, 60 if not given; 0 for a single one at the start
 *   <li>where the source is, in the variables of {@code capture}
 * </ul>
 *
 * <p>Runs until a signal, or until a single burst is written and nothing else was asked for. Exit code 2 for an
 * environment that it cannot work with, 1 if PostgreSQL fails.
 */
public final class LoadProgram {

    static final String RATE = "GENERATION_RATE";
    static final String BURST_MODE = "BURST_MODE";
    static final String BURST_COUNT = "BURST_COUNT";
    static final String BURST_EVERY = "BURST_EVERY";

    private static final long SEED = 1;
    private static final int CONTENTS = 200;
    private static final long MAX_RATE = 60_000_000;
    private static final Duration POLL_INTERVAL = Duration.ofMillis(200);
    private static final long SAY_MILLIS = 10_000;

    private LoadProgram() {}

    /** Generates; takes no arguments. */
    public static void main(String[] args) throws InterruptedException {
        LoadOptions load;
        Properties login;
        String url = System.getenv(Keys.POSTGRES_URL.variable());
        try {
            load = options(System.getenv());
            login = login(System.getenv());
            if (url == null) {
                throw new IllegalArgumentException(Keys.POSTGRES_URL.variable() + " is not set");
            }
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.exit(2);
            return;
        }
        System.exit(generate(load, url, login));
    }

    private static int generate(LoadOptions load, String url, Properties login) throws InterruptedException {
        try {
            Connection connection = PostgresDriver.connect(url, login);
            try (LoadGenerator generator = LoadGenerator.start(load, connection, Clock.systemUTC())) {
                Runtime.getRuntime().addShutdownHook(new Thread(generator::close, "stop-load"));
                System.out.println("Generating " + Math.round(load.rate() * 60) + " events a minute"
                        + (load.burst() == 0 ? "" : ", and bursts of " + load.burst()));
                watch(generator);
                SQLException failure = generator.failure();
                if (failure != null) {
                    throw failure;
                }
                System.out.println(generator.created() + " events, and no more to come");
                return 0;
            }
        } catch (SQLException e) {
            System.err.println("PostgreSQL at " + url + ": " + e.getMessage());
            return 1;
        }
    }

    private static void watch(LoadGenerator generator) throws InterruptedException {
        long said = System.nanoTime();
        while (!generator.isDone()) {
            Pause.real().of(POLL_INTERVAL);
            if (System.nanoTime() - said > SAY_MILLIS * 1_000_000) {
                said = System.nanoTime();
                System.out.println(generator.created() + " events");
            }
        }
    }

    /**
     * How much load an environment asks for.
     *
     * @throws IllegalArgumentException naming the variable, its value and what would do
     */
    static LoadOptions options(Map<String, String> environment) {
        long perMinute = number(environment, RATE, 3_000, MAX_RATE);
        boolean bursts = flag(environment, BURST_MODE);
        long count = number(environment, BURST_COUNT, 1_000, Integer.MAX_VALUE);
        long every = number(environment, BURST_EVERY, 60, 86_400);
        long events = bursts && perMinute == 0 && every == 0 ? count : 0;
        return new LoadOptions(
                SEED, CONTENTS, perMinute / 60.0, events, bursts ? (int) count : 0, Duration.ofSeconds(every));
    }

    private static Properties login(Map<String, String> environment) {
        Properties login = new Properties();
        String user = environment.get(Keys.POSTGRES_USERNAME.variable());
        if (user == null || user.isEmpty()) {
            throw new IllegalArgumentException(Keys.POSTGRES_USERNAME.variable() + " is not set");
        }
        String password = environment.get(Keys.POSTGRES_PASSWORD.variable());
        if (password == null || password.isEmpty()) {
            throw new IllegalArgumentException(Keys.POSTGRES_PASSWORD.variable() + " is not set");
        }
        login.setProperty("user", user);
        login.setProperty("password", password);
        return login;
    }

    private static long number(Map<String, String> environment, String variable, long otherwise, long max) {
        String text = environment.get(variable);
        if (text == null || text.isBlank()) {
            return otherwise;
        }
        try {
            long number = Long.parseLong(text.trim());
            if (number >= 0 && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    variable + " is '" + text + "', which is not a whole number; give 0 to " + max, e);
        }
        throw new IllegalArgumentException(variable + " is " + text + "; it needs to be 0 to " + max);
    }

    private static boolean flag(Map<String, String> environment, String variable) {
        String text = environment.get(variable);
        if (text == null || text.isBlank() || text.trim().equalsIgnoreCase("false")) {
            return false;
        }
        if (text.trim().equalsIgnoreCase("true")) {
            return true;
        }
        throw new IllegalArgumentException(variable + " is '" + text + "'; give true or false");
    }
}
