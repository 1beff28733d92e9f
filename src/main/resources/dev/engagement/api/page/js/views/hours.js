// This hour and the last one, by content type and device: a table, as it is no picture.

import { el, list, text } from '../dom.js';
import { count, minute, span, users } from '../format.js';
import { note, unsplit, when } from './parts.js';

const HEAD = ['Content type', 'Device', 'Events', 'Unique users', 'Time spent', 'Events of the hour before'];

export function hours(root) {
  const caption = el('caption', {});
  const body = el('tbody', {});
  const table = el(
    'table',
    {},
    caption,
    el('thead', {}, el('tr', {}, ...HEAD.map((name) => el('th', { scope: 'col' }, name)))),
    body,
  );
  const empty = el('p', { class: 'empty' }, 'Nothing is known of this hour yet.');
  root.append(
    el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'This hour as a table' }, table),
    empty,
  );
  const split = unsplit(root, ['types']);
  const line = note(root, () => ['hourly']);
  const draw = when(
    (state) => [state.hourly, state.filters],
    (state) => {
      const { start, cells } = cellsOf(state);
      empty.hidden = cells.length > 0;
      table.hidden = cells.length === 0;
      text(
        caption,
        start === null
          ? ''
          : `The hour from ${minute(start)}, so far. ≈ is an estimate; users of two rows do not add up.`,
      );
      list(body, cells, (cell) => JSON.stringify([cell.contentType, cell.device]), create, update);
    },
  );
  return (state) => {
    draw(state);
    split(state);
    line(state);
  };
}

/** The newest hour's cells that the filters let through, with the count of the hour before. */
export function cellsOf({ hourly, filters }) {
  const passing = hourly.filter(
    (cell) =>
      (filters.contentType === '' || filters.contentType === cell.contentType) &&
      (filters.device === '' || filters.device === cell.device),
  );
  if (passing.length === 0) {
    return { start: null, cells: [] };
  }
  const start = Math.max(...passing.map((cell) => cell.start));
  const before = new Map(
    passing
      .filter((cell) => cell.end === start)
      .map((cell) => [JSON.stringify([cell.contentType, cell.device]), cell.count]),
  );
  const cells = passing
    .filter((cell) => cell.start === start)
    .map((cell) => ({ ...cell, before: before.get(JSON.stringify([cell.contentType, cell.device])) ?? null }));
  return { start, cells };
}

function create(cell) {
  return el(
    'tr',
    {},
    el('th', { scope: 'row' }, cell.contentType || '(none)'),
    el('td', {}, cell.device || '(none)'),
    ...HEAD.slice(2).map(() => el('td', {})),
  );
}

function update(row, cell) {
  const [, , events, people, seconds, before] = row.children;
  text(events, count(cell.count));
  text(people, users(cell.users, cell.exact));
  text(seconds, cell.seconds === null ? count(null) : span(cell.seconds * 1000));
  text(before, count(cell.before));
}
