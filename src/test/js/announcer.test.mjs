import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAnnouncer, MIN_GAP_MILLIS } from '../../main/resources/dev/engagement/api/page/js/announcer.js';
import { ManualTimers } from './manual-timers.mjs';

function scripted() {
  const timers = new ManualTimers();
  const said = [];
  return { timers, said, announcer: createAnnouncer({ ...timers, say: (text) => said.push(text) }) };
}

test('it does not chatter: an hour of changes each second is no more than one sentence each gap', async () => {
  const { timers, said, announcer } = scripted();
  for (let i = 0; i < 3_600; i++) {
    announcer.announce('leader', `${i % 7} leads`);
    await timers.advance(1_000);
  }
  assert.ok(said.length <= 3_600_000 / MIN_GAP_MILLIS + 1, String(said.length));
});

test('what was said is not said again, and what went away meanwhile is not said at all', async () => {
  const { timers, said, announcer } = scripted();
  announcer.announce('leader', 'a leads');
  await timers.advance(1_000);
  announcer.announce('leader', 'a leads');
  announcer.announce('leader', 'b leads');
  announcer.announce('leader', 'a leads');
  await timers.advance(MIN_GAP_MILLIS * 2);
  assert.deepEqual(said, ['a leads']);
});

test('a lost connection need not wait, and several things are one sentence', async () => {
  const { timers, said, announcer } = scripted();
  announcer.announce('leader', 'a leads.');
  await timers.advance(100);
  announcer.announce('leader', 'b leads.');
  announcer.announce('connection', 'Lost.', true);
  await timers.advance(3_000);
  assert.deepEqual(said, ['a leads.', 'b leads. Lost.']);
});

test('how the page begins is nothing to say', async () => {
  const { timers, said, announcer } = scripted();
  announcer.known('connection', 'Live.');
  announcer.announce('connection', 'Live.', true);
  await timers.advance(60_000);
  assert.deepEqual(said, []);
});
