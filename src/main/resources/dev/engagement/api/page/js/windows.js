// Windows of a metric, in the order of their start, never more than a bound. Pure: nothing here changes its arguments.

export const HOUR = 3_600_000;

/** An hour of windows that begin each 10 s, and a little more. */
export const MAX_WINDOWS = 400;

/**
 * Those windows and the incoming ones. A window that is there already is replaced, as late events correct it.
 *
 * @param from what began before is dropped
 */
export function merge(windows, incoming, from, max = MAX_WINDOWS) {
  const byStart = new Map();
  for (const window of windows) {
    if (window.start >= from) {
      byStart.set(window.start, window);
    }
  }
  for (const window of incoming) {
    if (window.start >= from) {
      byStart.set(window.start, window);
    }
  }
  const merged = [...byStart.values()].sort((a, b) => a.start - b.start);
  return merged.length > max ? merged.slice(merged.length - max) : merged;
}

/** The newest window that had ended by then, or null. */
export function newestClosed(windows, now) {
  for (let i = windows.length - 1; i >= 0; i--) {
    if (windows[i].end <= now) {
      return windows[i];
    }
  }
  return null;
}

/** The window that begins at that time, or null. */
export function startingAt(windows, start) {
  let low = 0;
  let high = windows.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = windows[middle].start;
    if (found === start) {
      return windows[middle];
    }
    if (found < start) {
      low = middle + 1;
    } else {
      high = middle - 1;
    }
  }
  return null;
}

/** The window whose end is nearest to that time and no further than that from it, or null. */
export function nearest(windows, time, within) {
  let best = null;
  for (const window of windows) {
    const distance = Math.abs(window.end - time);
    if (distance <= within && (best === null || distance < Math.abs(best.end - time))) {
      best = window;
    }
  }
  return best;
}

/**
 * How long ago the same time of yesterday was: 24 h, but 23 h or 25 h where the clocks were changed in between.
 *
 * @param dayBefore for tests; otherwise the browser's calendar
 */
export function yesterday(now, dayBefore = calendarDayBefore) {
  return now - dayBefore(now);
}

/** Yesterday's windows where today's of the same time of day stand. */
export function shifted(windows, by) {
  return windows.map((window) => ({ ...window, start: window.start + by, end: window.end + by }));
}

/** The distance between windows: the least there is, or null with fewer than two. */
export function step(windows) {
  let least = null;
  for (let i = 1; i < windows.length; i++) {
    const distance = windows[i].start - windows[i - 1].start;
    if (least === null || distance < least) {
      least = distance;
    }
  }
  return least;
}

/**
 * Points of a line, in pieces: where a window is missing there is nothing to draw, and no line leads across.
 *
 * @param value of a window; what is no number is missing too
 */
export function pieces(windows, value, stepMillis = step(windows)) {
  const result = [];
  let piece = [];
  let last = null;
  for (const window of windows) {
    const y = value(window);
    if (typeof y !== 'number' || !Number.isFinite(y)) {
      continue;
    }
    if (last !== null && window.start - last > stepMillis * 1.5) {
      result.push(piece);
      piece = [];
    }
    piece.push({ x: window.end, y });
    last = window.start;
  }
  if (piece.length > 0) {
    result.push(piece);
  }
  return result;
}

/** Counts by minute of the hour until then, oldest first; a minute of which nothing is said had no event. */
export function minutesOfHour(minutes, now, length = 60) {
  const last = Math.floor(now / 60_000);
  const counts = new Array(length).fill(0);
  for (const { start, count } of minutes) {
    const at = length - 1 - (last - Math.floor(start / 60_000));
    if (at >= 0 && at < length) {
      counts[at] += count;
    }
  }
  return counts;
}

/** Sums of so many values each, oldest first. */
export function sums(values, each) {
  const result = [];
  for (let i = 0; i < values.length; i += each) {
    result.push(values.slice(i, i + each).reduce((a, b) => a + b, 0));
  }
  return result;
}

function calendarDayBefore(ms) {
  const day = new Date(ms);
  day.setDate(day.getDate() - 1);
  return day.getTime();
}
