/** How the latents of a hookpoint are shared out over files (spec train-and-interpret B.2). */

/** Latents `first` to `end`, half open. */
export interface LatentRange {
  readonly first: number;
  readonly end: number;
}

/** Ranges as published: the borders are those of equal parts, rounded down. */
export function splitRanges(latents: number, nSplits: number): LatentRange[] {
  const splits = Math.min(nSplits, latents);
  const border = (i: number) => Math.floor(i * latents / splits);
  return Array.from({ length: splits }, (_, i) => ({ first: border(i), end: border(i + 1) }));
}

/** Name of a range's file: first and last latent. */
export function splitName({ first, end }: LatentRange): string {
  return `${first}_${end - 1}.safetensors`;
}

/** The range that a file is named after; undefined for any other file. */
export function rangeOfName(name: string): LatentRange | undefined {
  const [, first, last] = /^(\d{1,9})_(\d{1,9})\.safetensors$/.exec(name) ?? [];
  if (first === undefined || Number(last) < Number(first)) return undefined;
  return { first: Number(first), end: Number(last) + 1 };
}
