package dev.engagement.liveview;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Takes down the writes of values. */
final class RecordedWrites implements LiveValue.Writes {

    record Member(long minute, String contentId, long events, long part) {}

    final List<ScriptedWrite> writes = new ArrayList<>();
    final List<Long> parts = new ArrayList<>();
    final List<Member> members = new ArrayList<>();
    int expired;

    static RecordedWrites of(LiveValue value, LiveViewKeys keys, long parts, long nowMillis) {
        RecordedWrites recorded = new RecordedWrites();
        value.writeTo(recorded, keys, parts, nowMillis);
        return recorded;
    }

    @Override
    public void add(ScriptedWrite write, long part) {
        writes.add(write);
        parts.add(part);
    }

    @Override
    public void addToBucket(long minute, String contentId, long events, long part) {
        members.add(new Member(minute, contentId, events, part));
    }

    @Override
    public void expired() {
        expired++;
    }

    ScriptedWrite only() {
        if (writes.size() != 1) {
            throw new AssertionError("Not one write: " + writes);
        }
        return writes.get(0);
    }

    static List<String> texts(List<byte[]> all) {
        return all.stream()
                .map(each -> new String(each, StandardCharsets.UTF_8))
                .toList();
    }
}
