import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_FILTERS } from '../../main/resources/dev/engagement/api/page/js/filters.js';
import {
  BOUNDS,
  concerns,
  idsOnBoards,
  initial,
  reduce,
  titleOf,
  withBoard,
  withContent,
  withHourly,
  withStats,
} from '../../main/resources/dev/engagement/api/page/js/state.js';
import * as answers from '../../main/resources/dev/engagement/api/page/js/answers.js';
import { MAX_WINDOWS } from '../../main/resources/dev/engagement/api/page/js/windows.js';
import { numbers } from '../../main/resources/dev/engagement/api/page/js/views/cards.js';
import { of, readout, rows } from '../../main/resources/dev/engagement/api/page/js/views/series.js';
import { audiences } from '../../main/resources/dev/engagement/api/page/js/views/watching.js';
import { cellsOf } from '../../main/resources/dev/engagement/api/page/js/views/hours.js';

const START = Date.UTC(2026, 0, 8, 9);

const messages = (now, ...list) => ({
  type: 'messages',
  now,
  messages: list.map(([event, data]) => ({ event, data })),
});
const metric = (type, start, count, more) => [
  'metric',
  {
    window_start: start,
    window_end: start + 30_000,
    count,
    total_value: count * 2,
    unique_users: count,
    event_type: type,
    window_size: '30s',
    unique_users_exact: true,
    ...more,
  },
];
const place = (id, more) => ({ content_id: id, title: `Title ${id}`, content_type: 'video', score: 5, ...more });

test('a state is replaced and never changed, and what has not changed is the same object', () => {
  const before = deepFrozen(
    withBoard(initial(NO_FILTERS, START), answers.leaderboard({ by: 'events', places: [place('a')] })),
  );
  const after = reduce(before, messages(START + 1, metric('play', START - 40_000, 3)));
  assert.notEqual(after, before);
  assert.equal(after.boards, before.boards);
  assert.equal(after.feed, before.feed);
  assert.notEqual(after.series, before.series);
});

test('an hour at 60 updates a minute, then nine more: nothing grows', () => {
  let state = initial(NO_FILTERS, START);
  const sizes = [];
  let id = 0;
  for (let second = 0; second < 10 * 3_600; second++) {
    const now = START + second * 1_000;
    const start = Math.floor(now / 10_000) * 10_000 - 20_000;
    state = reduce(
      state,
      messages(
        now,
        metric(['play', 'pause', 'finish', 'click', `odd${second % 40}`][second % 5], start, second),
        ['leaderboard', { by: 'events', places: [place(`c${second % 500}`), place(`c${second % 7}`)] }],
        ['event', { event_id: id++, content_id: `c${id}`, event_type: 'play', device: `d${id}`, event_ts: now }],
      ),
    );
    if (second % 10 === 0) {
      state = withContent(state, answers.content({ title: 't', minutes: [{ minute: now, count: 1 }] }, `c${second}`));
      state = withStats(state, answers.stats({ dead_letters: { X: second } }));
      state = withHourly(
        state,
        answers.hourly({ entries: [{ window_start: now, content_type: `k${second}`, device: 'web' }] }),
      );
    }
    if (second % 3_600 === 3_599) {
      sizes.push(JSON.stringify(state).length);
    }
  }
  assert.ok(Object.values(state.series).every((windows) => windows.length <= MAX_WINDOWS));
  assert.ok(Object.keys(state.series).length <= BOUNDS.types);
  assert.ok(Object.keys(state.contents).length <= BOUNDS.contents);
  assert.equal(state.feed.length, BOUNDS.feed);
  assert.ok(state.hourly.length <= BOUNDS.cells);
  assert.ok(state.devices.length <= BOUNDS.devices);
  assert.ok(state.deadLetterSamples.length <= BOUNDS.deadLetterSamples);
  assert.ok(sizes.at(-1) < sizes[1] * 1.1, String(sizes));
});

test('what moved says the last answer, where a message does not', () => {
  let state = withBoard(
    initial(NO_FILTERS, START),
    answers.leaderboard({ by: 'events', places: [place('a', { change_minute: 3, change_hour: null })] }),
  );
  state = reduce(state, messages(START, ['leaderboard', { by: 'events', places: [{ content_id: 'a', score: 6 }] }]));
  const [a] = state.boards.events.places;
  assert.deepEqual([a.title, a.changeMinute, a.changeHour, a.score], ['Title a', 3, null, 6]);
});

