/** The algebra of groups of documents: groups of one label add up, others lie side by side. */
import type { DocumentCounts } from "../formats/counts.ts";

const U32_MAX = 0xffff_ffff;

/**
 * Groups of two disjoint sets of texts taken together: a commutative monoid, its identity no groups.
 * A label in both (a count that was interrupted within the group) adds up.
 *
 * @throws {RangeError} a count passes 2^32 - 1
 */
export function mergeDocuments(a: DocumentCounts, b: DocumentCounts): DocumentCounts {
  const groups = new Map<string, DocumentGroup>();
  for (const group of [...groupsOf(a), ...groupsOf(b)]) {
    const before = groups.get(group.label);
    groups.set(group.label, before ? addGroups(before, group) : group);
  }
  return documentCounts([...groups.values()]);
}

/** One group of documents: what {@linkcode DocumentCounts} holds of it. */
export interface DocumentGroup {
  readonly label: string;
  readonly tokens: number;
  /** Ascending. */
  readonly units: Uint32Array<ArrayBuffer>;
  readonly firedTokens: Uint32Array<ArrayBuffer>;
}

/** Groups as counts hold them, in the order of their labels; those without tokens are left out. */
export function documentCounts(groups: readonly DocumentGroup[]): DocumentCounts {
  const kept = groups.filter(({ tokens }) => tokens > 0)
    .sort((a, b) => a.label < b.label ? -1 : 1);
  const offsets = new Uint32Array(kept.length + 1);
  for (const [i, { units }] of kept.entries()) offsets[i + 1] = offsets[i] + units.length;
  return {
    labels: kept.map(({ label }) => label),
    tokens: Uint32Array.from(kept, ({ tokens }) => tokens),
    offsets,
    units: joined(kept.map(({ units }) => units)),
    firedTokens: joined(kept.map(({ firedTokens }) => firedTokens)),
  };
}

/** The groups of counts, in the order of their labels; they share its memory. */
export function groupsOf(
  { labels, tokens, offsets, units, firedTokens }: DocumentCounts,
): DocumentGroup[] {
  return labels.map((label, group) => {
    const [from, to] = [offsets[group], offsets[group + 1]];
    return {
      label,
      tokens: tokens[group],
      units: units.subarray(from, to),
      firedTokens: firedTokens.subarray(from, to),
    };
  });
}

function addGroups(a: DocumentGroup, b: DocumentGroup): DocumentGroup {
  const most = a.units.length + b.units.length;
  const units = new Uint32Array(most);
  const firedTokens = new Uint32Array(most);
  let [i, j, length] = [0, 0, 0];
  for (; i < a.units.length || j < b.units.length; length++) {
    const unit = Math.min(a.units[i] ?? Infinity, b.units[j] ?? Infinity);
    units[length] = unit;
    const ours = a.units[i] === unit ? a.firedTokens[i++] : 0;
    const theirs = b.units[j] === unit ? b.firedTokens[j++] : 0;
    firedTokens[length] = sumU32(ours, theirs);
  }
  return {
    label: a.label,
    tokens: sumU32(a.tokens, b.tokens),
    units: units.slice(0, length),
    firedTokens: firedTokens.slice(0, length),
  };
}

function sumU32(a: number, b: number): number {
  if (a + b <= U32_MAX) return a + b;
  throw new RangeError(`The tokens of a group add up to ${a + b}, more than 2^32 - 1.`);
}

/** Arrays one after the other. */
export function joined(parts: readonly Uint32Array[]): Uint32Array<ArrayBuffer> {
  const all = new Uint32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
