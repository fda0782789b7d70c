/** What is looked into: a model, its tokenizer, and the SAEs or neurons at its hookpoints. */
import { InputError } from "../formats/input_error.ts";
import type { TensorSource } from "../formats/tensor_source.ts";
import type { Tokenizer } from "../formats/tokenizer.ts";
import type { LlamaConfig } from "../nn/config.ts";
import type { GenerationDefaults } from "../nn/generation_config.ts";
import { resolveHookpoints } from "../nn/hookpoints.ts";
import type { Target } from "../sae/target.ts";
import type { Access, FileHashes } from "./access.ts";
import { openModel } from "./open_model.ts";
import { EMBEDDED_SAES, openSaes } from "./open_saes.ts";

/** What fires: latents of SAEs, or neurons of the MLPs. */
export type UnitKind = "latents" | "neurons";

export interface SubjectOptions {
  /** A model, as {@linkcode openModel} takes it; the embedded one if not given. */
  readonly model?: string;
  /** SAEs, as {@linkcode openSaes} takes them; the embedded ones if neither these nor `model` is given. */
  readonly saes?: readonly string[];
  /** Hookpoints, braces and globs; all that have an SAE (or neurons) if not given. */
  readonly hookpoints?: readonly string[];
}

export interface Subject extends Disposable {
  readonly modelName: string;
  /** Absent for neurons. */
  readonly saeName: string | undefined;
  readonly kind: UnitKind;
  readonly config: LlamaConfig;
  readonly tensors: TensorSource;
  readonly tokenizer: Tokenizer;
  /** How the model writes when nothing else is asked for. */
  readonly generation: GenerationDefaults;
  readonly targets: readonly Target[];
  readonly hashes: { readonly model: FileHashes; readonly saes: FileHashes };
}

/**
 * Opens a model and what is counted in it; no weights are read yet.
 *
 * @throws InputError for anything that is missing, malformed or not supported
 */
export async function openSubject(options: SubjectOptions, access: Access): Promise<Subject> {
  using owned = new DisposableStack();
  const model = owned.use(await openModel(options.model, access));
  const { config, tensors, tokenizer, generation } = model;
  const hookpoints = options.hookpoints ?? [];
  const kind = kindOf(hookpoints, config);
  const saes = kind === "latents"
    ? owned.use(await openSaes(saeSources(options), hookpoints, config.layers, access))
    : undefined;
  const kept = owned.move();
  return {
    modelName: model.name,
    saeName: saes?.name,
    kind,
    config,
    tensors,
    tokenizer,
    generation,
    targets: saes?.saes ??
      resolveHookpoints(hookpoints, config.layers).map((hookpoint) => ({ hookpoint })),
    hashes: { model: model.hashes, saes: saes?.hashes ?? {} },
    [Symbol.dispose]: () => kept[Symbol.dispose](),
  };
}

/** Neurons when the named hookpoints are act_fn outputs. */
function kindOf(patterns: readonly string[], { layers }: LlamaConfig): UnitKind {
  if (patterns.length === 0) return "latents";
  const sites = new Set(resolveHookpoints(patterns, layers).map(({ site }) => site === "act_fn"));
  if (sites.size === 1) return sites.has(true) ? "neurons" : "latents";
  throw new InputError(
    `--layer names both neurons (layers.N.mlp.act_fn) and hookpoints of SAEs (layers.N.mlp, layers.N): ` +
      `count them in runs of their own.`,
  );
}

function saeSources({ model, saes }: SubjectOptions): readonly string[] {
  if (saes && saes.length > 0) return saes;
  if (!model) return [EMBEDDED_SAES];
  throw new InputError(
    `No SAEs are named for the model ${model}: give their folder by --sae-model, or count its neurons by ` +
      `--layer model.layers.{0..N}.mlp.act_fn.`,
  );
}
