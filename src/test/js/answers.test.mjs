import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as answers from '../../main/resources/dev/engagement/api/page/js/answers.js';

test('the windows of the issue are read', () => {
  const body = {
    event_type: 'click',
    window_size: '30s',
    entries: [{ window_start: 1719392400000, count: 142, total_value: 8563.21, unique_users: 23 }],
    as_of: '2026-01-08T09:00:00Z',
    exact: true,
  };
  assert.deepEqual(answers.metrics(body), [
    {
      eventType: 'click',
      start: 1719392400000,
      end: 1719392430000,
      count: 142,
      total_value: 8563.21,
      unique_users: 23,
      exact: true,
    },
  ]);
});

test('whether users were counted is what the window says, else what the number can be', () => {
  const of = (window, answer) =>
    answers.metricWindow({ window_start: 0, event_type: 'play', window_size: '30s', ...window }, answer).exact;
  assert.equal(of({ unique_users: 5_000, unique_users_exact: true }, { exact: false }), true);
  assert.equal(of({ unique_users: 5, unique_users_exact: false }, { exact: true }), false);
  assert.equal(of({ unique_users: 5_000 }, { exact: true }), true);
  assert.equal(of({ unique_users: 5_000 }, { exact: false }), false);
  assert.equal(of({ unique_users: 1_024 }, { exact: false }), true);
});

test('windows of other sizes and rollups are none of these', () => {
  assert.equal(answers.metricWindow({ window_start: 0, event_type: 'play', window_size: '5m' }), null);
  assert.equal(answers.metricWindow({ window_start: 0, event_type: 'play', window_size: '30s', rollup: 'mine' }), null);
  assert.equal(answers.metricWindow({ window_start: 'x', event_type: 'play', window_size: '30s' }), null);
});

test('anything at all is read without a fault', () => {
  const oddities = [
    {},
    { entries: 5 },
    { entries: [null, 1, 'x', [], {}] },
    { places: [{}] },
    { minutes: {} },
    { dead_letters: [1] },
  ];
  for (const body of oddities) {
    answers.metrics(body);
    answers.leaderboard(body);
    answers.content(body, 'id');
    answers.hourly(body);
    answers.stats(body);
    answers.snapshot(body);
    answers.heartbeat(body);
  }
  assert.deepEqual(answers.metrics({ entries: [null, 1] }), []);
});

test('movement: null was not there, and a missing one nobody knows', () => {
  const [a, b, c] = answers.leaderboard({
    by: 'events',
    places: [
      { content_id: 'a', change_minute: null, change_hour: 2 },
      { content_id: 'b' },
      { content_id: 'c', change_minute: 0 },
      {},
    ],
  }).places;
  assert.deepEqual([a.changeMinute, a.changeHour], [null, 2]);
  assert.deepEqual([b.changeMinute, b.changeHour], [undefined, undefined]);
  assert.equal(c.changeMinute, 0);
});

test('lists have a bound', () => {
  assert.equal(answers.leaderboard({ places: Array(5_000).fill({ content_id: 'a' }) }).places.length, 100);
  assert.equal(
    answers.metrics({ entries: Array(5_000).fill({ window_start: 1, event_type: 'a', window_size: '30s' }) }).length,
    1_000,
  );
});

test('instants come in both forms, large numbers as texts too', () => {
  assert.equal(answers.instant('2026-01-08T09:00:00Z'), Date.UTC(2026, 0, 8, 9));
  assert.equal(answers.instant(1719392400000), 1719392400000);
  assert.equal(answers.instant('1719392400000'), 1719392400000);
  assert.equal(answers.instant('yesterday'), null);
  assert.equal(answers.instant(null), null);
  assert.equal(answers.content({ count: '9007199254740993' }, 'x').count, 9007199254740992);
});

test('a part of a key may hold a colon', () => {
  assert.equal(answers.rollupKey('vi:deo', '50%'), 'vi%3Adeo:50%25');
});

test("a field's words are those of the API's document, wherever the field stands in it", () => {
  const openapi = {
    paths: {
      '/x': {
        get: {
          responses: { 200: { content: { 'application/json': { schema: { $ref: '#/components/schemas/X' } } } } },
        },
      },
    },
    components: {
      schemas: { X: { properties: { list: { items: { properties: { deep: { description: 'Deep.' } } } } } } },
    },
  };
  assert.equal(answers.description(openapi, '/x', 'deep'), 'Deep.');
  assert.equal(answers.description(openapi, '/x', 'nothing'), null);
  assert.equal(answers.description(openapi, '/y', 'deep'), null);
  const endless = { paths: openapi.paths, components: { schemas: { X: { $ref: '#/components/schemas/X' } } } };
  assert.equal(answers.description(endless, '/x', 'deep'), null);
});
