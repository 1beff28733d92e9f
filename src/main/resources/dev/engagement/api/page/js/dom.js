// Elements. Text of others is only ever a text node, and there is no markup in strings.

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @param attributes names and values; true is an empty one, false and null none
 * @param children elements and texts
 */
export function el(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

export function svg(name, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    set(element, name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Only if it has changed: what is written again is announced again, and drawn again. */
export function set(element, name, value) {
  if (value === false || value === null) {
    if (element.hasAttribute(name)) {
      element.removeAttribute(name);
    }
    return;
  }
  const text = value === true ? '' : String(value);
  if (element.getAttribute(name) !== text) {
    element.setAttribute(name, text);
  }
}

export function text(element, value) {
  if (element.textContent !== value) {
    element.textContent = value;
  }
}

/** Read by a screen reader, not seen. */
export function hidden(value) {
  return el('span', { class: 'hidden' }, value);
}

/**
 * Children of a list: each item keeps its element, in the items' order.
 *
 * @param key of an item, a text
 * @param create makes an element
 * @param update writes an item into its element
 */
export function list(parent, items, key, create, update) {
  const known = new Map();
  for (const child of [...parent.children]) {
    known.set(child.itemKey, child);
  }
  let before = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let child = known.get(name);
    if (child) {
      known.delete(name);
    } else {
      child = create(item);
      child.itemKey = name;
    }
    if (child === before) {
      before = before.nextElementSibling;
    } else {
      parent.insertBefore(child, before);
    }
    // Behind the insertion, so that its width is known.
    update(child, item);
  }
  known.forEach((child) => child.remove());
}

/**
 * What stands behind a chart: a table that is only made while somebody looks at it.
 *
 * @param rows answers {caption, head, rows} of texts
 */
export function tableBehind(summary, rows) {
  const place = el('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': summary });
  const details = el('details', {}, el('summary', {}, summary), place);
  let shown = null;

  function draw() {
    if (!details.open) {
      return;
    }
    const table = rows();
    const now = JSON.stringify(table);
    // Somebody may be reading it: it stays as it is until a number in it has changed.
    if (now === shown) {
      return;
    }
    shown = now;
    place.replaceChildren(
      el(
        'table',
        {},
        el('caption', {}, table.caption),
        el('thead', {}, el('tr', {}, ...table.head.map((cell) => el('th', { scope: 'col' }, cell)))),
        el(
          'tbody',
          {},
          ...table.rows.map(([first, ...others]) =>
            el('tr', {}, el('th', { scope: 'row' }, first), ...others.map((cell) => el('td', {}, cell))),
          ),
        ),
      ),
    );
  }

  details.addEventListener('toggle', () => {
    if (details.open) {
      draw();
    } else {
      shown = null;
      place.replaceChildren();
    }
  });
  return { element: details, draw };
}

/** A sign, a word and a text, of one of health's levels. */
export function level(element, { sign, word }, name, value) {
  set(element, 'data-level', name);
  if (!element.firstElementChild) {
    element.append(el('span', { class: 'sign', 'aria-hidden': 'true' }), el('strong', {}), el('span', {}));
  }
  const [first, second, third] = element.children;
  text(first, sign);
  text(second, `${word} `);
  text(third, value);
}
