/** How many rows of each language are trained on, and in which turn. */
import { InputError } from "../formats/input_error.ts";

/** Rows of one language among all. */
export interface MixturePart {
  readonly language: string | undefined;
  /** Numbers of its rows, in the order in which they are taken. */
  readonly rows: Uint32Array;
}

/**
 * Rows of several languages interleaved as evenly as their shares allow: each next row is of the
 * language that is furthest behind (the one with the least (2 taken + 1) / share, after
 * Sainte-Laguë). It ends where the next row would be of a language that has no more: none is
 * repeated.
 *
 * @param shares of the languages by name, in any unit; each language's number of rows, if not given
 * @throws InputError for a share that is not positive, or of a language that has no rows
 */
export function mixture(
  parts: readonly MixturePart[],
  shares?: ReadonlyMap<string, number>,
): Uint32Array<ArrayBuffer> {
  const chosen = shares ? partsWithShares(parts, shares) : parts.map((part) => ({
    ...part,
    share: part.rows.length,
  })).filter(({ share }) => share > 0);
  const total = chosen.reduce((sum, { rows }) => sum + rows.length, 0);
  const order = new Uint32Array(total);
  const taken = chosen.map(() => 0);
  const turn = (i: number) => (2 * taken[i] + 1) / chosen[i].share;
  for (let at = 0; at < total; at++) {
    let next = 0;
    for (let i = 1; i < chosen.length; i++) if (turn(i) < turn(next)) next = i;
    const { rows } = chosen[next];
    if (taken[next] === rows.length) return order.slice(0, at);
    order[at] = rows[taken[next]++];
  }
  return order;
}

function partsWithShares(
  parts: readonly MixturePart[],
  shares: ReadonlyMap<string, number>,
): (MixturePart & { readonly share: number })[] {
  return [...shares].map(([language, share]) => {
    const part = parts.find((part) => part.language === language);
    if (!part) {
      const known = parts.map(({ language }) => language ?? "no language").join(", ");
      throw new InputError(
        `There are no rows of ${language} to mix, expected one of ${known}; correct the share's ` +
          `language.`,
      );
    }
    if (share > 0 && Number.isFinite(share)) return { ...part, share };
    throw new InputError(
      `The share of ${language} is ${share}, expected a number above 0; leave the language out to ` +
        `train on none of it.`,
    );
  });
}
