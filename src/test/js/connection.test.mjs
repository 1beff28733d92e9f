import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createConnection, SILENT_MILLIS } from '../../main/resources/dev/engagement/api/page/js/connection.js';
import { backoff, MAX_MILLIS, retryAfter } from '../../main/resources/dev/engagement/api/page/js/backoff.js';
import { ManualTimers } from './manual-timers.mjs';

class FakeSource {
  listeners = {};
  closed = false;
  constructor(url) {
    this.url = url;
  }
  addEventListener(event, listener) {
    this.listeners[event] = listener;
  }
  say(event, data, lastEventId) {
    this.listeners[event]({ data: typeof data === 'string' ? data : JSON.stringify(data), lastEventId });
  }
  close() {
    this.closed = true;
  }
}

function scripted() {
  const timers = new ManualTimers();
  const sources = [];
  const states = [];
  const messages = [];
  const connection = createConnection({
    ...timers,
    open: (url) => {
      sources.push(new FakeSource(url));
      return sources.at(-1);
    },
    url: (lastId) => `/live?last=${lastId}`,
    onMessage: (message) => messages.push(message),
    onState: (state) => states.push(state),
  });
  connection.start();
  return { timers, sources, states, messages, connection, names: () => states.map(({ state }) => state) };
}

test('it is live with the first message and not before', () => {
  const { sources, names, messages } = scripted();
  assert.deepEqual(names(), ['connecting']);
  sources[0].say('snapshot', { a: 1 }, '5');
  assert.deepEqual(names(), ['connecting', 'live']);
  assert.deepEqual(messages, [{ event: 'snapshot', id: '5', data: { a: 1 } }]);
});

test('lost, it comes back with the last id, and waits longer each time', async () => {
  const { timers, sources, states, names } = scripted();
  sources[0].say('heartbeat', {}, '41');
  sources[0].onerror();
  assert.equal(states.at(-1).state, 'lost');
  assert.ok(sources[0].closed);
  const waits = [];
  for (let i = 1; i <= 8; i++) {
    const { retryAt } = states.at(-1);
    waits.push(retryAt - timers.now());
    await timers.advance(retryAt - timers.now());
    assert.equal(sources.length, i + 1);
    assert.equal(sources[i].url, '/live?last=41');
    sources[i].onerror();
  }
  assert.ok(waits.every((wait, i) => i === 0 || wait >= waits[i - 1]));
  assert.ok(waits.at(-1) <= MAX_MILLIS);
  assert.ok(!names().slice(2).includes('connecting'), 'what is lost is called lost until it is live');
  await timers.advance(MAX_MILLIS);
  sources.at(-1).say('heartbeat', {}, '60');
  assert.equal(states.at(-1).state, 'live');
  sources.at(-1).onerror();
  assert.ok(states.at(-1).retryAt - timers.now() <= 1_000, 'begins with the short wait again');
});

test('a stream that falls silent without an error is lost too', async () => {
  const { timers, sources, states } = scripted();
  sources[0].say('heartbeat', {}, '1');
  await timers.advance(SILENT_MILLIS - 1);
  assert.equal(states.at(-1).state, 'live');
  sources[0].say('heartbeat', {}, '2');
  await timers.advance(SILENT_MILLIS - 1);
  assert.equal(states.at(-1).state, 'live');
  await timers.advance(1);
  assert.equal(states.at(-1).state, 'lost');
});

test('a server that takes the connection and says nothing is tried again', async () => {
  const { timers, sources } = scripted();
  await timers.advance(SILENT_MILLIS + 1_000);
  assert.equal(sources.length, 2);
});

test('a message that cannot be read is passed over, and the stream goes on', () => {
  const { sources, messages, states } = scripted();
  sources[0].say('metric', '{"broken', '1');
  sources[0].say('metric', { count: 1 }, '2');
  assert.equal(messages.length, 1);
  assert.equal(states.at(-1).state, 'live');
});

test('nothing of a stream that was closed is heard', () => {
  const { sources, messages, connection } = scripted();
  sources[0].say('heartbeat', {}, '9');
  connection.restart();
  sources[0].say('metric', { count: 1 }, '10');
  sources[0].onerror();
  assert.equal(messages.length, 1);
  assert.equal(sources[1].url, '/live?last=', 'with other filters it begins anew');
});

test('stopped, it leaves no timer behind', async () => {
  const { timers, sources, connection } = scripted();
  sources[0].say('heartbeat', {}, '1');
  connection.stop();
  assert.equal(timers.waiting, 0);
  connection.start();
  sources[1].onerror();
  connection.stop();
  assert.equal(timers.waiting, 0);
});

test('a retry by hand comes at once, and does nothing while it is live', () => {
  const { sources, connection } = scripted();
  sources[0].onerror();
  connection.retry();
  assert.equal(sources.length, 2);
  sources[1].say('heartbeat', {}, '1');
  connection.retry();
  assert.equal(sources.length, 2);
});

test('waits lie between half and all of a doubling, and what the server asks for is the least', () => {
  for (let failures = 1; failures < 40; failures++) {
    const full = Math.min(MAX_MILLIS, 1_000 * 2 ** Math.min(failures - 1, 10));
    assert.equal(backoff(failures, 0), full / 2);
    assert.ok(backoff(failures, 0.9999) <= full);
  }
  assert.equal(backoff(1, 0, 7_000), 7_000);
  assert.equal(retryAfter('5', 0), 5_000);
  assert.equal(retryAfter('Thu, 01 Jan 1970 00:00:10 GMT', 4_000), 6_000);
  assert.equal(retryAfter('soon', 0), 0);
  assert.equal(retryAfter(null, 0), 0);
  assert.equal(retryAfter('999999', 0), 600_000);
});
