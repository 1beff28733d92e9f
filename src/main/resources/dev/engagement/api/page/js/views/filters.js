// The filters as a form. What it says is what the address says.

import { el, text } from '../dom.js';
import { CONTENT_TYPES, DEVICES, EVENT_TYPES, MEASURES, NO_FILTERS, THEMES } from '../filters.js';
import { when } from './parts.js';

const MEASURE_NAMES = { count: 'events', unique_users: 'unique users', total_value: 'value' };

/** @param change gets the filters to come */
export function filterForm(root, { change }) {
  const types = el('fieldset', {}, el('legend', {}, 'Only these event types'));
  const contentType = choice('content-type', 'Content type', 'all');
  const device = choice('device', 'Device', 'all');
  const measure = choice('measure', 'Charts show', null);
  const theme = choice('theme', 'Colours', 'as the system has it');
  const clear = el('button', { type: 'button' }, 'Show everything');
  const form = el('form', {}, types, contentType.element, device.element, measure.element, theme.element, clear);
  root.append(form);
  MEASURES.forEach((name) => measure.offer(name, MEASURE_NAMES[name]));
  THEMES.forEach((name) => theme.offer(name, name));
  const boxes = new Map();
  let current = NO_FILTERS;

  function box(type) {
    if (!boxes.has(type)) {
      const input = el('input', { type: 'checkbox', name: 'types', value: type });
      boxes.set(type, input);
      types.append(el('label', {}, input, ` ${type}`));
    }
    return boxes.get(type);
  }

  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('change', () => {
    const checked = [...boxes].filter(([, input]) => input.checked).map(([type]) => type);
    change({
      ...current,
      types: checked,
      contentType: contentType.select.value,
      device: device.select.value,
      measure: measure.select.value,
      theme: theme.select.value,
    });
  });
  clear.addEventListener('click', () => change({ ...NO_FILTERS, theme: current.theme, content: current.content }));

  return when(
    (state) => [state.filters, state.devices, state.contentTypes, Object.keys(state.series).length],
    (state) => {
      current = state.filters;
      [...EVENT_TYPES, ...current.types, ...Object.keys(state.series)].slice(0, 16).forEach(box);
      boxes.forEach((input, type) => {
        input.checked = current.types.includes(type);
      });
      contentType.show([...CONTENT_TYPES, ...state.contentTypes], current.contentType);
      device.show([...DEVICES, ...state.devices], current.device);
      measure.show([], current.measure);
      theme.show([], current.theme);
    },
  );
}

function choice(id, label, none) {
  const select = el('select', { id });
  const known = new Set();

  function offer(value, name) {
    if (!known.has(value)) {
      known.add(value);
      select.append(el('option', { value }, name));
    }
  }

  if (none !== null) {
    offer('', none);
  }
  return {
    element: el('div', {}, el('label', { for: id }, label), select),
    select,
    offer,
    /** Options are only ever added: one may be open. */
    show(names, value) {
      [...names, value].filter(Boolean).forEach((name) => offer(name, name));
      if (select.value !== value) {
        select.value = value;
      }
    },
  };
}

/** A short sentence of what is filtered, for a wall without a form. */
export function filterSentence(root) {
  return when(
    (state) => [state.filters],
    ({ filters }) => {
      const said = [
        filters.types.length > 0 ? `only ${filters.types.join(', ')}` : '',
        filters.contentType,
        filters.device ? `on ${filters.device}` : '',
      ].filter(Boolean);
      text(root, said.join(' · '));
      root.hidden = said.length === 0;
    },
  );
}
