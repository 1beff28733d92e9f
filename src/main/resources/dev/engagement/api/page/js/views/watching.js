// Who is watching now: users of the last five minutes, by content.

import { el, hidden, list, text } from '../dom.js';
import { time, users } from '../format.js';
import { idsOnBoards, titleOf } from '../state.js';
import { contentLink, linkTo, note, when } from './parts.js';

const MOST = 10;

export function watching(root) {
  const places = el('ol', { class: 'board watching' });
  const nobody = el('p', { class: 'empty' }, 'Nobody, or nothing is known of it yet.');
  root.append(places, nobody);
  const line = note(root, () => ['contents']);
  const draw = when(
    (state) => [state.boards, state.contents, state.filters],
    (state) => {
      const items = audiences(state);
      nobody.hidden = items.length > 0;
      list(
        places,
        items,
        (item) => item.id,
        create,
        (li, item) => update(li, item, state),
      );
    },
  );
  return (state) => {
    draw(state);
    line(state);
  };
}

/** The contents on the boards with an audience, the largest first. */
export function audiences(state) {
  return idsOnBoards(state)
    .map((id) => state.contents[id])
    .filter((content) => content?.audience?.users > 0)
    .map(({ id, audience }) => ({ id, ...audience }))
    .sort((a, b) => b.users - a.users || (a.id < b.id ? -1 : 1))
    .slice(0, MOST);
}

function create() {
  return el('li', {}, el('span', { class: 'what' }, contentLink(), el('small', {})), el('span', { class: 'score' }));
}

function update(li, item, state) {
  const [what, score] = li.children;
  linkTo(what.children[0], state.filters, item.id, titleOf(state, item.id));
  text(what.children[1], `until ${time(item.end)}`);
  const wanted = users(item.users, item.exact);
  if (score.dataset.shown !== wanted) {
    score.dataset.shown = wanted;
    score.replaceChildren(wanted, item.exact ? hidden(' users') : el('small', {}, ' estimate'));
  }
}
