// What several views share.

import { el, level, set, text } from '../dom.js';
import { LEVELS, questionLine } from '../health.js';
import { NO_FILTERS, write } from '../filters.js';

/** Draws only if something that it depends on is another object than the last time. */
export function when(depends, draw) {
  let last = null;
  return (state) => {
    const now = depends(state);
    if (last === null || now.some((value, i) => value !== last[i])) {
      last = now;
      draw(state);
    }
  };
}

/**
 * The line under a panel: of when its numbers are, or what is wrong. The first of those questions that has a problem
 * tells.
 */
export function note(root, names) {
  const element = el('p', { class: 'note' });
  root.append(element);
  return (state) => {
    const asked = names(state).map((name) => state.questions[name]);
    const shown = asked.find((question) => question?.problem) ?? asked.find((question) => !question) ?? asked[0];
    const line = questionLine(shown, state);
    level(element, LEVELS[line.level], line.level, line.text);
  };
}

/** Says which of the filters a panel does not obey, as its numbers are not split by that. */
export function unsplit(root, names) {
  const element = el('p', { class: 'unsplit', hidden: true });
  root.append(element);
  const words = { types: 'event types', contentType: 'content types', device: 'devices' };
  return when(
    (state) => [state.filters],
    ({ filters }) => {
      const ignored = names.filter((name) => filters[name].length > 0).map((name) => words[name]);
      element.hidden = ignored.length === 0;
      text(element, `Of all ${ignored.join(' and ')}: these numbers are not split by them.`);
    },
  );
}

/** A content's title as a link that opens it; the address of it can be copied. */
export function contentLink() {
  // A title of any script begins where that script begins.
  return el('a', { class: 'title', href: '/', dir: 'auto' });
}

export function linkTo(link, filters, id, title) {
  link.dataset.content = id;
  set(link, 'href', `/${write({ ...NO_FILTERS, ...filters, content: id })}`);
  text(link, title || id);
  set(link, 'title', title || id);
}
