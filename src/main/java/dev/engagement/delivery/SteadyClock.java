package dev.engagement.delivery;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;

/**
 * A clock that never goes back: when the wall clock is set back, what waits goes on waiting for as long as it would have.
 * Confined to one thread.
 */
final class SteadyClock extends Clock {

    private final Clock wall;
    private long lastWallMillis;
    private long aheadMillis;

    SteadyClock(Clock wall) {
        this.wall = wall;
        lastWallMillis = wall.millis();
    }

    @Override
    public long millis() {
        long now = wall.millis();
        aheadMillis += Math.max(0, lastWallMillis - now);
        lastWallMillis = now;
        return now + aheadMillis;
    }

    @Override
    public Instant instant() {
        return Instant.ofEpochMilli(millis());
    }

    /** What the wall clock shows, or will show, when this one shows {@code millis}. */
    long toWall(long millis) {
        return millis - aheadMillis;
    }

    /** What this clock shows when the wall clock shows {@code millis}. */
    long fromWall(long millis) {
        return millis + aheadMillis;
    }

    @Override
    public ZoneId getZone() {
        return wall.getZone();
    }

    @Override
    public Clock withZone(ZoneId zone) {
        return new SteadyClock(wall.withZone(zone));
    }
}
