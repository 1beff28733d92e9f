import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  contentId,
  NO_FILTERS,
  passes,
  read,
  safeNext,
  shownTypes,
  write,
} from '../../main/resources/dev/engagement/api/page/js/filters.js';
import { address, range } from '../../main/resources/dev/engagement/api/page/js/api.js';

test('an address says what is shown, and is read back as the same', () => {
  const filters = {
    types: ['click', 'play'],
    contentType: 'video',
    device: 'tv',
    content: 'a b/ü',
    measure: 'total_value',
    theme: 'dark',
  };
  assert.deepEqual(read(write(filters)), filters);
  assert.equal(write(NO_FILTERS), '');
  assert.deepEqual(read(''), { ...NO_FILTERS, types: [] });
  assert.equal(write({ ...NO_FILTERS, types: ['play', 'click'] }), '?types=click,play');
});

test('what an address says and nobody understands is left out', () => {
  const filters = read('?types=play,<script>,play,%20&device=a%00b&measure=all&theme=pink&content=..&utm=1');
  assert.deepEqual(filters, { ...NO_FILTERS, types: ['play'] });
  assert.equal(read(`?types=${Array.from({ length: 50 }, (_, i) => `t${i}`)}`).types.length, 8);
  assert.equal(read(`?device=${'x'.repeat(65)}`).device, '');
});

test('a content id cannot lead to another path', () => {
  assert.equal(contentId('.'), '');
  assert.equal(contentId('..'), '');
  assert.equal(contentId(' a '), 'a');
  assert.equal(contentId('x'.repeat(257)), '');
  assert.equal(
    new URL(`/content/${encodeURIComponent('../stats?x#y')}`, 'http://host').pathname,
    '/content/..%2Fstats%3Fx%23y',
  );
});

test('after logging in nobody is led to another host', () => {
  for (const next of [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    'javascript:alert(1)',
    '',
    null,
    '/a\nb',
    '/ /x',
  ]) {
    assert.equal(safeNext(next), '/', String(next));
  }
  assert.equal(safeNext('/wall?types=play'), '/wall?types=play');
});

test('without a filter the usual types are shown, and others that have come', () => {
  assert.deepEqual(shownTypes(NO_FILTERS, ['purchase', 'play']), ['play', 'pause', 'finish', 'click', 'purchase']);
  assert.deepEqual(shownTypes({ ...NO_FILTERS, types: ['click'] }, ['play']), ['click']);
});

test('the feed obeys all three filters', () => {
  const event = { eventType: 'play', contentType: 'video', device: 'web' };
  assert.ok(passes(NO_FILTERS, event));
  assert.ok(!passes({ ...NO_FILTERS, types: ['click'] }, event));
  assert.ok(!passes({ ...NO_FILTERS, contentType: 'podcast' }, event));
  assert.ok(!passes({ ...NO_FILTERS, device: 'tv' }, event));
});

test('parameters that are empty are left out of a question', () => {
  assert.equal(address('/live', { types: '', last_event_id: '7' }), '/live?last_event_id=7');
  assert.equal(address('/live', { types: '', last_event_id: null }), '/live');
  assert.equal(address('/x', { a: 'b&c=d' }), '/x?a=b%26c%3Dd');
});

for (const order of ['newest first', 'oldest first']) {
  test(`a range that is larger than an answer is asked for in parts, ${order}`, async () => {
    const all = Array.from({ length: 95 }, (_, i) => ({ start: i * 10 }));
    let asked = 0;
    const page = async (from, to) => {
      asked++;
      const found = all.filter(({ start }) => start >= from && start <= to);
      return (order === 'newest first' ? found.reverse() : found).slice(0, 20);
    };
    const windows = await range({ page, from: 0, to: 1_000, limit: 20, maxPages: 10 });
    assert.equal(windows.length, 95);
    assert.equal(asked, 5);
    assert.equal((await range({ page, from: 0, to: 1_000, limit: 20, maxPages: 2 })).length, 40);
  });
}
