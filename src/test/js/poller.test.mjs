import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPoller } from '../../main/resources/dev/engagement/api/page/js/poller.js';
import { ManualTimers } from './manual-timers.mjs';

function scripted() {
  const timers = new ManualTimers();
  return { timers, poller: createPoller(timers) };
}

test('a question is asked again only after its answer', async () => {
  const { timers, poller } = scripted();
  let asked = 0;
  let answer;
  poller.add('slow', { everyMillis: 1_000, ask: () => (asked++, new Promise((resolve) => (answer = resolve))) });
  await timers.advance(60_000);
  assert.equal(asked, 1);
  answer();
  await timers.advance(1_000);
  assert.equal(asked, 2);
});

test('after a failure it waits longer, says until when, and comes back', async () => {
  const { timers, poller } = scripted();
  let away = true;
  const asked = [];
  const told = [];
  poller.add('x', {
    everyMillis: 1_000,
    ask: async () => {
      asked.push(timers.now());
      if (away) {
        throw { status: 503, retryAfterMillis: 4_000 };
      }
    },
    failed: (problem, retryAt) => told.push(retryAt),
  });
  await timers.advance(30_000);
  const before = asked.length;
  assert.ok(before <= 8);
  asked.slice(1).forEach((at, i) => assert.ok(at - asked[i] >= 4_000));
  assert.equal(told[0], asked[1]);
  away = false;
  await timers.advance(30_000);
  const after = asked.length;
  await timers.advance(10_000);
  assert.ok(asked.length - after >= 9);
});

test('too many requests: nothing is asked until the time is over', async () => {
  const { timers, poller } = scripted();
  let other = 0;
  poller.add('refused', {
    everyMillis: 60_000,
    ask: async () => {
      throw { status: 429, retryAfterMillis: 20_000 };
    },
  });
  poller.add('other', { everyMillis: 1_000, ask: async () => other++ });
  await timers.advance(500);
  assert.equal(other, 1);
  await timers.advance(19_000);
  assert.equal(other, 1);
  await timers.advance(5_000);
  assert.ok(other > 2);
});

test('nobody looks: nothing is asked; then what is due is asked at once', async () => {
  const { timers, poller } = scripted();
  let asked = 0;
  poller.add('x', { everyMillis: 1_000, ask: async () => asked++ });
  await timers.advance(2_500);
  assert.equal(asked, 3);
  poller.sleep();
  await timers.advance(3_600_000);
  assert.equal(asked, 3);
  poller.wake();
  await timers.advance(0);
  assert.equal(asked, 4);
});

test('the connection is back: what failed is asked at once, but not while nobody looks', async () => {
  const { timers, poller } = scripted();
  let asked = 0;
  let away = true;
  poller.add('x', {
    everyMillis: 1_000,
    ask: async () => {
      asked++;
      if (away) {
        throw { status: 503, retryAfterMillis: 60_000 };
      }
    },
  });
  await timers.advance(5_000);
  assert.equal(asked, 1);
  away = false;
  poller.sleep();
  poller.retry();
  await timers.advance(10_000);
  assert.equal(asked, 1);
  poller.wake();
  poller.retry();
  await timers.advance(0);
  assert.equal(asked, 2);
});

test('something has changed: asked soon, and no more often than the least distance', async () => {
  const { timers, poller } = scripted();
  let asked = 0;
  poller.add('x', { everyMillis: 60_000, minMillis: 5_000, ask: async () => asked++ });
  await timers.advance(0);
  for (let i = 0; i < 100; i++) {
    poller.soon('x');
    await timers.advance(100);
  }
  assert.ok(asked >= 2 && asked <= 3, String(asked));
  poller.soon('nobody');
});

test('what was taken out is asked no more, though its answer is still under way', async () => {
  const { timers, poller } = scripted();
  let asked = 0;
  let fail;
  const told = [];
  poller.add('x', {
    everyMillis: 1_000,
    ask: () => (asked++, new Promise((_, reject) => (fail = reject))),
    failed: (p) => told.push(p),
  });
  await timers.advance(0);
  poller.remove('x');
  fail({ status: 500 });
  await timers.advance(60_000);
  assert.equal(asked, 1);
  assert.deepEqual(told, []);
  assert.equal(timers.waiting, 0);
});
