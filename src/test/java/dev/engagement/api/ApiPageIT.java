package dev.engagement.api;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.options.AriaRole;
import com.microsoft.playwright.options.ColorScheme;
import dev.engagement.api.Chromium.Look;
import dev.engagement.api.testing.WrittenHour;
import dev.engagement.local.ApiProcess;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.report.testing.Measured;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The page in a browser, before an API on a real PostgreSQL and Redis. Its pictures are in {@code target/page}; with
 * {@code -Dengagement.screenshots.write=true} those of the documentation are written anew.
 */
class ApiPageIT {

    private static final Path DIRECTORY = Path.of("target/it/api-page");
    private static final Path PICTURES = Path.of("target/page");
    private static final Path DOCUMENTATION = Path.of("src/site/resources");
    /** In the documentation. */
    private static final Set<String> SHOWN = Set.of("page-1440-light.png", "wall-1440-dark.png");

    private static final String WRITE = "engagement.screenshots.write";

    private static final int DESK = 1_440;

    private static SharedServers servers;
    private static WrittenHour hour;
    private static List<String> options;
    private static EngagementApi api;
    private static Chromium chromium;

    @BeforeAll
    static void open() throws Exception {
        Chromium.need("the page shows what the API answers, to everybody");
        servers = SharedServers.lease(DIRECTORY);
        try (Connection source = servers.postgres().connect()) {
            hour = WrittenHour.write(
                    servers.redis().connect(),
                    source,
                    servers.analytics().connect(PostgresServer.ANALYTICS),
                    Duration.ofMinutes(15));
        }
        options = ApiProcess.options(servers.analytics(), Path.of(servers.postgresPasswordFile()), servers.redis());
        api = start(0);
        chromium = Chromium.start();
        Files.createDirectories(PICTURES);
    }

    @AfterAll
    static void close() throws Exception {
        if (chromium != null) {
            chromium.close();
        }
        if (api != null) {
            api.close();
        }
        if (hour != null) {
            hour.close();
            servers.close();
        }
    }

    @BeforeEach
    void keepAhead() throws Exception {
        hour.keepAhead();
    }

    private static EngagementApi start(int port) {
        List<String> arguments = new ArrayList<>(options);
        // Of a machine that does something else, too.
        arguments.addAll(List.of("--api.port", Integer.toString(port), "--api.store-timeout", "30 s"));
        return EngagementApi.start(ApiOptions.parse(arguments.toArray(String[]::new), Map.of()), Clock.systemUTC());
    }

    private static Look look(String path) {
        return look(path, DESK, ColorScheme.LIGHT);
    }

    private static Look look(String path, int width, ColorScheme colours) {
        return chromium.look(api.address() + path, width, colours);
    }

    // -------------------------------------------------------------------------------------------------- what it shows

    @Test
    void what_changes_in_redis_changes_on_the_page() {
        try (Look look = look("/")) {
            Page page = look.page();
            assertThat(page.locator("#connection")).hasAttribute("data-level", "ok");
            Locator plays = page.locator(".card[data-type=play] .big");
            Locator leaders = page.locator("[data-panel=events] a[data-content]");
            assertThat(plays).hasText(Pattern.compile("[1-9][0-9]{0,2}"));
            assertThat(leaders.first()).hasText(WrittenHour.LEADERS_TITLE);

            hour.correct("play", 4_242);
            hour.overtake();

            assertThat(plays).hasText("4,242");
            assertThat(leaders.nth(1)).hasText(WrittenHour.LEADERS_TITLE);
            assertThat(look.errors()).isEmpty();
        } finally {
            hour.leadAgain();
        }
    }

    @Test
    void a_filter_stands_in_the_address_and_an_address_is_a_filter() {
        try (Look look = look("/")) {
            Page page = look.page();
            Locator cards = page.locator(".card");
            Locator places = page.locator("[data-panel=events] li");
            // All events, and each of four types.
            assertThat(cards).hasCount(5);
            assertThat(places).hasCount(6);

            page.getByLabel("click", new Page.GetByLabelOptions().setExact(true))
                    .check();
            assertThat(page).hasURL(api.address() + "/?types=click");
            assertThat(cards).hasCount(1);
            page.locator("#content-type").selectOption("video");
            assertThat(page).hasURL(api.address() + "/?types=click&content_type=video");
            assertThat(places).hasCount(3);

            try (Look sent = look(page.url().substring(api.address().toString().length()))) {
                assertThat(sent.page().locator(".card")).hasCount(1);
                assertThat(sent.page().locator("[data-panel=events] li")).hasCount(3);
                assertThat(sent.page().locator("#content-type")).hasValue("video");
                assertThat(sent.errors()).isEmpty();
            }

            page.goBack();
            page.goBack();
            assertThat(page).hasURL(api.address() + "/");
            assertThat(cards).hasCount(5);
            assertThat(places).hasCount(6);
            assertThat(look.errors()).isEmpty();
        }
    }