test('a board of all contents is none of one content type', () => {
  const filtered = { ...NO_FILTERS, contentType: 'video' };
  const state = reduce(
    initial(filtered, START),
    messages(START, ['leaderboard', { by: 'events', places: [place('a')] }]),
  );
  assert.deepEqual(state.boards, {});
});

test('other filters: what is wrong now is gone, what still holds stays', () => {
  let state = withBoard(initial(NO_FILTERS, START), answers.leaderboard({ by: 'events', places: [place('a')] }));
  state = reduce(state, messages(START, metric('play', START - 40_000, 3), metric('click', START - 40_000, 3)));
  state = reduce(state, { type: 'answer', name: 'stats', now: START, into: (s) => s });
  state = reduce(state, { type: 'answer', name: 'leaderboard events', now: START, into: (s) => s });
  state = reduce(state, { type: 'answer', name: 'realtime click', now: START, into: (s) => s });
  const types = reduce(state, { type: 'filters', filters: { ...NO_FILTERS, types: ['play'] } });
  assert.deepEqual(Object.keys(types.series), ['play']);
  assert.equal(types.boards, state.boards);
  assert.deepEqual(Object.keys(types.questions), ['stats', 'leaderboard events']);
  const kind = reduce(state, { type: 'filters', filters: { ...NO_FILTERS, contentType: 'video' } });
  assert.deepEqual(kind.boards, {});
  assert.deepEqual(Object.keys(kind.questions), ['stats', 'realtime click']);
});

test('the content that is open is not forgotten, whatever else comes', () => {
  let state = initial({ ...NO_FILTERS, content: 'chosen' }, START);
  state = withContent(state, answers.content({ title: 'mine' }, 'chosen'));
  for (let i = 0; i < 500; i++) {
    state = withContent(state, answers.content({}, `other${i}`));
  }
  assert.equal(state.contents.chosen.title, 'mine');
  assert.equal(Object.keys(state.contents).length, BOUNDS.contents);
});

test('windows of contents that nobody sees are passed over, before they crowd out others', () => {
  const state = withContent(initial(NO_FILTERS, START), answers.content({}, 'a'));
  const said = (data, event = 'metric') => concerns(state, { event, data });
  assert.ok(said({ event_type: 'play' }));
  assert.ok(said({ rollup: 'hourly' }));
  assert.ok(said({ rollup: 'audience', content_id: 'a' }));
  assert.ok(!said({ rollup: 'audience', content_id: 'b' }));
  assert.ok(!said({ rollup: 'audience', content_id: 'toString' }));
  assert.ok(!said({ rollup: 'content_views', content_id: 'a' }));
  assert.ok(!said(null));
  assert.ok(said({}, 'heartbeat'));
});

test('an event is in the feed once, the newest first', () => {
  const event = (id, at) => ['event', { event_id: id, event_ts: at, content_id: 'a', event_type: 'play' }];
  const state = reduce(
    initial(NO_FILTERS, START),
    messages(START, event(1, 100), event(2, 300), event(1, 100), event(3, 200)),
  );
  assert.deepEqual(
    state.feed.map(({ id }) => id),
    ['2', '3', '1'],
  );
});

test('a correction of an older window does not take the place of the newest audience', () => {
  let state = withContent(
    initial(NO_FILTERS, START),
    answers.content({ audience: { active_users: 9, window_end: 200 } }, 'a'),
  );
  state = reduce(
    state,
    messages(START, [
      'metric',
      { rollup: 'audience', content_id: 'a', active_users: 5, window_start: 0, window_end: 100 },
    ]),
  );
  assert.equal(state.contents.a.audience.users, 9);
  state = reduce(
    state,
    messages(START, [
      'metric',
      { rollup: 'audience', content_id: 'a', active_users: 7, window_start: 0, window_end: 300 },
    ]),
  );
  assert.equal(state.contents.a.audience.users, 7);
});

test('a failed question keeps the time of its last answer', () => {
  let state = reduce(initial(NO_FILTERS, START), { type: 'answer', name: 'stats', now: START, into: (s) => s });
  state = reduce(state, {
    type: 'failure',
    name: 'stats',
    now: START + 9,
    problem: { text: 'away' },
    retryAt: START + 99,
  });
  assert.deepEqual(state.questions.stats, { at: START, problem: { text: 'away' }, retryAt: START + 99 });
});

