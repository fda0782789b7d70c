/** Where latents fire in the texts of one language, latent by latent. */
import { PackedReader, PackedWriter } from "./packed.ts";
import { BINS } from "./schema.ts";

/** Firings of one latent in one language, text by text, the strongest text first. */
export interface Firings {
  /** Text of each firing. */
  readonly texts: Uint32Array<ArrayBuffer>;
  /** Its token; ascending within a text. */
  readonly tokens: Uint32Array<ArrayBuffer>;
  /** > 0 */
  readonly values: Float32Array<ArrayBuffer>;
}

/**
 * Firings in few bytes: their number and, packed, of each text its number, how often the latent fires
 * and the steps from token to token; then the values, f32 little-endian.
 */
export function encodeFirings(firings: Firings): Uint8Array<ArrayBuffer> {
  const { tokens, values } = firings;
  const packed = new PackedWriter();
  packed.add(values.length);
  for (const { text, from, end } of textRuns(firings)) {
    packed.add(text);
    packed.add(end - from);
    for (let i = from; i < end; i++) packed.add(tokens[i] - (i > from ? tokens[i - 1] : 0));
  }
  const head = packed.bytes();
  const bytes = new Uint8Array(head.length + 4 * values.length);
  bytes.set(head);
  bytes.set(new Uint8Array(values.slice().buffer), head.length);
  return bytes;
}

/** What {@linkcode encodeFirings} made. */
export function decodeFirings(bytes: Uint8Array): Firings {
  const packed = new PackedReader(bytes);
  const length = packed.next();
  const texts = new Uint32Array(length);
  const tokens = new Uint32Array(length);
  for (let i = 0; i < length;) {
    const text = packed.next();
    const end = i + packed.next();
    for (let token = 0; i < end; i++) {
      texts[i] = text;
      tokens[i] = token += packed.next();
    }
  }
  return {
    texts,
    tokens,
    values: new Float32Array(Uint8Array.from(bytes.subarray(packed.at)).buffer),
  };
}

/** No firings. */
export function noFirings(): Firings {
  return emptyFirings(0);
}

function emptyFirings(length: number): Firings {
  return {
    texts: new Uint32Array(length),
    tokens: new Uint32Array(length),
    values: new Float32Array(length),
  };
}

/** Counts of a histogram in few bytes. */
export function encodeHistogram(counts: Uint32Array): Uint8Array<ArrayBuffer> {
  const packed = new PackedWriter();
  for (const count of counts) packed.add(count);
  return packed.bytes();
}

/** What {@linkcode encodeHistogram} made. */
export function decodeHistogram(bytes: Uint8Array): number[] {
  const packed = new PackedReader(bytes);
  return Array.from({ length: BINS }, () => packed.next());
}

/** Firings in one text: `from` to `end` of the lists. */
export interface TextRun {
  readonly text: number;
  readonly from: number;
  readonly end: number;
  /** Largest value. */
  readonly max: number;
}

/** The texts of firings in their order. */
export function textRuns({ texts, values }: Firings): TextRun[] {
  const runs: TextRun[] = [];
  for (let from = 0, end = 0; from < texts.length; from = end) {
    let max = 0;
    for (; end < texts.length && texts[end] === texts[from]; end++) {
      max = Math.max(max, values[end]);
    }
    runs.push({ text: texts[from], from, end, max });
  }
  return runs;
}

/** The interval of the histogram that an activation falls in. */
export function binOf(value: number, max: number): number {
  return Math.max(0, Math.min(BINS - 1, Math.floor(BINS * value / max)));
}

/** What is kept of a latent. */
export interface Keeping {
  /** Texts per latent and language, the strongest; Infinity for all. */
  readonly texts: number;
  /** Kept as well, however weakly a latent fires on it. */
  always(text: number): boolean;
}

/** Firings held at a time, unless as many are kept. */
const MOST_HELD = 2 ** 23;

