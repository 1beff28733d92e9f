import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as format from '../../main/resources/dev/engagement/api/page/js/format.js';

test('what is not known is a dash and never a zero', () => {
  for (const shown of [
    format.count,
    format.decimal,
    format.compact,
    format.users,
    format.times,
    format.time,
    format.span,
  ]) {
    assert.equal(shown(null), '–');
    assert.equal(shown(undefined), '–');
    assert.equal(shown(NaN), '–');
  }
  assert.equal(format.count(0), '0');
  assert.equal(format.percent(1, 0), '–');
});

test('numbers are grouped, and an estimate is marked', () => {
  assert.equal(format.count(1234567), '1,234,567');
  assert.equal(format.decimal(8563.2), '8,563.20');
  assert.equal(format.users(1500, true), '1,500');
  assert.equal(format.users(1500, false), '≈ 1,500');
  assert.equal(format.times(2.34), '×2.3');
  assert.equal(format.percent(31, 400), '7.8 %');
});

test('a difference has a sign and a word, as a colour alone says nothing', () => {
  assert.deepEqual(format.difference(112, 100), { kind: 'up', sign: '▲', text: '12 %' });
  assert.deepEqual(format.difference(88, 100), { kind: 'down', sign: '▼', text: '12 %' });
  assert.deepEqual(format.difference(100, 100), { kind: 'same', sign: '=', text: 'the same' });
  assert.equal(format.difference(5, 0), null);
  assert.equal(format.difference(null, 5), null);
});

test('movement tells new, unknown, up, down and the same apart', () => {
  const kinds = [null, undefined, 3, -1, 0].map((change) => format.movement(change, 'a minute'));
  assert.deepEqual(
    kinds.map(({ kind }) => kind),
    ['new', 'unknown', 'up', 'down', 'same'],
  );
  assert.equal(kinds[2].text, 'up 3 places since a minute ago');
  assert.equal(kinds[3].text, 'down 1 place since a minute ago');
  assert.equal(new Set(kinds.map(({ sign }) => sign)).size, 5);
});

test('lengths of time are said as people say them', () => {
  assert.equal(format.span(8_400), '8 s');
  assert.equal(format.span(119_000), '119 s');
  assert.equal(format.span(180_000), '3 min');
  assert.equal(format.span(7_500_000), '2 h 5 min');
  assert.equal(format.span(7_200_000), '2 h');
  assert.equal(format.span(4 * 86_400_000), '4 days');
  assert.equal(format.span(-5), '0 s');
  assert.equal(format.delay(28), '28 ms');
  assert.equal(format.delay(1_250), '1.3 s');
});

test('times are of the zone that is asked for', () => {
  const noon = Date.UTC(2026, 0, 8, 12, 3, 9);
  assert.equal(format.time(noon, 'UTC'), '12:03:09');
  assert.equal(format.minute(noon, 'Asia/Kolkata'), '17:33');
  assert.equal(format.time(Date.UTC(2026, 0, 8), 'UTC'), '00:00:00');
});

test('a text of others is one line without marks that turn it around, and has an end', () => {
  assert.equal(format.line('a\u0000b\n\tc'), 'a b c');
  assert.equal(format.line('abc\u202Edef'), 'abc def');
  assert.equal(format.line('<b>'), '<b>');
  assert.equal(format.line(null), '');
  assert.equal([...format.line('😀'.repeat(300))].length, 200);
  assert.ok(format.line('😀'.repeat(300)).endsWith('😀…'));
});
