// Counts and unique users of the newest window that is over, one card for each event type.

import { el, hidden, list, text } from '../dom.js';
import { shownTypes } from '../filters.js';
import { count, decimal, difference, NOTHING, time, users } from '../format.js';
import { serverNow } from '../state.js';
import { newestClosed, shifted, startingAt, yesterday } from '../windows.js';
import { note, unsplit, when } from './parts.js';

export function cards(root) {
  const place = el('ul', { class: 'cards' });
  root.append(place);
  const split = unsplit(root, ['contentType', 'device']);
  const line = note(root, (state) => shownTypes(state.filters).map((type) => `realtime ${type}`));
  const draw = when(
    (state) => [state.series, state.yesterday, state.filters, state.questions, Math.floor(serverNow(state) / 1000)],
    (state) => list(place, numbers(state), (card) => card.type, create, update),
  );
  return (state) => {
    draw(state);
    split(state);
    line(state);
  };
}

/** What the cards say. One window for all of them, so that they can be compared. */
export function numbers(state) {
  const now = serverNow(state);
  const types = shownTypes(state.filters, Object.keys(state.series));
  const newest = types
    .map((type) => newestClosed(state.series[type] ?? [], now))
    .reduce((best, window) => (window && (!best || window.start > best.start) ? window : best), null);
  const day = yesterday(now);
  const each = types.map((type) => {
    const window = newest && startingAt(state.series[type] ?? [], newest.start);
    // A window without events is never written, so that it is not there says 0, once the question was answered.
    const empty = newest && !window && state.questions[`realtime ${type}`]?.at != null;
    const before = newest && startingAt(shifted(state.yesterday[type] ?? [], day), newest.start);
    return {
      type,
      count: window ? window.count : empty ? 0 : null,
      users: window ? window.unique_users : empty ? 0 : null,
      value: window ? window.total_value : empty ? 0 : null,
      exact: window ? window.exact : true,
      before: before ? before.count : null,
      end: newest ? newest.end : null,
    };
  });
  if (each.length < 2) {
    return each;
  }
  const add = (of) =>
    each.some((card) => of(card) !== null) ? each.reduce((sum, card) => sum + (of(card) ?? 0), 0) : null;
  const before = each.every((card) => card.before !== null) ? add((card) => card.before) : null;
  // Users of two event types do not add up: one person may be in both.
  const all = {
    type: 'all',
    count: add((card) => card.count),
    users: null,
    value: add((card) => card.value),
    exact: true,
    before,
  };
  return [{ ...all, end: newest ? newest.end : null }, ...each];
}

function create(card) {
  const rows = [
    ['Unique users', 'users'],
    ['Value', 'value'],
    ['Yesterday', 'before'],
  ].filter(([, name]) => card.type !== 'all' || name !== 'users');
  return el(
    'li',
    { class: 'card', 'data-type': card.type },
    el('h3', {}, card.type === 'all' ? 'all events' : card.type),
    el('p', { class: 'big' }),
    el('p', { class: 'unit' }),
    el('dl', {}, ...rows.map(([name, field]) => el('div', {}, el('dt', {}, name), el('dd', { 'data-field': field })))),
  );
}

function update(element, card) {
  const [, big, unit, facts] = element.children;
  text(big, count(card.count));
  text(unit, card.end === null ? 'no window yet' : `in the 30 s until ${time(card.end)}`);
  for (const row of facts.children) {
    const value = row.children[1];
    switch (value.dataset.field) {
      case 'users':
        estimate(value, card);
        break;
      case 'value':
        text(value, decimal(card.value));
        break;
      default:
        against(value, card);
    }
  }
}

function estimate(element, card) {
  const wanted = users(card.users, card.exact);
  if (element.dataset.shown !== wanted) {
    element.dataset.shown = wanted;
    const estimated = card.exact === false && card.users !== null;
    element.replaceChildren(wanted, estimated ? el('small', {}, ' estimate') : '');
  }
}

function against(element, card) {
  const moved = difference(card.count, card.before);
  if (moved === null) {
    delete element.dataset.shown;
    text(element, card.before === null ? NOTHING : count(card.before));
    return;
  }
  const wanted = `${moved.sign} ${moved.text}`;
  if (element.dataset.shown !== `${card.before} ${wanted}`) {
    element.dataset.shown = `${card.before} ${wanted}`;
    element.replaceChildren(
      `${count(card.before)} `,
      el('span', { class: `moved ${moved.kind}` }, el('span', { 'aria-hidden': 'true' }, wanted)),
      hidden(`now ${moved.kind === 'same' ? 'the same' : `${moved.text} ${moved.kind === 'up' ? 'more' : 'less'}`}`),
    );
  }
}
