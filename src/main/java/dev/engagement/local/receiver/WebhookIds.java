package dev.engagement.local.receiver;

import dev.engagement.event.EventId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/**
 * The {@code webhook-id}s seen: those of single events ({@code evt_} and the event's id) as bits, all others by 128 bits,
 * taken from a batch's own hash or made by SHA-256, some 32 bytes each. Only grows. Not thread safe.
 */
final class WebhookIds {

    private static final String EVENT = "evt_";
    private static final String BATCH = "bat_";
    private static final int BATCH_DIGITS = 32;
    private static final int MAX_DIGITS = 18;
    private static final int FIRST_SLOTS = 1024;

    private final LongBits events = new LongBits();
    /** Two longs a slot; both 0 is an empty one. */
    private long[] others = new long[2 * FIRST_SLOTS];

    /** The one hash that would look like an empty slot. */
    private boolean hasZero;

    private long otherCount;

    /** @return whether it was not there */
    boolean add(String webhookId) {
        if (isOfEvent(webhookId)) {
            return events.add(Long.parseLong(webhookId, EVENT.length(), webhookId.length(), 10));
        }
        if (isOfBatch(webhookId)) {
            return addOther(
                    Long.parseUnsignedLong(webhookId, 4, 20, 16), Long.parseUnsignedLong(webhookId, 20, 36, 16));
        }
        ByteBuffer hash = ByteBuffer.wrap(sha256(webhookId));
        return addOther(hash.getLong(), hash.getLong());
    }

    long size() {
        return events.size() + otherCount;
    }

    /** Whether that is what these events have to be called: the one, or the batch of them in this order. */
    static boolean isNameOf(String webhookId, List<EventId> eventIds) {
        if (eventIds.size() == 1 && webhookId.equals(EVENT + eventIds.get(0))) {
            return true;
        }
        if (!isOfBatch(webhookId)) {
            return false;
        }
        StringBuilder joined = new StringBuilder();
        for (EventId id : eventIds) {
            joined.append(joined.isEmpty() ? "" : ",").append(id);
        }
        String hash = HexFormat.of().formatHex(sha256(joined.toString()));
        return webhookId.equals(BATCH + hash.substring(0, BATCH_DIGITS));
    }

    private static boolean isOfEvent(String webhookId) {
        int length = webhookId.length();
        int start = EVENT.length();
        if (!webhookId.startsWith(EVENT) || length == start || length > start + MAX_DIGITS) {
            return false;
        }
        // With a leading zero it is another text.
        return (webhookId.charAt(start) != '0' || length == start + 1)
                && webhookId.chars().skip(start).allMatch(c -> c >= '0' && c <= '9');
    }

    private static boolean isOfBatch(String webhookId) {
        return webhookId.startsWith(BATCH)
                && webhookId.length() == BATCH.length() + BATCH_DIGITS
                && webhookId
                        .chars()
                        .skip(BATCH.length())
                        .allMatch(c -> (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    }

    private boolean addOther(long high, long low) {
        if (high == 0 && low == 0) {
            boolean isNew = !hasZero;
            otherCount += isNew ? 1 : 0;
            hasZero = true;
            return isNew;
        }
        if (2 * (otherCount + 1) > others.length / 2) {
            grow();
        }
        if (!insert(others, high, low)) {
            return false;
        }
        otherCount++;
        return true;
    }

    private void grow() {
        long[] larger = new long[2 * others.length];
        for (int slot = 0; slot < others.length; slot += 2) {
            if (others[slot] != 0 || others[slot + 1] != 0) {
                boolean unused = insert(larger, others[slot], others[slot + 1]);
            }
        }
        others = larger;
    }

    private static boolean insert(long[] slots, long high, long low) {
        int mask = slots.length / 2 - 1;
        for (int slot = (int) low & mask; ; slot = (slot + 1) & mask) {
            long there = slots[2 * slot];
            long thereLow = slots[2 * slot + 1];
            if (there == high && thereLow == low) {
                return false;
            }
            if (there == 0 && thereLow == 0) {
                slots[2 * slot] = high;
                slots[2 * slot + 1] = low;
                return true;
            }
        }
    }

    private static byte[] sha256(String text) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java has SHA-256", e);
        }
    }
}
