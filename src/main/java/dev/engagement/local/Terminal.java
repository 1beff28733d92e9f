package dev.engagement.local;

import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Where the screen is written: on a terminal painted over in place, line by line and without clearing it first, so that
 * nothing flickers; anywhere else as lines, one after the other.
 */
final class Terminal {

    /** System property: whether standard output is a terminal. */
    private static final String TERMINAL = "engagement.local.terminal";

    private static final String HIDE_CURSOR = "\033[?25l";
    private static final String SHOW_CURSOR = "\033[?25h";
    private static final String TO_END_OF_LINE = "\033[K";
    private static final String TO_END_OF_SCREEN = "\033[J";
    private static final Duration SIZE_VALID = Duration.ofSeconds(2);
    private static final int DEFAULT_WIDTH = 100;
    private static final int DEFAULT_HEIGHT = 30;

    private final PrintStream out;
    private final boolean interactive;
    private int width = DEFAULT_WIDTH;
    private int height = DEFAULT_HEIGHT;
    private long sizeReadAt;
    private boolean sizeRead;
    /** Rows painted last time, above the cursor. */
    private int painted;

    Terminal(PrintStream out, boolean interactive) {
        this.out = out;
        this.interactive = interactive;
    }

    /** This process's standard output; whether that is a terminal, only the script that started it knows for sure. */
    static Terminal ofThisProcess() {
        boolean interactive = Boolean.getBoolean(TERMINAL) && !"dumb".equals(System.getenv("TERM"));
        return new Terminal(new PrintStream(System.out, false, StandardCharsets.UTF_8), interactive);
    }

    boolean isInteractive() {
        return interactive;
    }

    /** Colour is for terminals, and not for those who ask for none (https://no-color.org). */
    boolean isColourful() {
        @Nullable String noColour = System.getenv("NO_COLOR");
        return interactive && (noColour == null || noColour.isEmpty());
    }

    int width() {
        readSize();
        return width;
    }

    int height() {
        readSize();
        return height;
    }

    /** One line below everything so far. */
    synchronized void say(String line) {
        erase();
        out.print(line + "\n");
        out.flush();
    }

    /** Replaces what was painted last; anywhere but on a terminal the lines follow it. */
    synchronized void paint(List<String> lines) {
        StringBuilder text = new StringBuilder();
        if (interactive) {
            text.append(HIDE_CURSOR);
            if (painted > 0) {
                text.append("\033[").append(painted).append("A\r");
            }
        }
        painted = 0;
        for (String line : lines) {
            text.append(line).append(interactive ? TO_END_OF_LINE : "").append('\n');
            painted += Screen.rows(line, width);
        }
        if (interactive) {
            text.append(TO_END_OF_SCREEN);
        } else {
            painted = 0;
        }
        out.print(text);
        out.flush();
    }

    /** What is painted stays; the next lines follow it, and the cursor is back. */
    synchronized void release() {
        painted = 0;
        if (interactive) {
            out.print(SHOW_CURSOR);
            out.flush();
        }
    }

    private void erase() {
        if (interactive && painted > 0) {
            out.print("\033[" + painted + "A\r" + TO_END_OF_SCREEN);
            painted = 0;
        }
    }

    private void readSize() {
        if (!interactive || (sizeRead && System.nanoTime() - sizeReadAt < SIZE_VALID.toNanos())) {
            return;
        }
        sizeRead = true;
        sizeReadAt = System.nanoTime();
        String[] size = sttySize().split(" ");
        if (size.length == 2 && size[0].matches("[1-9]\\d{0,4}") && size[1].matches("[1-9]\\d{0,4}")) {
            height = Integer.parseInt(size[0]);
            width = Integer.parseInt(size[1]);
            return;
        }
        @Nullable String columns = System.getenv("COLUMNS");
        if (columns != null && columns.matches("[1-9]\\d{0,4}")) {
            width = Integer.parseInt(columns);
        }
    }

    /** Rows and columns, or nothing where there is no stty or it does not know. */
    private static String sttySize() {
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/tty")))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!stty.waitFor(1, TimeUnit.SECONDS)) {
                return "";
            }
            return new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII).strip();
        } catch (IOException noStty) {
            return "";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "";
        }
    }
}
