import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  greatest,
  path,
  scale,
  spark,
  ticks,
  timeTicks,
} from '../../main/resources/dev/engagement/api/page/js/geometry.js';

test('an axis begins at 0, ends at or above the largest, and has few round steps', () => {
  for (const max of [0.001, 0.7, 1, 3, 7, 9.99, 10, 11, 142, 999, 1_000, 123_456, 1e9]) {
    const values = ticks(max);
    assert.equal(values[0], 0);
    assert.ok(values.at(-1) >= max * 0.999, `${max}: ${values}`);
    assert.ok(values.length >= 2 && values.length <= 6, `${max}: ${values}`);
  }
  assert.deepEqual(ticks(0), [0, 1]);
  assert.deepEqual(ticks(-1), [0, 1]);
  assert.deepEqual(ticks(NaN), [0, 1]);
  assert.deepEqual(ticks(Infinity), [0, 1]);
});

test('times on the axis are full and not too many', () => {
  const from = Date.UTC(2026, 0, 8, 9, 7, 13);
  const times = timeTicks(from, from + 3_600_000, 6);
  assert.ok(times.length <= 6 && times.length >= 3);
  assert.ok(times.every((time) => time % 600_000 === 0));
});

test('a path has one stroke for each piece, and a single point can be seen', () => {
  const id = (v) => v;
  assert.equal(
    path(
      [
        [
          { x: 0, y: 1 },
          { x: 2, y: 3 },
        ],
        [{ x: 9, y: 9 }],
      ],
      id,
      id,
    ),
    'M0 1L2 3M8 9h2',
  );
  assert.equal(path([], id, id), '');
});

test('a sparkline stays within its frame, whatever the values', () => {
  for (const values of [[0, 0, 0], [5], [1, 1_000_000, 3], Array(60).fill(7)]) {
    const numbers = spark(values, 96, 22)
      .match(/-?[\d.]+/g)
      .map(Number);
    assert.ok(
      numbers.every((n) => n >= 0 && n <= 96),
      String(values),
    );
  }
});

test('a scale without a range does not divide by zero', () => {
  assert.equal(scale([5, 5], [0, 100])(5), 0);
  assert.equal(scale([0, 10], [0, 100])(5), 50);
  assert.equal(greatest([[{ y: 3 }]], [], [[{ y: 8 }]]), 8);
});
