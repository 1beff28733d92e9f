import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as windows from '../../main/resources/dev/engagement/api/page/js/windows.js';

const at = (start, count = 1) => ({ start, end: start + 30_000, count });

test('windows are in order, each once, and the newest word on one stands', () => {
  const merged = windows.merge([at(0, 1), at(10_000, 2)], [at(20_000, 3), at(10_000, 5)], 0);
  assert.deepEqual(
    merged.map(({ start, count }) => [start, count]),
    [
      [0, 1],
      [10_000, 5],
      [20_000, 3],
    ],
  );
});

test('windows from before the range are dropped, and of too many the oldest', () => {
  assert.deepEqual(
    windows.merge([at(0), at(10_000)], [], 5_000).map(({ start }) => start),
    [10_000],
  );
  const many = windows.merge(
    [],
    Array.from({ length: 1000 }, (_, i) => at(i * 10_000)),
    0,
  );
  assert.equal(many.length, windows.MAX_WINDOWS);
  assert.equal(many.at(-1).start, 9_990_000);
});

test('merging changes neither of the two', () => {
  const before = [at(0)];
  windows.merge(before, [at(0, 9)], 0);
  assert.equal(before[0].count, 1);
});

test('merging any parts in any order gives what all at once gives', () => {
  for (let seed = 1; seed < 200; seed++) {
    const random = mulberry(seed);
    const all = Array.from({ length: 60 }, (_, i) => at(Math.floor(random() * 40) * 10_000, i));
    let parts = [];
    for (let i = 0; i < all.length;) {
      const length = 1 + Math.floor(random() * 9);
      parts = windows.merge(parts, all.slice(i, i + length), 50_000, 25);
      i += length;
    }
    const last = new Map(all.filter(({ start }) => start >= 50_000).map((window) => [window.start, window]));
    const expected = [...last.values()].sort((a, b) => a.start - b.start).slice(-25);
    assert.deepEqual(
      parts.map(({ start }) => start),
      expected.map(({ start }) => start),
      `seed ${seed}`,
    );
    for (const window of parts) {
      assert.ok(window.count <= last.get(window.start).count);
    }
  }
});

test('the newest closed window is the last one whose end has come', () => {
  const all = [at(0), at(10_000), at(20_000)];
  assert.equal(windows.newestClosed(all, 41_000).start, 10_000);
  assert.equal(windows.newestClosed(all, 50_000).start, 20_000);
  assert.equal(windows.newestClosed(all, 29_999), null);
});

test('a window is found by its start, or as the nearest one', () => {
  const all = Array.from({ length: 30 }, (_, i) => at(i * 10_000));
  for (const { start } of all) {
    assert.equal(windows.startingAt(all, start).start, start);
    assert.equal(windows.startingAt(all, start + 1), null);
  }
  assert.equal(windows.nearest(all, 64_000, 15_000).end, 60_000);
  assert.equal(windows.nearest(all, 900_000, 15_000), null);
});

test('yesterday is 24 h ago, and 23 h or 25 h where the clocks were changed', () => {
  const now = Date.UTC(2026, 2, 29, 10);
  assert.equal(
    windows.yesterday(now, (ms) => ms - 23 * windows.HOUR),
    23 * windows.HOUR,
  );
  const usual = windows.yesterday(now);
  assert.ok([23, 24, 25].includes(usual / windows.HOUR));
  const zone = process.env.TZ;
  process.env.TZ = 'Europe/Berlin';
  try {
    assert.equal(windows.yesterday(Date.UTC(2026, 2, 29, 10)), 23 * windows.HOUR);
    assert.equal(windows.yesterday(Date.UTC(2026, 9, 25, 10)), 25 * windows.HOUR);
    assert.equal(windows.yesterday(Date.UTC(2026, 6, 1, 10)), 24 * windows.HOUR);
  } finally {
    if (zone === undefined) {
      delete process.env.TZ;
    } else {
      process.env.TZ = zone;
    }
  }
});

test("yesterday's windows stand where today's of the same time stand", () => {
  const [moved] = windows.shifted([at(5_000, 7)], 86_400_000);
  assert.deepEqual(moved, { start: 86_405_000, end: 86_435_000, count: 7 });
});

test('no line leads across a window that is missing', () => {
  const all = [at(0, 1), at(10_000, 2), at(40_000, 3), at(50_000, null), at(60_000, 4)];
  const pieces = windows.pieces(all, ({ count }) => count);
  assert.deepEqual(
    pieces.map((piece) => piece.map(({ y }) => y)),
    [[1, 2], [3], [4]],
  );
  assert.equal(pieces[0][0].x, 30_000);
});

test('minutes of an hour: what is not said is 0, what is older is left out', () => {
  const now = 100 * 60_000 + 30_000;
  const counts = windows.minutesOfHour(
    [
      { start: 100 * 60_000, count: 4 },
      { start: 41 * 60_000, count: 1 },
      { start: 40 * 60_000, count: 9 },
    ],
    now,
  );
  assert.equal(counts.length, 60);
  assert.equal(counts[59], 4);
  assert.equal(counts[0], 1);
  assert.equal(
    counts.reduce((a, b) => a + b),
    5,
  );
  assert.deepEqual(windows.sums([1, 2, 3, 4, 5], 2), [3, 7, 5]);
});

function mulberry(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
