package dev.engagement.api;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.ColorScheme;
import dev.engagement.report.testing.Programs;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Debian's browser, moved by a test. One for a class of tests; what each looks at has cookies of its own. */
public final class Chromium implements AutoCloseable {

    private static final Path PROGRAM = Path.of("/usr/bin/chromium");

    /** A guard against hanging, as long as that of all tests. */
    private static final double LIMIT_MILLIS = 300_000;

    private static final int HEIGHT = 1_000;

    /** What axe calls a barrier that shuts somebody out. */
    private static final String LOOK_FOR_BARRIERS = "async () => {"
            + " const found = await axe.run(document, { resultTypes: ['violations'] });"
            + " return found.violations.filter((each) => ['serious', 'critical'].includes(each.impact))"
            + "   .flatMap((each) => each.nodes.map((node) => `${each.id}: ${node.target.join(' ')}:"
            + " ${node.failureSummary}`)); }";

    private static final String FIRST_PAINT = "() => new Promise((resolve) => {"
            + " new PerformanceObserver((list) => list.getEntriesByName('first-contentful-paint')"
            + "   .forEach((entry) => resolve(entry.startTime))).observe({ type: 'paint', buffered: true }); })";

    private final Playwright playwright;
    private final Browser browser;

    private Chromium(Playwright playwright, Browser browser) {
        this.playwright = playwright;
        this.browser = browser;
    }

    /**
     * Skips the test where the browser is not installed.
     *
     * @param toShow what the test shows: a clause that follows "that"
     */
    public static void need(String toShow) {
        Programs.need(PROGRAM, "chromium", toShow);
    }

    /** Starts it. */
    public static Chromium start() {
        PlaywrightAssertions.setDefaultAssertionTimeout(LIMIT_MILLIS);
        // The browser is here: none is to be downloaded.
        Playwright playwright = Playwright.create(
                new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
        try {
            return new Chromium(
                    playwright,
                    playwright
                            .chromium()
                            .launch(new BrowserType.LaunchOptions()
                                    .setExecutablePath(PROGRAM)
                                    .setTimeout(LIMIT_MILLIS)
                                    // Builds run as root, too.
                                    .setArgs(List.of("--no-sandbox"))));
        } catch (RuntimeException e) {
            playwright.close();
            throw e;
        }
    }

    /**
     * Opens a page in a window of that width.
     *
     * @param colours as the system would have them
     */
    public Look look(String url, int width, ColorScheme colours) {
        BrowserContext context = browser.newContext(new Browser.NewContextOptions()
                .setViewportSize(width, HEIGHT)
                .setColorScheme(colours)
                .setLocale("en-GB")
                .setTimezoneId("Europe/Berlin"));
        context.setDefaultTimeout(LIMIT_MILLIS);
        return new Look(context, url);
    }

    @Override
    public void close() {
        try {
            browser.close();
        } finally {
            playwright.close();
        }
    }

    /** A page that somebody looks at, and what went wrong in it. */
    public static final class Look implements AutoCloseable {

        private final BrowserContext context;
        private final Page page;
        private final List<String> errors = new ArrayList<>();

        private Look(BrowserContext context, String url) {
            this.context = context;
            this.page = context.newPage();
            page.onConsoleMessage(message -> {
                if (message.type().equals("error") || message.type().equals("warning")) {
                    errors.add(message.text() + " " + message.location());
                }
            });
            page.onPageError(errors::add);
            page.navigate(url);
        }

        /** The page. */
        public Page page() {
            return page;
        }

        /** What its console has said: errors, warnings, and what its content security policy refused. */
        public List<String> errors() {
            return List.copyOf(errors);
        }

        /** Barriers that shut somebody out, serious and critical ones, each with its place. */
        @SuppressWarnings("unchecked")
        public List<String> barriers() throws IOException {
            page.evaluate(axe());
            return (List<String>) page.evaluate(LOOK_FOR_BARRIERS);
        }

        /** From the begin of its navigation to its first text or picture, milliseconds. */
        public double firstPaintMillis() {
            return ((Number) page.evaluate(FIRST_PAINT)).doubleValue();
        }

        private static String axe() throws IOException {
            try (InputStream script = Chromium.class.getClassLoader().getResourceAsStream("axe.min.js")) {
                if (script == null) {
                    throw new IllegalStateException("There is no axe.min.js on the class path");
                }
                return new String(script.readAllBytes(), StandardCharsets.UTF_8);
            }
        }

        @Override
        public void close() {
            context.close();
        }
    }
}
