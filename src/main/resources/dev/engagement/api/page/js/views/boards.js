// Leaderboards: places, titles, how they have moved, and the last hour of each as a small line.

import { createSpark } from '../chart.js';
import { el, hidden, list, set, tableBehind, text } from '../dom.js';
import { count, movement, span, times } from '../format.js';
import { serverNow } from '../state.js';
import { minutesOfHour, sums } from '../windows.js';
import { contentLink, linkTo, note, unsplit, when } from './parts.js';

const SCORES = {
  events: (place) => `${count(place.score)}`,
  seconds: (place) => (place.score === null ? count(null) : span(place.score * 1000)),
  trending: (place) => times(place.score),
};

/** An empty board of what is trending may have another reason: after a first start nobody knows what is usual. */
const NOBODY = {
  events: 'Nobody is on it: nothing has happened in its window.',
  trending: 'Nothing is above its usual, or what is usual is not known yet: that takes a quarter of an hour.',
};

export function board(root, by, { calm }) {
  const places = el('ol', { class: 'board' });
  const nobody = el('p', { class: 'empty', hidden: true }, NOBODY[by] ?? NOBODY.events);
  let shown = null;
  const table = tableBehind(`The last hour of each by ten minutes (${by})`, () => rows(shown, by));
  root.append(places, nobody, table.element);
  const split = unsplit(root, ['types', 'device']);
  const line = note(root, () => [`leaderboard ${by}`]);
  const draw = when(
    (state) => [state.boards[by], state.contents, state.filters, Math.floor(serverNow(state) / 60_000)],
    (state) => {
      shown = state;
      const items = state.boards[by]?.places ?? [];
      nobody.hidden = !state.boards[by] || items.length > 0;
      moving(places, calm, () =>
        list(
          places,
          items,
          (place) => place.id,
          create,
          (li, place) => update(li, place, state, by),
        ),
      );
      table.draw();
    },
  );
  return (state) => {
    draw(state);
    split(state);
    line(state);
  };
}

function create() {
  const spark = createSpark();
  const li = el(
    'li',
    {},
    el('span', { class: 'place' }),
    el('span', { class: 'moved' }, el('span', { 'aria-hidden': 'true' }), hidden('')),
    el('span', { class: 'what' }, contentLink(), el('small', {})),
    el('span', { class: 'trend' }, spark.element, hidden('')),
    el('span', { class: 'score' }),
  );
  return Object.assign(li, { spark });
}

function update(li, place, state, by) {
  const [number, moved, what, trend, score] = li.children;
  text(number, `${place.place}.`);
  const minute = movement(place.changeMinute, 'a minute');
  const hour = movement(place.changeHour, 'an hour');
  set(moved, 'class', `moved ${minute.kind}`);
  set(moved, 'title', `${minute.text}; ${hour.text}`);
  text(moved.children[0], `${minute.sign}${minute.number === 'new' ? ' new' : minute.number}`);
  text(moved.children[1], `${minute.text}; ${hour.text}`);
  linkTo(what.children[0], state.filters, place.id, place.title);
  const since = hour.number === '' || hour.kind === 'new' ? '' : ` · ${hour.sign} ${hour.number} in an hour`;
  text(what.children[1], `${place.contentType}${since}`);
  const minutes = hourOf(state, place.id);
  li.spark.draw(minutes);
  text(trend.children[1], minutes === null ? '' : spoken(minutes));
  text(score, SCORES[by](place));
  set(score, 'title', place.usual === null ? null : `usual: ${count(place.usual)}`);
}

function hourOf(state, id) {
  const content = state.contents[id];
  return content && content.minutes.length > 0 ? minutesOfHour(content.minutes, serverNow(state)) : null;
}

function spoken(minutes) {
  const all = minutes.reduce((a, b) => a + b, 0);
  return `last hour: ${count(all)} events, at most ${count(Math.max(...minutes))} a minute`;
}

function rows(state, by) {
  const ago = ['60–50', '50–40', '40–30', '30–20', '20–10', '10–0'];
  return {
    caption: 'Events of the last hour, by ten minutes',
    head: ['Content', ...ago.map((minutes) => `${minutes} min ago`)],
    rows: (state?.boards[by]?.places ?? []).map((place) => {
      const minutes = hourOf(state, place.id);
      return [
        `${place.place}. ${place.title || place.id}`,
        ...(minutes ? sums(minutes, 10) : ago.map(() => null)).map(count),
      ];
    }),
  };
}

/** Rows glide to their new places, unless movement is not wanted; first where they were, then where they are. */
function moving(parent, calm, change) {
  if (calm() || parent.children.length === 0 || typeof parent.animate !== 'function') {
    change();
    return;
  }
  const before = new Map([...parent.children].map((li) => [li, li.getBoundingClientRect().top]));
  change();
  const moved = [...parent.children]
    .map((li) => [li, before.has(li) ? before.get(li) - li.getBoundingClientRect().top : 0])
    .filter(([, by]) => by !== 0);
  for (const [li, by] of moved) {
    li.animate([{ transform: `translateY(${by}px)` }, { transform: 'none' }], { duration: 350, easing: 'ease-out' });
  }
}
