/** What the engine needs of a site: which files hold the model, and whose features are looked for. */
import type { LapeResult } from "../lape/lape_json.ts";
import type { Family } from "../sae/families.ts";

/** Reads a file of the site by its path below the site's root. */
export type ReadFile = (path: string) => Promise<Uint8Array<ArrayBuffer>>;

/** An SAE among the files of a site. */
export interface SiteSae {
  /** Such as `layers.3.mlp`. */
  readonly hookpoint: string;
  readonly family: Family;
  readonly config?: string;
  /** A safetensors file. */
  readonly tensors: string;
}

/** Paths of the files of a model and its SAEs, as they are stored on the hub; `engine.json`. */
export interface EngineFiles {
  readonly model: {
    /** Names it in messages. */
    readonly name: string;
    readonly config: string;
    readonly generationConfig?: string;
    readonly tokenizer: string;
    readonly tokenizerConfig?: string;
    /** A safetensors file. */
    readonly weights: string;
  };
  /** In the order of the forward pass. */
  readonly saes: readonly SiteSae[];
  /** What is looked for in texts. */
  readonly features: LapeResult;
}
