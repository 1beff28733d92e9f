// The newest events. It moves, and is no live region: nobody could listen to it.

import { el, list, text } from '../dom.js';
import { passes } from '../filters.js';
import { time } from '../format.js';
import { titleOf } from '../state.js';
import { contentLink, linkTo, when } from './parts.js';

const SIGNS = { play: '▶', pause: '‖', finish: '✓', click: '●' };

export function feed(root, { most = 20 } = {}) {
  const place = el('ol', { class: 'feed' });
  const empty = el('p', { class: 'empty' }, 'No event that the filters let through.');
  root.append(place, empty);
  return when(
    (state) => [state.feed, state.filters, state.contents],
    (state) => {
      const events = state.feed.filter((event) => passes(state.filters, event)).slice(0, most);
      empty.hidden = events.length > 0;
      list(
        place,
        events,
        (event) => event.id,
        create,
        (li, event) => update(li, event, state),
      );
    },
  );
}

function create(event) {
  return el(
    'li',
    {},
    el('time', { datetime: new Date(event.at).toISOString() }, time(event.at)),
    el(
      'span',
      { class: 'type', 'data-type': event.eventType },
      el('span', { 'aria-hidden': 'true' }, SIGNS[event.eventType] ?? '◆'),
      ` ${event.eventType}`,
    ),
    el('span', { class: 'what' }, contentLink()),
    el('small', {}),
  );
}

function update(li, event, state) {
  linkTo(li.children[2].children[0], state.filters, event.contentId, event.title || titleOf(state, event.contentId));
  const percent = event.percent === null ? '' : `${Math.round(event.percent)} %`;
  text(li.children[3], [event.contentType, event.device, percent].filter(Boolean).join(' · '));
}
