// What is shown, and the address that says so. Pure.

export const EVENT_TYPES = ['play', 'pause', 'finish', 'click'];
export const CONTENT_TYPES = ['podcast', 'newsletter', 'video'];
export const DEVICES = ['web', 'ios', 'android', 'tv'];
export const MEASURES = ['count', 'unique_users', 'total_value'];
export const THEMES = ['light', 'dark'];

export const NO_FILTERS = Object.freeze({
  types: Object.freeze([]),
  contentType: '',
  device: '',
  content: '',
  measure: 'count',
  theme: '',
});

const MAX_TYPES = 8;

/** Filters of an address's query. What is not understood is left out, so that an old link still shows something. */
export function read(search) {
  const query = new URLSearchParams(search);
  const types = [...new Set((query.get('types') ?? '').split(',').map(word).filter(Boolean))];
  return {
    types: types.slice(0, MAX_TYPES),
    contentType: word(query.get('content_type')),
    device: word(query.get('device')),
    content: contentId(query.get('content')),
    measure: oneOf(query.get('measure'), MEASURES) || 'count',
    theme: oneOf(query.get('theme'), THEMES),
  };
}

/** The query of those filters, with its question mark; empty if nothing is filtered. Equal filters have equal ones. */
export function write(filters) {
  const query = new URLSearchParams();
  if (filters.types.length > 0) {
    query.set('types', [...filters.types].sort().join(','));
  }
  put(query, 'content_type', filters.contentType);
  put(query, 'device', filters.device);
  put(query, 'content', filters.content);
  put(query, 'measure', filters.measure === 'count' ? '' : filters.measure);
  put(query, 'theme', filters.theme);
  // A comma is as good as %2C in a query, and a link is read by people.
  const text = query.toString().replaceAll('%2C', ',');
  return text === '' ? '' : `?${text}`;
}

/** The event types with a card and a chart: those asked for, or the usual ones and whatever else has come. */
export function shownTypes(filters, seen = []) {
  if (filters.types.length > 0) {
    return filters.types;
  }
  const others = seen.filter((type) => !EVENT_TYPES.includes(type)).sort();
  return [...EVENT_TYPES, ...others].slice(0, MAX_TYPES);
}

/** Whether the feed shows that event. */
export function passes(filters, event) {
  return (
    (filters.types.length === 0 || filters.types.includes(event.eventType)) &&
    (filters.contentType === '' || filters.contentType === event.contentType) &&
    (filters.device === '' || filters.device === event.device)
  );
}

/** A place in a path, where "." and ".." would lead elsewhere before anybody has read them. */
export function contentId(text) {
  const id = (text ?? '').trim();
  return id.length === 0 || id.length > 256 || id === '.' || id === '..' ? '' : id;
}

/** Where to go after logging in: a path of this page's own host, whatever the link says. */
export function safeNext(next) {
  return typeof next === 'string' && /^\/(?![/\\])[^\\\s]*$/.test(next) ? next : '/';
}

function word(text) {
  const trimmed = (text ?? '').trim();
  return /^[\p{L}\p{N}_.-]{1,64}$/u.test(trimmed) ? trimmed : '';
}

function oneOf(text, choices) {
  return choices.includes(text) ? text : '';
}

function put(query, name, value) {
  if (value) {
    query.set(name, value);
  }
}
