// The windows of the last hour, a chart for each event type, with yesterday's behind, and a table behind that. One
// slider looks at a time in all of them, for those without a pointer.

import { createChart } from '../chart.js';
import { el, list, set, tableBehind, text } from '../dom.js';
import { shownTypes } from '../filters.js';
import { count, decimal, minute, time, users } from '../format.js';
import { serverNow } from '../state.js';
import { HOUR, nearest, newestClosed, pieces, shifted, startingAt, step, yesterday } from '../windows.js';
import { note, unsplit, when } from './parts.js';

const STEP_MILLIS = 10_000;
const NAMES = { count: 'events', unique_users: 'unique users', total_value: 'value' };

export function series(root) {
  const place = el('div', { class: 'charts' });
  const slider = el('input', {
    type: 'range',
    id: 'look',
    min: -HOUR / 1000,
    max: 0,
    step: STEP_MILLIS / 1000,
    value: 0,
  });
  root.append(place, el('p', { class: 'look' }, el('label', { for: 'look' }, 'Look at a time'), slider));
  const split = unsplit(root, ['contentType', 'device']);
  const line = note(root, (state) => {
    const types = shownTypes(state.filters);
    return [...types.map((type) => `history ${type}`), ...types.map((type) => `yesterday ${type}`)];
  });
  let shown = null;
  let pointed = null;

  function point(at) {
    pointed = at;
    if (shown) {
      readouts(shown, true);
    }
  }

  slider.addEventListener('input', () => {
    const back = Number(slider.value) * 1000;
    point(back === 0 || !shown ? null : serverNow(shown) + back);
  });

  function readouts(state, asked = false) {
    const texts = [];
    for (const figure of place.children) {
      const data = of(state, figure.itemKey);
      figure.chart.point(pointed);
      const said = readout(data, pointed, state);
      text(figure.readout, said);
      texts.push(`${figure.itemKey} ${said}`);
    }
    // While it has the focus each new text would be read aloud: only one that was asked for is.
    if (asked || document.activeElement !== slider) {
      set(slider, 'aria-valuetext', texts.join('; '));
    }
  }

  const draw = when(
    (state) => [
      state.series,
      state.yesterday,
      state.filters,
      Math.floor(serverNow(state) / STEP_MILLIS),
      place.clientWidth,
    ],
    (state) => {
      shown = state;
      const types = shownTypes(state.filters, Object.keys(state.series));
      list(
        place,
        types,
        (type) => type,
        (type) => create(type, () => shown, point),
        (figure, type) => update(figure, of(state, type)),
      );
      readouts(state);
    },
  );
  return (state) => {
    draw(state);
    split(state);
    line(state);
  };
}

/** What a chart shows, as numbers: pure, apart from the calendar. */
export function of(state, type) {
  const now = serverNow(state);
  const measure = state.filters.measure;
  const from = now - HOUR;
  const value = (window) => window[measure];
  const windows = (state.series[type] ?? []).filter((window) => window.end >= from);
  const before = shifted(state.yesterday[type] ?? [], yesterday(now)).filter((w) => w.end >= from && w.end <= now);
  const closed = windows.filter((window) => window.end <= now);
  const last = closed.length > 0 ? closed[closed.length - 1] : null;
  // A window's end may lie ahead while it is open: it stands at the edge.
  const open = windows
    .filter((window) => window.end > now)
    .map((window) => ({ ...window, end: Math.min(window.end, now) }));
  const width = step(windows) ?? STEP_MILLIS;
  return {
    type,
    measure,
    from,
    to: now,
    windows,
    closed,
    before,
    lines: {
      today: pieces(closed, value, width),
      yesterday: pieces(before, value, step(before) ?? STEP_MILLIS),
      open: open.length === 0 ? [] : pieces(last ? [last, open[0]] : [open[0]], value, width),
    },
  };
}

/** One window in words: the newest that is over, or the one at that time. */
export function readout(data, at, state) {
  const window = at === null ? newestClosed(data.closed, data.to) : nearest(data.closed, at, STEP_MILLIS * 1.5);
  if (!window) {
    return at === null ? 'nothing in the last hour' : `nothing at ${time(at)}`;
  }
  const before = startingAt(data.before, window.start);
  const then = before ? `, yesterday ${number(before, data.measure)}` : '';
  const name = NAMES[data.measure];
  return `${number(window, data.measure)} ${name} until ${time(window.end)}${then}${state.paused ? ' (paused)' : ''}`;
}

function number(window, measure) {
  switch (measure) {
    case 'unique_users':
      return users(window.unique_users, window.exact);
    case 'total_value':
      return decimal(window.total_value);
    default:
      return count(window.count);
  }
}

function create(type, state, onPoint) {
  const chart = createChart({ onPoint });
  const heading = el('h3', {}, type);
  const said = el('p', { class: 'readout' });
  const table = tableBehind(`Numbers of ${type} as a table`, () => rows(of(state(), type)));
  const figure = el('div', { class: 'figure' }, heading, said, chart.element, table.element);
  return Object.assign(figure, { chart, readout: said, table });
}

function update(figure, data) {
  const name = NAMES[data.measure];
  figure.chart.draw({
    label: `Chart: ${name} of ${data.type} in windows of 30 s, from ${minute(data.from)} to ${minute(
      data.to,
    )}, and of yesterday. The table below has the numbers.`,
    from: data.from,
    to: data.to,
    lines: data.lines,
    place: figure,
  });
  figure.table.draw();
}

/** Every third window of those that begin each 10 s: windows that do not overlap, hence numbers that add up. */
export function rows(data) {
  const apart = [];
  for (let i = data.closed.length - 1; i >= 0; i--) {
    if (apart.length === 0 || data.closed[i].end <= apart[apart.length - 1].start) {
      apart.push(data.closed[i]);
    }
  }
  return {
    caption: `${data.type}: windows of 30 s that do not overlap, newest first. ≈ is an estimate.`,
    head: ['Until', 'Events', 'Unique users', 'Value', 'Events yesterday'],
    rows: apart.map((window) => [
      time(window.end),
      count(window.count),
      users(window.unique_users, window.exact),
      decimal(window.total_value),
      count(startingAt(data.before, window.start)?.count),
    ]),
  };
}
