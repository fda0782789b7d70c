/** Windows of the token matrix in which a latent fires (spec train-and-interpret B.4). */

/** A latent's activations on a token matrix, in the order of tokens. */
export interface Firings {
  /** Tokens on which it fires, counted over the whole matrix: row · L + position; ascending. */
  readonly at: Uint32Array<ArrayBuffer>;
  /** > 0, of each of them. */
  readonly values: Float32Array<ArrayBuffer>;
}

/** Where a window of c tokens is. */
export interface Place {
  readonly row: number;
  /** Position of its first token. */
  readonly start: number;
}

/** A window in which a latent fires. */
export interface WindowPlace extends Place {
  /** The latent's largest activation in it. */
  readonly max: number;
}

/** How tokens lie in rows, and rows in windows. */
export interface WindowShape {
  /** L, a multiple of c. */
  readonly contextLength: number;
  /** c */
  readonly windowLength: number;
}

/**
 * Windows side by side from the start of each row in which the latent fires, strongest first; ties in
 * the order of the text.
 */
export function gridWindows(
  { at, values }: Firings,
  { contextLength, windowLength }: WindowShape,
): WindowPlace[] {
  const places: WindowPlace[] = [];
  let known = -1;
  for (const [i, token] of at.entries()) {
    const first = token - token % windowLength;
    const max = values[i];
    if (first !== known) {
      const start = first % contextLength;
      places.push({ row: (first - start) / contextLength, start, max });
      known = first;
    } else if (max > places[places.length - 1].max) {
      places[places.length - 1] = { ...places[places.length - 1], max };
    }
  }
  return places.sort(strongestFirst);
}

/**
 * Windows around the tokens on which the latent fires most: such a token comes at 3c/4 of its window,
 * or as near to it as the row and stronger windows allow, so that there is text before it and after
 * it. No two windows share a token, and none leaves its row. Strongest first; ties in the order of the
 * text.
 */
export function centredWindows(firings: Firings, shape: WindowShape): WindowPlace[] {
  const { at } = firings;
  const { contextLength } = shape;
  const places: WindowPlace[] = [];
  for (let begin = 0; begin < at.length;) {
    const row = Math.floor(at[begin] / contextLength);
    let end = begin;
    while (end < at.length && at[end] < (row + 1) * contextLength) end++;
    const positions = at.subarray(begin, end).map((token) => token - row * contextLength);
    const values = firings.values.subarray(begin, end);
    places.push(...placedInRow(positions, values, shape).map((place) => ({ ...place, row })));
    begin = end;
  }
  return places.sort(strongestFirst);
}

function placedInRow(
  positions: Uint32Array,
  values: Float32Array,
  { contextLength, windowLength }: WindowShape,
): Omit<WindowPlace, "row">[] {
  const byStrength = [...positions.keys()].sort((a, b) => values[b] - values[a] || a - b);
  const placed: Omit<WindowPlace, "row">[] = [];
  for (const i of byStrength) {
    const position = positions[i];
    let [from, to] = [0, contextLength];
    for (const { start } of placed) {
      if (start <= position) from = Math.max(from, start + windowLength);
      else to = Math.min(to, start);
    }
    // inside a stronger window, or too near to one
    if (position < from || to - from < windowLength) continue;
    const wished = position - peakPlace(windowLength);
    const start = Math.max(from, Math.min(to - windowLength, wished));
    placed.push({ start, max: values[i] });
  }
  return placed;
}

/**
 * The windows that the published program makes with `center_examples` false: around the first
 * strongest token of each window of the grid, but for the first and the last of a row. They may share
 * tokens.
 *
 * @param grid as {@linkcode gridWindows} gives them
 */
export function publishedCentredWindows(
  { at, values }: Firings,
  { contextLength, windowLength }: WindowShape,
  grid: readonly WindowPlace[],
): WindowPlace[] {
  return grid
    .filter(({ start }) => start > 0 && start + windowLength < contextLength)
    .map((place) => {
      const first = place.row * contextLength + place.start;
      let slot = lowerBound(at, first);
      while (values[slot] !== place.max) slot++;
      return { ...place, start: place.start + at[slot] - first - peakPlace(windowLength) };
    });
}

/** Where in a window its strongest token should be. */
function peakPlace(windowLength: number): number {
  return windowLength - Math.floor(windowLength / 4);
}

/** Activations in a window, 0 where the latent does not fire: [c]. */
export function activationsIn(
  { at, values }: Firings,
  { row, start }: Place,
  { contextLength, windowLength }: WindowShape,
): Float32Array<ArrayBuffer> {
  const first = row * contextLength + start;
  const activations = new Float32Array(windowLength);
  for (let i = lowerBound(at, first); i < at.length && at[i] < first + windowLength; i++) {
    activations[at[i] - first] = values[i];
  }
  return activations;
}

/** Windows of the grid, by number, that have a token in one of these: where not to look for others. */
export function touchedWindows(
  places: Iterable<Place>,
  { contextLength, windowLength }: WindowShape,
): Set<number> {
  const touched = new Set<number>();
  for (const { row, start } of places) {
    const first = row * contextLength + start;
    touched.add(Math.floor(first / windowLength));
    touched.add(Math.floor((first + windowLength - 1) / windowLength));
  }
  return touched;
}

/** Number of the window of the grid that begins here. */
export function windowOf(
  { row, start }: Place,
  { contextLength, windowLength }: WindowShape,
): number {
  return (row * contextLength + start) / windowLength;
}

/** The window of the grid of this number. */
export function gridPlace(
  window: number,
  { contextLength, windowLength }: WindowShape,
): Place {
  const start = window * windowLength % contextLength;
  return { row: (window * windowLength - start) / contextLength, start };
}

function strongestFirst(a: WindowPlace, b: WindowPlace): number {
  return b.max - a.max || a.row - b.row || a.start - b.start;
}

/** First index whose number is not below `least`. */
function lowerBound(ascending: Uint32Array, least: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
