package dev.engagement.local.receiver;

import dev.engagement.event.EventId;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What arrived, in the order of arrival: a file with one line a post, written before it is answered and read again at the
 * start, and in memory the sets of ids and every so many lines' place in the file. A write reaches the operating system:
 * it survives a kill -9 of this process, not a power cut.
 *
 * <p>A line is the time in milliseconds, the {@code webhook-id}, and the events' ids, joined by commas, a number in
 * decimal and a text in quotes; a tab between them. A last line without its end was never answered, and is cut off.
 *
 * <p>Thread safe.
 */
final class Arrivals implements Closeable {

    /** The most text of the file that one page takes. */
    static final int PAGE_BYTES = 4 * 1024 * 1024;

    private static final int LINES_A_MARK = 256;
    private static final int READ_BYTES = 1 << 20;
    private static final int FIRST_LINE_BYTES = 512;

    /**
     * One post.
     *
     * @param index its place in the order of arrival, from 1
     * @param time when it arrived, in milliseconds
     */
    record Arrival(long index, long time, String webhookId, List<EventId> eventIds) {}

    /**
     * How much arrived.
     *
     * @param posts recorded, by {@code webhook-id} {@code distinct}
     * @param events in them, by id {@code distinctEvents}
     * @param misnamed posts whose {@code webhook-id} is not that of their events
     */
    record Totals(long posts, long distinct, long events, long distinctEvents, long misnamed) {}

    private final Path path;
    private final FileChannel file;
    private final WebhookIds webhookIds = new WebhookIds();
    private final LongBits eventIds = new LongBits();
    /** Of events whose ids are texts, some 100 bytes each. */
    private final Set<String> textIds = new HashSet<>();

    private long[] marks = new long[16];
    private long posts;
    private long events;
    private long misnamed;
    private long end;

    /** @throws IOException if the file cannot be opened or read, or is not of this form */
    Arrivals(Path path) throws IOException {
        this.path = path;
        this.file =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            readAgain();
            file.truncate(end);
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    /**
     * Records a post; it is in the operating system's hands when this returns.
     *
     * @param webhookId printable ASCII
     * @throws IOException if it could not be written; then it is not recorded
     */
    synchronized void record(long time, String webhookId, List<EventId> ids) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(line(time, webhookId, ids));
        // By place, so that what a failed write left is written over.
        long at = end;
        while (bytes.hasRemaining()) {
            at += file.write(bytes, at);
        }
        count(webhookId, ids);
        end = at;
    }

    synchronized Totals totals() {
        return new Totals(posts, webhookIds.size(), events, eventIds.size() + textIds.size(), misnamed);
    }

    /** The runs of event ids that are numbers between two values, both included; at most so many. */
    synchronized List<LongBits.Run> eventIds(long from, long to, int max) {
        List<LongBits.Run> runs = new ArrayList<>();
        eventIds.runs(from, to, run -> {
            runs.add(run);
            return runs.size() < max;
        });
        return runs;
    }

    /**
     * What arrived after the one of that index, in order.
     *
     * @param after 0 for all
     * @param limit the most of them; there are fewer if their lines are long, but one at least if there is one
     */
    List<Arrival> after(long after, int limit) throws IOException {
        long skip;
        long from;
        long to;
        synchronized (this) {
            if (after >= posts || limit == 0) {
                return List.of();
            }
            int mark = (int) (after / LINES_A_MARK);
            skip = after % LINES_A_MARK;
            from = marks[mark];
            to = end;
        }
        List<Arrival> page = new ArrayList<>();
        Lines lines = new Lines(from, to);
        for (long i = 0; i < skip; i++) {
            lines.next();
        }
        long start = lines.position;
        for (long index = after + 1; page.size() < limit && lines.next(); index++) {
            page.add(lines.arrival(index));
            if (lines.position - start >= PAGE_BYTES) {
                break;
            }
        }
        return page;
    }

    private void readAgain() throws IOException {
        Lines lines = new Lines(0, file.size());
        while (lines.next()) {
            Arrival arrival = lines.arrival(posts + 1);
            count(arrival.webhookId(), arrival.eventIds());
            end = lines.position;
        }
    }

    /** Counts a line that begins at the present end. */
    private void count(String webhookId, List<EventId> ids) {
        if (posts % LINES_A_MARK == 0) {
            int mark = (int) (posts / LINES_A_MARK);
            if (mark == marks.length) {
                marks = Arrays.copyOf(marks, 2 * mark);
            }
            marks[mark] = end;
        }
        posts++;
        events += ids.size();
        for (EventId id : ids) {
            if (id.text() == null) {
                eventIds.add(id.number());
            } else {
                textIds.add(id.text());
            }
        }
        webhookIds.add(webhookId);
        if (!WebhookIds.isNameOf(webhookId, ids)) {
            misnamed++;
        }
    }

    private static byte[] line(long time, String webhookId, List<EventId> ids) {
        StringBuilder text = new StringBuilder(32 + webhookId.length() + 8 * ids.size());
        text.append(time).append('\t').append(webhookId).append('\t');
        for (int i = 0; i < ids.size(); i++) {
            if (i > 0) {
                text.append(',');
            }
            String quote = ids.get(i).text() == null ? "" : "\"";
            text.append(quote).append(ids.get(i)).append(quote);
        }
        text.append('\n');
        return text.toString().getBytes(StandardCharsets.US_ASCII);
    }

    private static EventId id(String text) {
        return text.startsWith("\"")
                ? EventId.of(text.substring(1, text.length() - 1))
                : EventId.of(Long.parseLong(text));
    }

    @Override
    public void close() throws IOException {
        file.close();
    }

    /** Lines of a stretch of the file, read without moving the file's own position. */
    private final class Lines {

        private final InputStream in;
        private byte[] text = new byte[FIRST_LINE_BYTES];
        private int length;
        /** In the file, after the last whole line. */
        private long position;

        private Lines(long from, long to) {
            position = from;
            in = new BufferedInputStream(new Stretch(from, to), READ_BYTES);
        }

        /** @return whether there is one more whole line */
        private boolean next() throws IOException {
            length = 0;
            for (int each = in.read(); each >= 0; each = in.read()) {
                if (each == '\n') {
                    position += length + 1;
                    return true;
                }
                if (length == text.length) {
                    text = Arrays.copyOf(text, 2 * length);
                }
                text[length++] = (byte) each;
            }
            return false;
        }

        private Arrival arrival(long index) throws IOException {
            String whole = new String(text, 0, length, StandardCharsets.US_ASCII);
            int first = whole.indexOf('\t');
            int second = whole.indexOf('\t', first + 1);
            try {
                String[] ids = whole.substring(second + 1).split(",");
                return new Arrival(
                        index,
                        Long.parseLong(whole.substring(0, first)),
                        whole.substring(first + 1, second),
                        Arrays.stream(ids).map(Arrivals::id).toList());
            } catch (NumberFormatException | StringIndexOutOfBoundsException e) {
                throw new IOException(
                        "Line " + index + " of " + path + " is not one that a receiver wrote; remove the file", e);
            }
        }
    }

    /** A part of the file as a stream. */
    private final class Stretch extends InputStream {

        private final long to;
        private long at;

        private Stretch(long from, long to) {
            this.at = from;
            this.to = to;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int count) throws IOException {
            if (at >= to) {
                return -1;
            }
            int read = file.read(ByteBuffer.wrap(bytes, offset, (int) Math.min(count, to - at)), at);
            at += Math.max(0, read);
            return read;
        }
    }
}
