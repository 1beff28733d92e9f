import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  connectionLine,
  LEVELS,
  pipelineLine,
  questionLine,
} from '../../main/resources/dev/engagement/api/page/js/health.js';
import { NO_FILTERS } from '../../main/resources/dev/engagement/api/page/js/filters.js';
import { initial, reduce, withStats } from '../../main/resources/dev/engagement/api/page/js/state.js';
import * as answers from '../../main/resources/dev/engagement/api/page/js/answers.js';

const NOW = Date.UTC(2026, 0, 8, 9);
const live = (state, now = state.now) =>
  reduce(state, { type: 'connection', now, connection: { state: 'live', failures: 0, retryAt: null, why: '' } });
const window = (start) => ({
  event: 'metric',
  data: { window_start: start, event_type: 'play', window_size: '30s', count: 1 },
});
const heard = (state, now, ...messages) => reduce(state, { type: 'messages', now, messages });
const stats = (body, state = initial(NO_FILTERS, NOW)) =>
  reduce(state, { type: 'answer', name: 'stats', now: state.now, into: (s) => withStats(s, answers.stats(body)) });
const well = {
  freshness_ms: 28,
  lag: 3,
  dead_letters: { UNDECODABLE: 3 },
  circuit: 'closed',
  last_audit: { at: NOW - 3_600_000, differences: 0 },
};

test('each level has a sign and a word of its own', () => {
  const all = Object.values(LEVELS);
  assert.equal(new Set(all.map(({ sign }) => sign)).size, all.length);
  assert.equal(new Set(all.map(({ word }) => word)).size, all.length);
});

test('a lost connection says so, since when, and when it is tried again', () => {
  let state = heard(live(initial(NO_FILTERS, NOW)), NOW, window(NOW));
  state = reduce(state, {
    type: 'connection',
    now: NOW + 5_000,
    connection: { state: 'lost', failures: 2, retryAt: NOW + 12_000, why: 'The connection has ended' },
  });
  const line = connectionLine({ ...state, now: NOW + 8_000 }, 'UTC');
  assert.equal(line.level, 'bad');
  assert.ok(line.stale);
  assert.equal(
    line.text,
    'Connection lost. All below is of 09:00:00, 8 s ago. The connection has ended. Trying again in 4 s.',
  );
});

test('connected and nothing new: stale is said, and what it may mean', () => {
  const state = heard(live(initial(NO_FILTERS, NOW)), NOW, window(NOW));
  assert.equal(connectionLine(state, 'UTC').level, 'ok');
  const later = connectionLine({ ...state, now: NOW + 120_000 }, 'UTC');
  assert.equal(later.level, 'warn');
  assert.ok(later.stale);
  assert.match(later.text, /no new number for 90 s: the newest window ended at 09:00:30/);
});

test('a clock of this device that is wrong makes nothing stale, and is said', () => {
  const wrong = NOW - 3_600_000;
  let state = live(initial(NO_FILTERS, wrong));
  state = heard(state, wrong, { event: 'heartbeat', data: { as_of: new Date(NOW).toISOString() } }, window(NOW));
  const line = connectionLine(state, 'UTC');
  assert.equal(line.level, 'ok');
  assert.match(line.text, /clock is 60 min slow/);
});

test('the API is there and Redis is not: old is said, and why', () => {
  const beat = (more) => ({ event: 'heartbeat', data: { as_of: new Date(NOW).toISOString(), ...more } });
  let state = heard(live(initial(NO_FILTERS, NOW)), NOW, window(NOW), beat({ stale: true, why: 'Redis is away' }));
  assert.equal(connectionLine(state).level, 'bad');
  assert.ok(connectionLine(state).stale);
  assert.match(connectionLine(state).text, /Redis is away/);
  state = heard(state, NOW, beat({ stale: false, why: null }));
  assert.equal(connectionLine(state).level, 'ok');
});

test('the pipeline is one line that is well, and names each of its parts', () => {
  const line = pipelineLine(stats(well));
  assert.equal(line.level, 'ok');
  assert.equal(
    line.text,
    [
      'freshness 28 ms',
      'lag 3',
      '3 dead letters, none new',
      'receiver takes events',
      'audit 60 min ago: no difference',
    ].join(' · '),
  );
});

test('it turns red with an open circuit, old numbers, new dead letters, a difference', () => {
  const bad = [
    { ...well, circuit: 'open' },
    { ...well, freshness_ms: 95_000 },
    { ...well, last_audit: { at: NOW, differences: 2 } },
  ];
  bad.forEach((body) => assert.equal(pipelineLine(stats(body)).level, 'bad'));
  assert.equal(pipelineLine(stats({ ...well, circuit: 'half_open' })).level, 'warn');
  const risen = stats({ ...well, dead_letters: { UNDECODABLE: 5, INVALID: 1 } }, { ...stats(well), now: NOW + 5_000 });
  assert.equal(pipelineLine(risen).level, 'bad');
  assert.match(pipelineLine(risen).text, /3 new dead letters \(UNDECODABLE 5, INVALID 1\)/);
  const later = stats({ ...well, dead_letters: { UNDECODABLE: 5, INVALID: 1 } }, { ...risen, now: NOW + 11 * 60_000 });
  assert.equal(pipelineLine(later).level, 'ok', 'ten minutes later the rise is no news');
});

test('what nobody knows is no good news', () => {
  const state = reduce(initial(NO_FILTERS, NOW), {
    type: 'failure',
    name: 'stats',
    now: NOW,
    retryAt: NOW,
    problem: { text: 'Redis does not answer.' },
  });
  assert.equal(pipelineLine(state).level, 'bad');
  const nothing = pipelineLine(stats({}));
  assert.deepEqual([nothing.level, nothing.text], ['wait', 'not known: freshness, lag, dead letters, receiver, audit']);
  const some = pipelineLine(stats({ freshness_ms: 28, lag: 0, dead_letters: null, circuit: null, last_audit: null }));
  assert.equal(some.text, 'freshness 28 ms · lag 0 · not known: dead letters, receiver, audit');
  const old = reduce(stats(well), {
    type: 'failure',
    name: 'stats',
    now: NOW + 60_000,
    retryAt: NOW,
    problem: { text: 'Redis does not answer.' },
  });
  assert.equal(pipelineLine(old).level, 'bad');
  assert.match(pipelineLine(old).text, /^not known for 60 s: Redis does not answer\./);
});

test('a panel says of when it is, or what is wrong and when it is asked again', () => {
  const clock = { now: NOW, skew: 0 };
  assert.equal(questionLine(undefined, clock, 'UTC').text, 'Asking …');
  assert.equal(questionLine({ at: NOW, problem: null, retryAt: null }, clock, 'UTC').text, 'As of 09:00:00');
  const failed = { at: NOW - 60_000, problem: { text: 'PostgreSQL does not answer.' }, retryAt: NOW + 8_000 };
  assert.equal(
    questionLine(failed, clock, 'UTC').text,
    'Stale, as of 08:59:00: PostgreSQL does not answer. Asking again in 8 s.',
  );
  assert.match(questionLine({ ...failed, at: null }, clock, 'UTC').text, /^Not known: /);
});

test('paused is said, and is not called live', () => {
  const line = connectionLine({ ...live(initial(NO_FILTERS, NOW)), paused: true });
  assert.ok(line.stale);
  assert.match(line.text, /Paused/);
});
