// One content: what it is, its last event, its hour by minutes, and how far people got.

import { createBar, createChart } from '../chart.js';
import { el, list, tableBehind, text } from '../dom.js';
import { contentId } from '../filters.js';
import { count, dayAndMinute, minute, NOTHING, percent, span, time, users } from '../format.js';
import { HOUR, minutesOfHour, pieces } from '../windows.js';
import { serverNow, titleOf } from '../state.js';
import { note, when } from './parts.js';

/** @param choose gets the id of another content, or '' for none */
export function content(root, { choose }) {
  const input = el('input', {
    id: 'content-id',
    name: 'content',
    maxlength: 256,
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const form = el(
    'form',
    { class: 'choose' },
    el('label', { for: 'content-id' }, 'Content id'),
    input,
    el('button', {}, 'Open'),
  );
  const empty = el('p', { class: 'empty' }, 'Choose a content on one of the boards, or by its id.');
  const title = el('h3', { tabindex: -1, dir: 'auto' });
  const close = el('button', { type: 'button' }, 'Close');
  const facts = el('dl', { class: 'facts' });
  const chart = createChart({ onPoint: () => {} });
  const minutes = tableBehind('Events of the last hour by minute, as a table', () => minuteRows(shown));
  const hourOf = el(
    'div',
    { class: 'figure' },
    el('h4', {}, 'Events of the last hour, by minute'),
    chart.element,
    minutes.element,
  );
  const funnelNote = el('p', { class: 'unit' });
  const funnel = el('ol', { class: 'funnel' });
  const steps = tableBehind('How far people got, as a table', () => funnelRows(shown));
  const completion = el(
    'div',
    { class: 'figure' },
    el('h4', {}, 'How far people got'),
    funnelNote,
    funnel,
    steps.element,
  );
  const detail = el('div', { class: 'detail' }, title, close, facts, hourOf, completion);
  root.append(form, empty, detail);
  const line = note(detail, () => ['content']);
  let shown = null;

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const id = contentId(input.value);
    if (id !== '') {
      choose(id);
    }
  });
  close.addEventListener('click', () => choose(''));

  const draw = when(
    (state) => [
      state.filters.content,
      state.contents[state.filters.content],
      Math.floor(serverNow(state) / 10_000),
      detail.clientWidth,
    ],
    (state) => {
      shown = state;
      const id = state.filters.content;
      const known = state.contents[id];
      empty.hidden = id !== '';
      detail.hidden = id === '';
      facts.hidden = hourOf.hidden = completion.hidden = !known;
      text(title, id === '' ? '' : titleOf(state, id));
      if (known) {
        list(
          facts,
          factsOf(known),
          ([name]) => name,
          createFact,
          (row, [, value]) => text(row.lastElementChild, value),
        );
        drawMinutes(chart, hourOf, minutesOf(state, known), serverNow(state));
        drawFunnel(funnel, funnelNote, known.completion);
        minutes.draw();
        steps.draw();
      }
    },
  );
  return (state) => {
    draw(state);
    if (state.filters.content !== '') {
      line(state);
    }
  };
}

/** Names and texts of what is known of a content. */
export function factsOf(known) {
  const last = known.lastEvent;
  const audience = known.audience;
  return [
    ['Kind', known.contentType || NOTHING],
    ['Length', known.lengthSeconds === null ? NOTHING : span(known.lengthSeconds * 1000)],
    ['Published', dayAndMinute(known.published)],
    ['Events in all', count(known.count)],
    [
      'Watching now',
      audience ? `${users(audience.users, audience.exact)}${audience.exact ? '' : ' (estimate)'}` : NOTHING,
    ],
    ['Last event', last ? [last.eventType, last.device, time(last.at)].filter(Boolean).join(', ') : NOTHING],
  ];
}

function createFact([name]) {
  return el('div', {}, el('dt', {}, name), el('dd', {}));
}

function minutesOf(state, known) {
  return minutesOfHour(known.minutes, serverNow(state));
}

function drawMinutes(chart, figure, counts, now) {
  const end = Math.floor(now / 60_000) * 60_000 + 60_000;
  const windows = counts.map((value, i) => {
    const start = end - (counts.length - i) * 60_000;
    return { start, end: start + 60_000, value };
  });
  const value = (window) => window.value;
  chart.draw({
    label: `Chart: events by minute, from ${minute(end - HOUR)} to ${minute(end)}. The table below has the numbers.`,
    from: end - HOUR,
    to: end,
    lines: {
      today: pieces(windows.slice(0, -1), value, 60_000),
      yesterday: [],
      open: pieces(windows.slice(-2), value, 60_000),
    },
    place: figure,
  });
}

function minuteRows(state) {
  const known = state.contents[state.filters.content];
  const counts = known ? minutesOf(state, known) : [];
  const last = Math.floor(serverNow(state) / 60_000) * 60_000;
  return {
    caption: 'Newest first; the first minute is not over yet',
    head: ['Minute', 'Events'],
    rows: counts.map((value, i) => [minute(last - (counts.length - 1 - i) * 60_000), count(value)]).reverse(),
  };
}

function drawFunnel(element, noteElement, completion) {
  if (!completion) {
    text(noteElement, 'Nothing is known of this hour yet.');
    element.replaceChildren();
    return;
  }
  const exact = completion.exact ? 'exact' : 'an estimate';
  text(
    noteElement,
    `Users in the hour from ${dayAndMinute(completion.start)}, ${exact}. Who began before it did not start in it.`,
  );
  const started = completion.steps[0].users;
  list(
    element,
    completion.steps,
    (step) => step.name,
    (step) => {
      const bar = createBar();
      return Object.assign(el('li', {}, el('span', {}, step.name), bar.element, el('span', { class: 'score' })), {
        bar,
      });
    },
    (li, step) => {
      li.bar.draw(started > 0 ? (step.users ?? 0) / started : 0);
      text(li.children[2], `${users(step.users, completion.exact)} · ${percent(step.users, started)}`);
    },
  );
}

function funnelRows(state) {
  const completion = state.contents[state.filters.content]?.completion;
  const started = completion?.steps[0].users;
  return {
    caption: 'Users, and their share of those who started',
    head: ['Step', 'Users', 'Share'],
    rows: (completion?.steps ?? []).map((step) => [
      step.name,
      users(step.users, completion.exact),
      percent(step.users, started),
    ]),
  };
}
