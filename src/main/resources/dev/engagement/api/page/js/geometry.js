// Lines and axes as numbers and path texts. Pure.

/** Round numbers from 0 to at least max, some so many steps; [0, 1] where everything is 0. */
export function ticks(max, steps = 3) {
  if (!(max > 0) || !Number.isFinite(max)) {
    return [0, 1];
  }
  const raw = max / steps;
  const power = 10 ** Math.floor(Math.log10(raw));
  const width = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw * 0.999) ?? raw;
  const result = [];
  for (let i = 0; i * width < max + width * 0.999; i++) {
    result.push(Number((i * width).toPrecision(12)));
  }
  return result;
}

/** Full multiples of a round length of time in a range, at most so many. */
export function timeTicks(from, to, most) {
  const minutes = [1, 2, 5, 10, 15, 20, 30, 60, 120];
  const width = (minutes.find((m) => (to - from) / (m * 60_000) <= most) ?? 240) * 60_000;
  const result = [];
  for (let t = Math.ceil(from / width) * width; t <= to; t += width) {
    result.push(t);
  }
  return result;
}

export function scale([from, to], [low, high]) {
  const factor = to === from ? 0 : (high - low) / (to - from);
  return (value) => low + (value - from) * factor;
}

/**
 * The path of pieces of a line. A piece of one point becomes a short dash, as nothing of it would be seen otherwise.
 */
export function path(pieces, x, y) {
  return pieces
    .map((piece) => {
      const points = piece.map((point) => `${round(x(point.x))} ${round(y(point.y))}`);
      return points.length === 1 ? `M${round(x(piece[0].x) - 1)} ${round(y(piece[0].y))}h2` : `M${points.join('L')}`;
    })
    .join('');
}

/** The path of a sparkline. */
export function spark(values, width, height) {
  const x = scale([0, Math.max(1, values.length - 1)], [1, width - 1]);
  const y = scale([0, Math.max(1, ...values)], [height - 1, 1]);
  return path([values.map((value, i) => ({ x: i, y: value }))], x, y);
}

/** The largest y of pieces; 0 if there is none. */
export function greatest(...lines) {
  let max = 0;
  for (const pieces of lines) {
    for (const piece of pieces) {
      for (const point of piece) {
        max = Math.max(max, point.y);
      }
    }
  }
  return max;
}

function round(n) {
  return Math.round(n * 10) / 10;
}
