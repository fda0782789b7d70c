/**
 * The guard at an SAE's door. An SAE that is put at another hookpoint, model or layer than it was
 * trained at, or whose files are read by the wrong convention, still fires and gives numbers that look
 * like numbers: how badly it reconstructs its input is what gives it away.
 */
import { z } from "zod";
import type { Gpu } from "../gpu/device.ts";
import type { ByteStore } from "../gpu/self_test.ts";
import type { WeightStore } from "../gpu/weight_store.ts";
import type { Llama } from "../nn/llama.ts";
import { type DecodableTarget, type Fidelity, measureFidelity, sampleOf } from "./fidelity.ts";
import type { Sae } from "./sae.ts";
import type { Target } from "./target.ts";

/**
 * - `refused`: worse than answering every token with the mean of all (FVU > 1), nothing fires, or
 *   values are not finite: not the SAE of these activations
 * - `doubted`: more is left unexplained than SAEs leave at their own hookpoint; TopK SAEs of another
 *   layer of the same model often get this far
 * - `unmeasured`: nothing to tell it by
 */
export type Verdict = "accepted" | "doubted" | "refused" | "unmeasured";

/** What the guard has to say of one SAE. */
export interface GuardReport {
  /** Names the SAE. */
  readonly where: string;
  readonly hookpoint: string;
  readonly verdict: Verdict;
  /** Absent when unmeasured. */
  readonly fidelity?: Fidelity;
  /** One sentence for the user; absent when accepted. */
  readonly message?: string;
}

/** Where measurements are kept between runs. */
export interface GuardMemory {
  readonly store: ByteStore;
  /** Stands for everything that decides them but the sample: model, SAEs, hookpoints and code. */
  readonly key: string;
}

/** Changes when what is measured changes in a way that `GuardMemory.key` does not know of. */
const VERSION = 1;

/**
 * FVU from which an SAE is doubted. The embedded SAEs leave 0.09 to 0.23 at their own hookpoints and
 * 0.5 to 1.3 at others.
 */
const DOUBTED_FVU = 0.5;

/** Fewer tokens than this say little about a variance. */
const LEAST_TOKENS = 16;

/**
 * Measures SAEs on up to 128 tokens of some texts, or recalls what was measured, and judges them.
 *
 * Call it when everything that stays on the GPU is allocated (a `Counter`, say): running the model
 * fills what is left of the memory budget with weights.
 *
 * @param targets those without an SAE are passed over
 * @param texts tokenised; the first tokens of the list are used
 * @returns one report per SAE, in the order of the targets
 */
export async function guard(
  gpu: Gpu,
  llama: Llama,
  store: WeightStore,
  targets: readonly Target[],
  texts: Iterable<Uint32Array>,
  memory?: GuardMemory,
): Promise<GuardReport[]> {
  const sample = sampleOf(texts);
  const enough = sample.reduce((sum, ids) => sum + ids.length - 1, 0) >= LEAST_TOKENS;
  const decodable = enough ? targets.flatMap(decodableTarget) : [];
  const measured = decodable.length === 0 ? [] : await recalled(
    memory &&
      {
        ...memory,
        key: JSON.stringify(["guard", VERSION, memory.key, sample.map((ids) => [...ids])]),
      },
    decodable.length,
    () => measureFidelity(gpu, llama, store, decodable, sample),
  );
  const fidelities = new Map(decodable.map(({ sae }, i): [Sae, Fidelity] => [sae, measured[i]]));
  return targets.flatMap(({ hookpoint, sae }): GuardReport | [] => {
    if (!sae) return [];
    const names = { where: sae.where, hookpoint: hookpoint.name };
    const fidelity = fidelities.get(sae);
    if (fidelity) return { ...names, fidelity, ...verdictOf(fidelity, names) };
    const reason = sae.decoder
      ? `the texts have fewer than ${LEAST_TOKENS} tokens beside their first ones`
      : "its files hold an encoder alone";
    const message = `${sae.where} could not be checked at ${hookpoint.name}: ${reason}.`;
    return { ...names, verdict: "unmeasured", message };
  });
}

function decodableTarget({ hookpoint, sae }: Target): DecodableTarget[] {
  if (!sae?.decoder) return [];
  return [{ hookpoint, sae: sae as DecodableTarget["sae"] }];
}

/** Judges what was measured; see {@linkcode Verdict}. */
export function verdictOf(
  fidelity: Fidelity,
  { where, hookpoint }: { readonly where: string; readonly hookpoint: string },
): { verdict: Verdict; message?: string } {
  const sentence = (finding: string) =>
    `${where} ${finding} at ${hookpoint} of this model (${
      figuresOf(fidelity)
    }): check that it was ` +
    `trained on this model, at this hookpoint and layer, and with the normalisation its files name`;
  const refuse = (finding: string): { verdict: Verdict; message: string } => ({
    verdict: "refused",
    message: `${sentence(finding)}, or use --no-guard.`,
  });
  if (!Object.values(fidelity).every(Number.isFinite)) {
    return refuse("gives values that are not finite");
  }
  if (fidelity.activeLatents === 0) return refuse("has no latent that fires");
  if (fidelity.unexplained > 1) {
    return refuse("reconstructs activations worse than their mean would");
  }
  if (fidelity.unexplained <= DOUBTED_FVU) return { verdict: "accepted" };
  return {
    verdict: "doubted",
    message: `${sentence("leaves more unexplained than SAEs do at their own hookpoint")}.`,
  };
}

function figuresOf(fidelity: Fidelity): string {
  const { tokens, activeLatents, unexplained, activationNorm, reconstructionNorm } = fidelity;
  const round = (value: number) => String(Number(value.toPrecision(3)));
  return `FVU ${round(unexplained)}, ${round(activeLatents)} active latents per token, mean norm ` +
    `${round(activationNorm)} of activations and ${
      round(reconstructionNorm)
    } of reconstructions, ` +
    `over ${tokens} tokens`;
}

/** JSON has no NaN and no infinity, and writes null for them. */
const Figure = z.number().nullable().transform((value) => value ?? NaN);
const Remembered = z.array(z.object({
  tokens: Figure,
  activeLatents: Figure,
  unexplained: Figure,
  activationNorm: Figure,
  reconstructionNorm: Figure,
  cosine: Figure,
}));

async function recalled(
  memory: GuardMemory | undefined,
  count: number,
  measure: () => Promise<Fidelity[]>,
): Promise<Fidelity[]> {
  const known = await memory?.store.get(memory.key);
  const fidelities = known && parsed(known);
  if (fidelities?.length === count) return fidelities;
  const measured = await measure();
  await memory?.store.set(memory.key, new TextEncoder().encode(JSON.stringify(measured)));
  return measured;
}

/** What a store remembers, if it is what was written. */
function parsed(bytes: Uint8Array): Fidelity[] | undefined {
  try {
    return Remembered.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data;
  } catch {
    return undefined;
  }
}
