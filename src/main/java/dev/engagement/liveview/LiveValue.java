package dev.engagement.liveview;

import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventJson;
import dev.engagement.event.Timestamps;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An absolute, versioned value of the live view. Immutable.
 *
 * <p>Writing one is idempotent, and of several of one slot the newest stays whatever the order in which they arrive. The
 * order of {@link #newerThan} is the one that {@link LiveViewScript} applies inside Redis.
 */
public sealed interface LiveValue {

    /** {@link #expiresAtMillis} of a value that stays. */
    long NEVER = Long.MAX_VALUE;

    /** How long after its event a {@code content:last} is shown. */
    Duration LAST_IS_SHOWN_FOR = Duration.ofHours(1);

    /**
     * How long a deleted content's version is remembered: no older put of it is applied meanwhile. As long as the events
     * topic is kept, hence longer than any job that is restored from it can be behind.
     */
    Duration GRAVE_IS_KEPT_FOR = Duration.ofDays(14);

    /** The field of {@code content:meta} that holds its version; readers ignore it. */
    String VERSION_FIELD = "_version";

    /** What the value replaces. */
    Slot slot();

    /**
     * Whether this value replaces the other one; false for equal ones.
     *
     * @throws IllegalArgumentException if the other one has another slot
     */
    boolean newerThan(LiveValue other);

    /** When the value ends, milliseconds since the epoch, or {@link #NEVER}. */
    default long expiresAtMillis() {
        return NEVER;
    }

    /**
     * When the source committed what the value shows, milliseconds since the epoch, or
     * {@link EngagementEvent#UNKNOWN_TIME}.
     */
    default long committedAtMillis() {
        return EngagementEvent.UNKNOWN_TIME;
    }

    /** About how much memory the value holds, in bytes. */
    int estimatedBytes();

    /** The write that shows the value. */
    ScriptedWrite write(LiveViewKeys keys);

    /** The last event of a content: that of the greatest (event_ts, event_id). */
    record Last(EnrichedEvent enriched) implements LiveValue {

        @Override
        public Slot slot() {
            return new Slot(Slot.Kind.LAST, enriched.event().contentId());
        }

        @Override
        public boolean newerThan(LiveValue other) {
            EngagementEvent mine = enriched.event();
            EngagementEvent others = sameSlot(this, other, Last.class).enriched.event();
            return mine.eventTsMicros() != others.eventTsMicros()
                    ? mine.eventTsMicros() > others.eventTsMicros()
                    : mine.id() > others.id();
        }

        @Override
        public long expiresAtMillis() {
            return Math.floorDiv(enriched.event().eventTsMicros(), 1_000L) + LAST_IS_SHOWN_FOR.toMillis();
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
            return 512 + length(event.rawPayload()) + length(event.device()) + length(event.contentId());
        }

        @Override
        public ScriptedWrite write(LiveViewKeys keys) {
            return new ScriptedWrite(
                    LiveViewScript.LAST,
                    List.of(bytes(keys.last(enriched.event().contentId()))),
                    List.of(EventJson.enriched(enriched), bytes(expiresAtMillis())));
        }
    }

    /**
     * How many distinct events a content has. Counts only grow, so the count is its own version.
     *
     * @param contentId of which content
     * @param total since the beginning
     */
    record Count(String contentId, long total) implements LiveValue {

        @Override
        public Slot slot() {
            return new Slot(Slot.Kind.COUNT, contentId);
        }

        @Override
        public boolean newerThan(LiveValue other) {
            return total > sameSlot(this, other, Count.class).total;
        }

        @Override
        public int estimatedBytes() {
            return 96 + length(contentId);
        }

        @Override
        public ScriptedWrite write(LiveViewKeys keys) {
            return new ScriptedWrite(
                    LiveViewScript.COUNT, List.of(bytes(keys.count(contentId))), List.of(bytes(total)));
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

        @Override
        default Slot slot() {
            return new Slot(Slot.Kind.META, contentId());
        }

        @Override
        default boolean newerThan(LiveValue other) {
            return version() > sameSlot(this, other, AboutContent.class).version();
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
     * A content that was deleted. Its key disappears; its grave ({@link LiveViewKeys#metaGrave}) keeps the version, so
     * that an older {@link Meta} which arrives later, from a replay or a zombie, does not bring it back.
     *
     * @param contentId which one
     * @param version the deletion's offset in the content topic
     */
    record MetaGone(String contentId, long version) implements AboutContent {

        @Override
        public int estimatedBytes() {
            return 128 + length(contentId);
        }

        @Override
        public ScriptedWrite write(LiveViewKeys keys) {
            return new ScriptedWrite(
                    LiveViewScript.META_GONE,
                    metaKeys(keys, contentId),
                    List.of(bytes(version), bytes(GRAVE_IS_KEPT_FOR.toMillis())));
        }
    }

    private static List<byte[]> metaKeys(LiveViewKeys keys, String contentId) {
        return List.of(bytes(keys.meta(contentId)), bytes(keys.metaGrave(contentId)));
    }

    private static <V extends LiveValue> V sameSlot(LiveValue mine, LiveValue other, Class<V> type) {
        if (!type.isInstance(other) || !mine.slot().equals(other.slot())) {
            throw new IllegalArgumentException(mine.slot() + " and " + other.slot() + " are not compared");
        }
        return type.cast(other);
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