/** Firings of some latents, by their position (slot) among those that are tracked. */
export class FiringCollector {
  readonly #slots: number;
  readonly #keeping: Keeping;
  #length = 0;
  #limit: number;
  readonly #held: number;
  #latents = new Uint32Array(2 ** 16);
  #texts = new Uint32Array(2 ** 16);
  #tokens = new Uint32Array(2 ** 16);
  #values = new Float32Array(2 ** 16);

  /**
   * @param slots tracked latents
   * @param held firings added before weaker texts are let go
   */
  constructor(slots: number, keeping: Keeping, held = MOST_HELD) {
    this.#slots = slots;
    this.#keeping = keeping;
    this.#held = this.#limit = held;
  }

  /** Texts come one after the other, and tokens of a text in order. */
  add(slot: number, text: number, token: number, value: number): void {
    if (this.#length === this.#latents.length) this.#grow();
    const at = this.#length++;
    this.#latents[at] = slot;
    this.#texts[at] = text;
    this.#tokens[at] = token;
    this.#values[at] = value;
  }

  /** To be called between texts: lets go what will not be kept, when there is much. */
  relieve(): void {
    if (this.#length < this.#limit || this.#keeping.texts === Infinity) return;
    const kept = [...this.strongest()];
    this.#length = 0;
    for (const [slot, { texts, tokens, values }] of kept) {
      const inOrder = Array.from(texts, (_, i) => i)
        .sort((a, b) => texts[a] - texts[b] || tokens[a] - tokens[b]);
      for (const i of inOrder) this.add(slot, texts[i], tokens[i], values[i]);
    }
    this.#limit = Math.max(this.#held, 2 * this.#length);
  }

  /** What is kept of each latent that fired, in the order of the slots. */
  *strongest(): Generator<[slot: number, firings: Firings]> {
    const order = this.#bySlot();
    for (let from = 0, end = 0; from < order.length; from = end) {
      const slot = this.#latents[order[from]];
      while (end < order.length && this.#latents[order[end]] === slot) end++;
      yield [slot, this.#keep(order.subarray(from, end))];
    }
  }

  /** @param own positions of one latent's firings */
  #keep(own: Uint32Array): Firings {
    const all = emptyFirings(own.length);
    for (let i = 0; i < own.length; i++) {
      all.texts[i] = this.#texts[own[i]];
      all.tokens[i] = this.#tokens[own[i]];
      all.values[i] = this.#values[own[i]];
    }
    const runs = textRuns(all).sort((a, b) => b.max - a.max || a.text - b.text)
      .filter(({ text }, rank) => rank < this.#keeping.texts || this.#keeping.always(text));
    const length = runs.reduce((sum, { from, end }) => sum + end - from, 0);
    const kept = emptyFirings(length);
    let at = 0;
    for (const { from, end } of runs) {
      kept.texts.set(all.texts.subarray(from, end), at);
      kept.tokens.set(all.tokens.subarray(from, end), at);
      kept.values.set(all.values.subarray(from, end), at);
      at += end - from;
    }
    return kept;
  }

  /** Positions ordered by slot; those of one slot as they came. */
  #bySlot(): Uint32Array {
    const next = new Uint32Array(this.#slots + 1);
    for (let i = 0; i < this.#length; i++) next[this.#latents[i] + 1]++;
    for (let slot = 0; slot < this.#slots; slot++) next[slot + 1] += next[slot];
    const order = new Uint32Array(this.#length);
    for (let i = 0; i < this.#length; i++) order[next[this.#latents[i]]++] = i;
    return order;
  }

  #grow(): void {
    const size = 2 * this.#latents.length;
    const larger = <A extends Uint32Array<ArrayBuffer> | Float32Array<ArrayBuffer>>(
      old: A,
      fresh: A,
    ): A => {
      fresh.set(old);
      return fresh;
    };
    this.#latents = larger(this.#latents, new Uint32Array(size));
    this.#texts = larger(this.#texts, new Uint32Array(size));
    this.#tokens = larger(this.#tokens, new Uint32Array(size));
    this.#values = larger(this.#values, new Float32Array(size));
  }
}
