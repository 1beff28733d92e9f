import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConflater, subject } from '../../main/resources/dev/engagement/api/page/js/conflate.js';

function scripted(max) {
  const flushed = [];
  const scheduled = [];
  const conflater = createConflater({
    key: subject,
    flush: (m) => flushed.push(m),
    schedule: (run) => scheduled.push(run),
    max,
  });
  return { flushed, scheduled, conflater };
}

const metric = (start, count, more = {}) => ({
  event: 'metric',
  data: { event_type: 'play', window_size: '30s', window_start: start, count, ...more },
});

test('of many messages about one window the newest is drawn', () => {
  const { flushed, scheduled, conflater } = scripted();
  for (let i = 0; i < 100; i++) {
    conflater.offer(metric(0, i));
  }
  conflater.offer(metric(10_000, 1));
  assert.equal(scheduled.length, 1);
  scheduled[0]();
  assert.deepEqual(
    flushed[0].map(({ data }) => data.count),
    [99, 1],
  );
  conflater.offer(metric(0, 100));
  assert.equal(scheduled.length, 2);
});

test('windows of other keys, boards and events are not mixed up', () => {
  const subjects = [
    metric(0, 1),
    metric(0, 1, { event_type: 'click' }),
    metric(0, 1, { rollup: 'hourly', content_type: 'video', device: 'web' }),
    metric(0, 1, { rollup: 'hourly', content_type: 'video', device: 'tv' }),
    metric(0, 1, { rollup: 'audience', content_id: 'a' }),
    { event: 'leaderboard', data: { by: 'events' } },
    { event: 'leaderboard', data: { by: 'seconds' } },
    { event: 'event', data: { event_id: 1 } },
    { event: 'event', data: { event_id: 2 } },
    { event: 'snapshot', data: {} },
    { event: 'heartbeat', data: {} },
  ].map(subject);
  assert.equal(new Set(subjects).size, subjects.length);
  assert.equal(subject({ event: 'snapshot', data: { as_of: 1 } }), subject({ event: 'snapshot', data: { as_of: 2 } }));
});

test('nobody looks for hours, and no more than the bound waits', () => {
  const { conflater, flushed, scheduled } = scripted(50);
  for (let i = 0; i < 10_000; i++) {
    conflater.offer(metric(i, 1));
  }
  assert.equal(conflater.size(), 50);
  scheduled[0]();
  assert.equal(flushed[0].at(-1).data.window_start, 9_999);
  assert.equal(conflater.size(), 0);
});
