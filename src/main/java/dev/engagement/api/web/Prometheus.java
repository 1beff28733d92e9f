package dev.engagement.api.web;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * Numbers about the API in Prometheus' text format, version 0.0.4. Labels have few values by construction: operations
 * of the definition, statuses, reasons. Thread-safe.
 */
public final class Prometheus {

    /** Media type of what is written. */
    public static final String MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8";

    private static final String REQUESTS = "engagement_api_requests_total";
    private static final String SECONDS = "engagement_api_request_seconds";
    private static final String REFUSED = "engagement_api_refused_total";

    /** Upper bounds of the buckets, microseconds. */
    private static final long[] BOUNDS = {
        500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000
    };

    private static final double MICROS_PER_SECOND = 1_000_000.0;

    private record Key(String first, String second) {}

    private record Supplied(String name, String type, String help, LongSupplier value) {}

    private static final class Times {
        private final LongAdder[] buckets = new LongAdder[BOUNDS.length + 1];
        private final LongAdder micros = new LongAdder();

        Times() {
            for (int i = 0; i < buckets.length; i++) {
                buckets[i] = new LongAdder();
            }
        }

        void add(long took) {
            int bucket = 0;
            while (bucket < BOUNDS.length && took > BOUNDS[bucket]) {
                bucket++;
            }
            buckets[bucket].increment();
            micros.add(took);
        }
    }

    private final Map<Key, LongAdder> requests = new ConcurrentHashMap<>();
    private final Map<String, Times> times = new ConcurrentHashMap<>();
    private final Map<String, LongAdder> refused = new ConcurrentHashMap<>();
    private final List<Supplied> supplied = new CopyOnWriteArrayList<>();

    /**
     * A request that was answered.
     *
     * @param operation its id, or the name of what else there is; few
     * @param nanos how long it took
     */
    public void answered(String operation, int status, long nanos) {
        requests.computeIfAbsent(new Key(operation, Integer.toString(status)), key -> new LongAdder())
                .increment();
        times.computeIfAbsent(operation, key -> new Times()).add(nanos / 1_000);
    }

    /** A request that was refused before anybody answered it; reasons are slugs of problems. */
    public void refused(String reason) {
        refused.computeIfAbsent(reason, key -> new LongAdder()).increment();
    }

    /**
     * A number that somebody else keeps.
     *
     * @param name with its unit, and {@code _total} if it only grows
     * @param help a sentence without its full stop
     */
    public void supply(String name, String help, LongSupplier value) {
        supplied.add(new Supplied(name, name.endsWith("_total") ? "counter" : "gauge", help, value));
    }

    /** All of them. */
    public String text() {
        StringBuilder text = new StringBuilder(8_192);
        head(text, REQUESTS, "counter", "Requests answered, by operation and status");
        sorted(requests)
                .forEach((key, count) -> line(
                        text,
                        REQUESTS,
                        label("operation", key.first()) + "," + label("status", key.second()),
                        Long.toString(count.sum())));
        head(text, SECONDS, "histogram", "Time from a request's first byte to its answer, by operation");
        new TreeMap<>(times).forEach((operation, each) -> histogram(text, operation, each));
        head(text, REFUSED, "counter", "Requests refused before anything was asked, by reason");
        new TreeMap<>(refused)
                .forEach((reason, count) -> line(text, REFUSED, label("reason", reason), Long.toString(count.sum())));
        for (Supplied each : supplied) {
            head(text, each.name(), each.type(), each.help());
            line(text, each.name(), "", Long.toString(each.value().getAsLong()));
        }
        return text.toString();
    }

    private static void histogram(StringBuilder text, String operation, Times each) {
        String label = label("operation", operation);
        long sum = 0;
        for (int i = 0; i < each.buckets.length; i++) {
            sum += each.buckets[i].sum();
            String bound = i < BOUNDS.length ? decimal(BOUNDS[i] / MICROS_PER_SECOND) : "+Inf";
            line(text, SECONDS + "_bucket", label + "," + label("le", bound), Long.toString(sum));
        }
        line(text, SECONDS + "_sum", label, decimal(each.micros.sum() / MICROS_PER_SECOND));
        line(text, SECONDS + "_count", label, Long.toString(sum));
    }

    private static Map<Key, LongAdder> sorted(Map<Key, LongAdder> counts) {
        List<Key> keys = new ArrayList<>(counts.keySet());
        keys.sort((one, other) -> {
            int byFirst = one.first().compareTo(other.first());
            return byFirst != 0 ? byFirst : one.second().compareTo(other.second());
        });
        Map<Key, LongAdder> sorted = new LinkedHashMap<>();
        keys.forEach(key -> sorted.put(key, counts.get(key)));
        return sorted;
    }

    private static void head(StringBuilder text, String name, String type, String help) {
        text.append("# HELP ").append(name).append(' ').append(help).append(".\n");
        text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }

    private static void line(StringBuilder text, String name, String labels, String value) {
        text.append(name);
        if (!labels.isEmpty()) {
            text.append('{').append(labels).append('}');
        }
        text.append(' ').append(value).append('\n');
    }

    private static String label(String name, String value) {
        String escaped = value.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n");
        return name + "=\"" + escaped + "\"";
    }

    private static String decimal(double value) {
        return String.format(Locale.ROOT, "%.6f", value).replaceFirst("0+$", "").replaceFirst("\\.$", "");
    }
}
