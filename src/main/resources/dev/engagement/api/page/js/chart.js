// A time series as SVG: one line of now, a faint one of yesterday, axes with few words. What it shows in colour it
// shows in form too: yesterday is thin and dashed, the window that is still open is dotted.

import { set, svg } from './dom.js';
import { compact, minute } from './format.js';
import { greatest, path, scale, spark, ticks, timeTicks } from './geometry.js';

const HEIGHT = 132;
const LEFT = 40;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 20;

/** @param onPoint gets the time under the pointer */
export function createChart({ onPoint }) {
  const grid = svg('g', { class: 'grid' });
  const labels = svg('g', { class: 'labels' });
  const before = svg('path', { class: 'yesterday' });
  const now = svg('path', { class: 'today' });
  const open = svg('path', { class: 'open' });
  const cursor = svg('line', { class: 'cursor', y1: TOP, y2: HEIGHT - BOTTOM, visibility: 'hidden' });
  const element = svg('svg', { class: 'chart', height: HEIGHT, role: 'img' }, grid, labels, before, now, open, cursor);
  let x = null;
  let range = null;
  let inside = 0;

  element.addEventListener('pointermove', (event) => {
    if (range !== null) {
      const box = element.getBoundingClientRect();
      const inverse = scale([LEFT, inside - RIGHT], range);
      const at = inverse(((event.clientX - box.left) * inside) / box.width);
      onPoint(Math.min(range[1], Math.max(range[0], at)));
    }
  });
  element.addEventListener('pointerleave', () => onPoint(null));

  return {
    element,
    /**
     * @param label what a screen reader says of it
     * @param lines {today, yesterday, open}: pieces of points
     * @param place the element that it fills; what is written in it is as large as the text around
     */
    draw({ label, from, to, lines, place }) {
      const zoom = (parseFloat(getComputedStyle(place).fontSize) || 16) / 16;
      const outside = Math.max(240, place.clientWidth || 320);
      const width = Math.round(outside / zoom);
      inside = width;
      set(element, 'aria-label', label);
      set(element, 'width', outside);
      set(element, 'height', Math.round(HEIGHT * zoom));
      set(element, 'viewBox', `0 0 ${width} ${HEIGHT}`);
      range = [from, to];
      x = scale(range, [LEFT, width - RIGHT]);
      const values = ticks(greatest(lines.today, lines.yesterday, lines.open));
      const y = scale([0, values[values.length - 1]], [HEIGHT - BOTTOM, TOP]);
      set(before, 'd', path(lines.yesterday, x, y));
      set(now, 'd', path(lines.today, x, y));
      set(open, 'd', path(lines.open, x, y));
      const times = timeTicks(from, to, Math.max(2, Math.floor(width / 90)));
      grid.replaceChildren(
        ...values.map((value) => svg('line', { x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) })),
        ...times.map((time) => svg('line', { x1: x(time), x2: x(time), y1: HEIGHT - BOTTOM, y2: HEIGHT - BOTTOM + 4 })),
      );
      labels.replaceChildren(
        ...values.map((value) => svg('text', { x: LEFT - 5, y: y(value) + 4, 'text-anchor': 'end' }, compact(value))),
        ...times.map((time) =>
          svg(
            'text',
            { x: x(time), y: HEIGHT - 4, 'text-anchor': x(time) > width - 30 ? 'end' : 'middle' },
            minute(time),
          ),
        ),
      );
    },
    /** A vertical line at that time, or none. */
    point(time) {
      const shown = time !== null && x !== null && time >= range[0] && time <= range[1];
      set(cursor, 'visibility', shown ? 'visible' : 'hidden');
      if (shown) {
        set(cursor, 'x1', x(time));
        set(cursor, 'x2', x(time));
      }
    },
  };
}

const SPARK_WIDTH = 96;
const SPARK_HEIGHT = 22;

/** A small line without axes. It says nothing to a screen reader: words beside it do. */
export function createSpark() {
  const line = svg('path', {});
  const viewBox = `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`;
  const element = svg('svg', { class: 'spark', viewBox, 'aria-hidden': 'true' }, line);
  return {
    element,
    draw: (values) => set(line, 'd', values === null ? '' : spark(values, SPARK_WIDTH, SPARK_HEIGHT)),
  };
}

/** Horizontal bars of shares of the first one, for a funnel; the words stand in the rows. */
export function createBar() {
  const bar = svg('rect', { class: 'bar', height: 14, y: 1 });
  const rest = svg('rect', { class: 'bar-rest', height: 14, y: 1, x: 0, width: 100 });
  const attributes = { class: 'funnel-bar', viewBox: '0 0 100 16', preserveAspectRatio: 'none', 'aria-hidden': 'true' };
  return {
    element: svg('svg', attributes, rest, bar),
    draw: (share) => set(bar, 'width', Math.max(0, Math.min(100, share * 100))),
  };
}
