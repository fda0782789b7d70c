/** What a cache of activations holds (spec train-and-interpret B.2). */

/** Latents by the name of their hookpoint. */
export type LatentsByHookpoint = ReadonlyMap<string, ReadonlySet<number>>;

/** How a pass is cached. */
export interface CacheOptions {
  /** Folder of the run; files lie in `latents/` and `log/` under it. It has to be claimed. */
  readonly folder: string;
  /**
   * Latents to keep, by hookpoint; all, if not given, which takes about 12 bytes per token, latent
   * and hookpoint. Neighbours by co-occurrence can only be found among those that are kept.
   */
  readonly wanted?: LatentsByHookpoint;
  /** Files per hookpoint, each of a range of latents (`--n-splits`, 5). */
  readonly nSplits: number;
  /** What is written into `config.json` beside what a reader needs: the published cache options. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly modelName: string;
  /**
   * What the activations depend on beside the rows: hashes of model, SAEs and code; any JSON value. A
   * cache of another identity is made anew.
   */
  readonly identity: unknown;
  /** "paper": values are rounded to bf16 first, and every file repeats the tokens. */
  readonly compat?: "paper";
  /** Seconds of work that a stopped run may lose (10). */
  readonly secondsBetweenSaves?: number;
}

/** What is in a cache. */
export interface CacheSummary {
  readonly rows: number;
  /** Tokens of all rows. */
  readonly tokens: number;
  /** Activations kept, over all hookpoints. */
  readonly entries: number;
  /** True where an earlier run had done all of it. */
  readonly known: boolean;
}

/** How far a pass is. */
export interface CacheProgress {
  readonly rowsDone: number;
  readonly rows: number;
}