    @Test
    void a_content_is_opened_by_its_title_and_by_keys_alone() {
        try (Look look = look("/")) {
            Page page = look.page();
            Locator leader = page.locator("[data-panel=events] a[data-content='" + WrittenHour.LEADER + "']");
            assertThat(leader).hasText(WrittenHour.LEADERS_TITLE);

            leader.focus();
            page.keyboard().press("Enter");

            assertThat(page).hasURL(api.address() + "/?content=" + WrittenHour.LEADER);
            Locator panel = page.locator("[data-panel=content]");
            Locator title = panel.getByRole(
                    AriaRole.HEADING, new Locator.GetByRoleOptions().setName(WrittenHour.LEADERS_TITLE));
            assertThat(title).isFocused();
            assertThat(panel).containsText("Watching now");
            assertThat(panel.locator(".funnel li").first()).containsText("9,000 · 100 %");
            // A table behind every chart.
            panel.getByText("How far people got, as a table").click();
            assertThat(panel.getByRole(AriaRole.TABLE)).hasCount(1);

            panel.getByRole(AriaRole.BUTTON, new Locator.GetByRoleOptions().setName("Close"))
                    .click();
            assertThat(page).hasURL(api.address() + "/");
            assertThat(title).isHidden();

            page.reload();
            page.keyboard().press("Tab");
            assertThat(page.locator(".skip")).isFocused();
            page.keyboard().press("Enter");
            assertThat(page.locator("#main")).isFocused();
            assertThat(look.errors()).isEmpty();
        }
    }

    @Test
    void a_lost_connection_is_said_and_comes_back_by_itself() {
        try (Look look = look("/")) {
            Page page = look.page();
            Locator connection = page.locator("#connection");
            assertThat(connection).hasAttribute("data-level", "ok");
            String address = api.address().toString();

            api.close();
            assertThat(connection).hasAttribute("data-level", "bad");
            assertThat(connection).containsText("Connection lost");
            assertThat(page.locator("body")).hasAttribute("data-stale", "true");
            assertThat(page).hasTitle(Pattern.compile("lost.*"));

            hour.correct("click", 7_321);
            api = start(Integer.parseInt(address.substring(address.lastIndexOf(':') + 1)));

            assertThat(connection).hasAttribute("data-level", "ok");
            assertThat(page.locator("body")).hasAttribute("data-stale", "false");
            assertThat(page.locator(".card[data-type=click] .big")).hasText("7,321");
            // A browser writes into the console itself what was refused: while it went, and while it was away.
            assertThat(look.errors())
                    .allMatch(error -> error.contains("net::ERR_") || error.contains("503 (Service Unavailable)"));
        }
    }

    // --------------------------------------------------------------------------------------------------- who can read
    // it

    @ParameterizedTest
    @CsvSource({
        "/, page, 1440, LIGHT",
        "/, page, 1440, DARK",
        "/, page, 360, LIGHT",
        "/, page, 360, DARK",
        "/?content=" + WrittenHour.LEADER + ", content, 1440, LIGHT",
        "/?content=" + WrittenHour.LEADER + ", content, 360, DARK",
        "/wall, wall, 1440, LIGHT",
        "/wall, wall, 1440, DARK",
        "/wall, wall, 360, LIGHT",
        "/wall, wall, 360, DARK",
        "/login, login, 360, LIGHT",
        "/login, login, 1440, DARK",
        "/docs, docs, 1440, LIGHT",
        "/docs, docs, 360, DARK",
    })
    void nobody_is_shut_out_and_nothing_goes_wrong(String path, String name, int width, ColorScheme colours)
            throws IOException {
        try (Look look = look(path, width, colours)) {
            Page page = look.page();
            if (name.equals("login") || name.equals("docs")) {
                assertThat(page.locator("main, body").first()).isVisible();
            } else {
                awaitAll(page);
            }
            picture(page, name, width, colours);
            // What is behind the charts as well.
            page.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })");

            assertThat(look.barriers()).isEmpty();
            assertThat(page.evaluate("() => document.documentElement.scrollWidth"))
                    .as("nothing is wider than the window")
                    .isEqualTo(page.evaluate("() => document.documentElement.clientWidth"));
            assertThat(look.errors()).isEmpty();
        }
    }

    /** Every panel has its numbers. */
    private static void awaitAll(Page page) {
        assertThat(page.locator("#connection")).hasAttribute("data-level", "ok");
        assertThat(page.locator(".card")).hasCount(5);
        assertThat(page.locator("[data-panel=series] .figure")).hasCount(4);
        for (String board : List.of("events", "seconds")) {
            assertThat(page.locator("[data-panel=" + board + "] ol.board > li")).hasCount(6);
        }
        assertThat(page.locator("[data-panel=trending] ol.board > li").first()).isVisible();
        assertThat(page.locator("[data-panel=watching] li")).hasCount(6);
        assertThat(page.locator("[data-panel=feed] li")).hasCount(6);
        assertThat(page.locator("[data-level=wait]:visible")).hasCount(0);
    }

    private static void picture(Page page, String name, int width, ColorScheme colours) throws IOException {
        String file = name + "-" + width + "-" + colours.name().toLowerCase(Locale.ROOT) + ".png";
        page.screenshot(
                new Page.ScreenshotOptions().setPath(PICTURES.resolve(file)).setFullPage(true));
        boolean isShown = SHOWN.contains(file);
        if (Boolean.getBoolean(WRITE) && isShown) {
            page.screenshot(new Page.ScreenshotOptions().setPath(DOCUMENTATION.resolve(file)));
        }
    }

    // -------------------------------------------------------------------------------------------------------- how soon

    /** Printed, and no verdict: that would be one on the machine. */
    @Test
    void how_soon_the_page_is_painted_is_measured() {
        List<Double> millis = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            try (Look look = look("/")) {
                millis.add(look.firstPaintMillis());
            }
        }
        Measured.print("The page's first paint, five times, ms: " + millis);
        assertThat(millis).allMatch(each -> each > 0);
    }
}