test('ids on boards come first place by first place, each once', () => {
  let state = initial(NO_FILTERS, START);
  state = withBoard(state, answers.leaderboard({ by: 'events', places: [place('a'), place('b')] }));
  state = withBoard(state, answers.leaderboard({ by: 'seconds', places: [place('c'), place('a'), place('d')] }));
  assert.deepEqual(idsOnBoards(state), ['a', 'c', 'b', 'd']);
  assert.deepEqual(idsOnBoards(state, 2), ['a', 'c']);
  assert.equal(titleOf(state, 'd'), 'Title d');
  assert.equal(titleOf(state, 'unknown'), 'unknown');
});

test('cards are of one window that is over, and users of two types are not added up', () => {
  let state = reduce(
    initial(NO_FILTERS, START),
    messages(
      START,
      metric('play', START - 40_000, 10),
      metric('play', START - 20_000, 4),
      metric('click', START - 40_000, 5),
    ),
  );
  state = reduce(state, { type: 'answer', name: 'realtime pause', now: START, into: (s) => s });
  const cards = Object.fromEntries(numbers(state).map((card) => [card.type, card]));
  assert.equal(cards.all.count, 15);
  assert.equal(cards.all.users, null);
  assert.equal(cards.play.count, 10);
  assert.equal(cards.pause.count, 0, 'no window, and the question was answered: nothing happened');
  assert.equal(cards.finish.count, null, 'no window, and nobody has answered: not known');
  assert.equal(cards.play.end, START - 10_000);
});

test("the chart has yesterday's line under today's, and an open window apart", () => {
  let state = reduce(
    initial(NO_FILTERS, START),
    messages(START, metric('play', START - 40_000, 10), metric('play', START - 20_000, 4)),
  );
  const yesterday = {
    eventType: 'play',
    start: START - 40_000 - 86_400_000,
    end: START - 10_000 - 86_400_000,
    count: 8,
    unique_users: 1,
    exact: true,
  };
  state = { ...state, yesterday: { play: [yesterday] } };
  const data = of(state, 'play');
  assert.deepEqual(data.lines.yesterday, [[{ x: START - 10_000, y: 8 }]]);
  assert.deepEqual(
    data.lines.today.flat().map(({ y }) => y),
    [10],
  );
  assert.deepEqual(
    data.lines.open.flat().map(({ y }) => y),
    [10, 4],
  );
  assert.match(readout(data, null, state), /^10 events until \d\d:\d\d:\d\d, yesterday 8$/);
  assert.match(readout(data, START - 3_000_000, state), /^nothing at/);
  assert.deepEqual(
    rows(data).rows.map((row) => row.slice(1)),
    [['10', '10', '20.00', '8']],
  );
});

test('rows of the table are of windows that do not overlap', () => {
  const list = Array.from({ length: 30 }, (_, i) => metric('play', START - 400_000 + i * 10_000, i));
  const data = of(reduce(initial(NO_FILTERS, START), messages(START, ...list)), 'play');
  assert.equal(rows(data).rows.length, 10);
});

test('who watches: the largest first, of what is on a board', () => {
  let state = withBoard(
    initial(NO_FILTERS, START),
    answers.leaderboard({ by: 'events', places: [place('a'), place('b'), place('c')] }),
  );
  state = withContent(state, answers.content({ audience: { active_users: 2, window_end: 1 } }, 'a'));
  state = withContent(state, answers.content({ audience: { active_users: 7, window_end: 1 } }, 'b'));
  state = withContent(state, answers.content({ audience: { active_users: 99, window_end: 1 } }, 'not on a board'));
  assert.deepEqual(
    audiences(state).map(({ id, users }) => [id, users]),
    [
      ['b', 7],
      ['a', 2],
    ],
  );
});

test("this hour's cells obey the filters and know the hour before", () => {
  const hour = 3_600_000;
  const cell = (start, kind, device, count) => ({ window_start: start, content_type: kind, device, count });
  const state = withHourly(
    initial({ ...NO_FILTERS, device: 'tv' }, START),
    answers.hourly({
      entries: [cell(START, 'video', 'tv', 5), cell(START - hour, 'video', 'tv', 9), cell(START, 'video', 'web', 7)],
    }),
  );
  const { start, cells } = cellsOf(state);
  assert.equal(start, START);
  assert.deepEqual(
    cells.map(({ device, count, before }) => [device, count, before]),
    [['tv', 5, 9]],
  );
  assert.deepEqual(cellsOf(initial(NO_FILTERS, START)), { start: null, cells: [] });
});

function deepFrozen(value) {
  if (value && typeof value === 'object') {
    Object.values(value).forEach(deepFrozen);
    Object.freeze(value);
  }
  return value;
}
