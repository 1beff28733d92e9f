package dev.engagement.liveview;

import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventJson;
import dev.engagement.event.Standings;
import dev.engagement.event.Timestamps;
import dev.engagement.writeback.WriteBackValue;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What the live view shows under one id, absolute and versioned. Immutable.
 *
 * <p>Writing one is idempotent: {@link LiveViewScript} keeps the newest inside Redis whatever the order in which several
 * arrive.
 */
public sealed interface LiveValue extends WriteBackValue<LiveValue>
        permits LiveValue.Last, Tally, LiveValue.AboutContent, LiveValue.Board, RollupCell {

    /** How long after its event a {@code content:last} is shown. */
    Duration LAST_IS_SHOWN_FOR = Duration.ofHours(1);

    /** How long after its window's end a leaderboard is shown. */
    Duration BOARD_IS_SHOWN_FOR = Duration.ofSeconds(120);

    /**
     * How long a deleted content's version is remembered: no older put of it is applied meanwhile. As long as the events
     * topic is kept, hence longer than any job that is restored from it can be behind.
     */
    Duration TOMBSTONE_IS_KEPT_FOR = Duration.ofDays(14);

    /** The field of {@code content:meta} that holds its version; readers ignore it. */
    String VERSION_FIELD = "_version";

    /** Of what it is shown: a content's id, a leaderboard's name, the place of a rollup's window. */
    @Override
    String id();

    /**
     * Adds the writes that show these parts; none for what is over at that time.
     *
     * @param parts a mask
     * @param nowMillis the wall clock
     */
    void writeTo(Writes out, LiveViewKeys keys, long parts, long nowMillis);

    /**
     * When the source committed what the value shows, milliseconds since the epoch, or
     * {@link EngagementEvent#UNKNOWN_TIME}.
     */
    default long committedAtMillis() {
        return EngagementEvent.UNKNOWN_TIME;
    }

    /** Takes the writes of values. */
    interface Writes {

        /** One write. */
        void add(ScriptedWrite write, long part);

        /** One member of a minute's bucket: members of several values may leave in one write. */
        void addToBucket(long minute, String contentId, long events, long part);

        /** Counts what is not written because it is over. */
        void expired();
    }

    /** The last event of a content: that of the greatest (event_ts, event_id). */
    record Last(EnrichedEvent enriched) implements LiveValue {

        @Override
        public String id() {
            return Objects.requireNonNull(
                    enriched.event().contentId(), "an event without a content is nobody's last one");
        }

        /** Whether this event comes after the other one. */
        public boolean newerThan(Last other) {
            return enriched.event().isAfter(other.enriched.event());
        }

        /** When it is no longer shown, milliseconds since the epoch. */
        public long expiresAtMillis() {
            return expiresAtMillis(enriched.event());
        }

        /** When an event is no longer shown as the last of its content, milliseconds since the epoch. */
        public static long expiresAtMillis(EngagementEvent event) {
            return Math.floorDiv(event.eventTsMicros(), 1_000L) + LAST_IS_SHOWN_FOR.toMillis();
        }

        @Override
        public @Nullable Last aliveAt(long nowMillis) {
            return expiresAtMillis() > nowMillis ? this : null;
        }

        @Override
        public long committedAtMillis() {
            return enriched.event().snapshot()
                    ? EngagementEvent.UNKNOWN_TIME
                    : enriched.event().committedAtMillis();
        }

        @Override
        public int estimatedBytes() {
            EngagementEvent event = enriched.event();
            return 512
                    + length(event.rawPayload())
                    + length(event.device())
                    + length(event.contentId())
                    + length(event.userId())
                    + length(event.eventType());
        }

        @Override
        public void writeTo(Writes out, LiveViewKeys keys, long parts, long nowMillis) {
            if (expiresAtMillis() <= nowMillis) {
                out.expired();
            } else {
                out.add(write(keys), parts);
            }
        }

        ScriptedWrite write(LiveViewKeys keys) {
            return new ScriptedWrite(
                    LiveViewScript.LAST,
                    List.of(bytes(keys.last(id()))),
                    List.of(EventJson.enriched(enriched), bytes(expiresAtMillis())));
        }
    }

    /**
     * A leaderboard at the end of one slide; the slide's end is its version.
     *
     * @param kind which one
     * @param slideEndMillis milliseconds since the epoch
     * @param places best first; none removes the key
     */
    record Board(Kind kind, long slideEndMillis, List<Standings.Place> places) implements LiveValue {

        public Board {
            places = List.copyOf(places);
        }

        /** Which leaderboard. */
        public enum Kind {
            /** {@code top:content:10m}: score is the number of events. */
            EVENTS,
            /** {@code top_engagement:10min}: score is in milliseconds here, shown in seconds. */
            ENGAGEMENT
        }

        @Override
        public String id() {
            return kind.name();
        }

        long expiresAtMillis() {
            return slideEndMillis + BOARD_IS_SHOWN_FOR.toMillis();
        }

        @Override
        public @Nullable Board aliveAt(long nowMillis) {
            return expiresAtMillis() > nowMillis ? this : null;
        }

        @Override
        public int estimatedBytes() {
            return 64 + 128 * places.size();
        }

        @Override
        public void writeTo(Writes out, LiveViewKeys keys, long parts, long nowMillis) {
            if (expiresAtMillis() <= nowMillis) {
                out.expired();
            } else {
                out.add(write(keys), parts);
            }
        }

        ScriptedWrite write(LiveViewKeys keys) {
            String board = kind == Kind.EVENTS ? keys.topByEvents() : keys.topByEngagement();
            List<byte[]> arguments = new ArrayList<>(2 + 2 * places.size());
            arguments.add(bytes(slideEndMillis));
            arguments.add(bytes(expiresAtMillis()));
            for (Standings.Place place : places) {
                arguments.add(kind == Kind.EVENTS ? bytes(place.score()) : bytes(seconds(place.score())));
                arguments.add(bytes(place.contentId()));
            }
            return new ScriptedWrite(
                    LiveViewScript.BOARD, List.of(bytes(board), bytes(keys.boardVersion(board))), arguments);
        }

        /** Milliseconds as seconds, exactly. */
        private static String seconds(long millis) {
            long fraction = millis % 1_000;
            String text = millis / 1_000 + "." + fraction / 100 + fraction / 10 % 10 + fraction % 10;
            return fraction == 0 ? Long.toString(millis / 1_000) : text;
        }
    }

    /** What is known of a content: shown, or gone. */
    sealed interface AboutContent extends LiveValue {

        String contentId();

        /**
         * The offset of the change in the content topic. All changes of a content are in one partition, so their offsets
         * are their order. Whoever recreates that topic starts the offsets again and has to delete {@code content:meta:*}
         * and {@code gone:*}, or to change the prefix.
         */
        long version();

        ScriptedWrite write(LiveViewKeys keys);

        @Override
        default String id() {
            return contentId();
        }

        @Override
        default void writeTo(Writes out, LiveViewKeys keys, long parts, long nowMillis) {
            out.add(write(keys), parts);
        }
    }

    /**
     * A content as it is shown. A field that is null is absent from the hash.
     *
     * @param content every text of it filled in
     * @param version its offset in the content topic
     */
    record Meta(Content content, long version) implements AboutContent {

        @Override
        public String contentId() {
            return content.id();
        }

        @Override
        public Meta aliveAt(long nowMillis) {
            return this;
        }

        @Override
        public int estimatedBytes() {
            return 256 + length(content.id()) + length(content.slug()) + length(content.title());
        }

        @Override
        public ScriptedWrite write(LiveViewKeys keys) {
            List<byte[]> arguments = new ArrayList<>(11);
            arguments.add(bytes(version));
            field(arguments, "slug", content.slug());
            field(arguments, "title", content.title());
            field(arguments, "content_type", content.contentType());
            field(
                    arguments,
                    "length_seconds",
                    content.lengthSeconds() == null
                            ? null
                            : content.lengthSeconds().toString());
            field(
                    arguments,
                    "publish_ts",
                    content.publishTsMicros() == null ? null : Timestamps.format(content.publishTsMicros()));
            return new ScriptedWrite(LiveViewScript.META, metaKeys(keys, contentId()), arguments);
        }

        private static void field(List<byte[]> arguments, String name, @Nullable String value) {
            if (value != null) {
                arguments.add(bytes(name));
                arguments.add(bytes(value));
            }
        }
    }

    /**
     * A content that was deleted. Its key disappears; its tombstone ({@link LiveViewKeys#metaTombstone}) keeps the version, so
     * that no older put brings it back.
     *
     * @param contentId which content
     * @param version the deletion's offset in the content topic
     * @param deletedAtMillis the deletion's Kafka timestamp: the tombstone is kept for a while from then on
     */
    record MetaGone(String contentId, long version, long deletedAtMillis) implements AboutContent {

        long expiresAtMillis() {
            long keptFor = TOMBSTONE_IS_KEPT_FOR.toMillis();
            // Kafka takes any timestamp from a producer, up to the last there is.
            return deletedAtMillis > Long.MAX_VALUE - keptFor ? Long.MAX_VALUE : deletedAtMillis + keptFor;
        }

        @Override
        public @Nullable MetaGone aliveAt(long nowMillis) {
            return expiresAtMillis() > nowMillis ? this : null;
        }

        @Override
        public int estimatedBytes() {
            return 128 + length(contentId);
        }

        @Override
        public ScriptedWrite write(LiveViewKeys keys) {
            return new ScriptedWrite(
                    LiveViewScript.META_GONE,
                    metaKeys(keys, contentId),
                    List.of(bytes(version), bytes(expiresAtMillis())));
        }
    }

    private static List<byte[]> metaKeys(LiveViewKeys keys, String contentId) {
        return List.of(bytes(keys.meta(contentId)), bytes(keys.metaTombstone(contentId)));
    }

    private static byte[] bytes(long number) {
        return Long.toString(number).getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static int length(@Nullable String text) {
        return text == null ? 0 : 2 * text.length();
    }
}
