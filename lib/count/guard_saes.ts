/** The guard over the SAEs of a run: on its own texts, with what it says passed on. */
import { InputError } from "../formats/input_error.ts";
import type { Gpu } from "../gpu/device.ts";
import type { ByteStore } from "../gpu/self_test.ts";
import type { WeightStore } from "../gpu/weight_store.ts";
import type { Llama } from "../nn/llama.ts";
import { guard, type GuardReport, type Verdict } from "../sae/guard.ts";
import type { Subject } from "../subject/subject.ts";
import type { TokenisedJob } from "./jobs.ts";

/** What the guard needs to know of a run. */
export interface GuardedRun {
  readonly subject: Subject;
  /** SHA-256 of the code that counts. */
  readonly code: string;
  /** Where the guard remembers SAEs it has measured; without it, SAEs are not checked. */
  readonly guardStore?: ByteStore;
  /** Told what the user should know. */
  warn(message: string): void;
}

/**
 * Checks the SAEs on the first texts, taken from the data sets in turn.
 *
 * @throws InputError for an SAE that does not fit its hookpoint
 */
export async function guardSaes(
  { subject, code, guardStore, warn }: GuardedRun,
  gpu: Gpu,
  llama: Llama,
  store: WeightStore,
  jobs: readonly TokenisedJob[],
): Promise<GuardReport[]> {
  if (!guardStore || subject.kind === "neurons") return [];
  const { targets, hashes } = subject;
  const hookpoints = targets.map(({ hookpoint }) => hookpoint.name);
  const key = JSON.stringify([hashes, hookpoints, code]);
  const reports = await guard(gpu, llama, store, targets, inTurn(jobs), {
    store: guardStore,
    key,
  });
  const said = (wanted: Verdict) =>
    reports.flatMap(({ verdict, message }) => verdict === wanted && message ? [message] : []);
  const [refused] = said("refused");
  if (refused) throw new InputError(refused);
  for (const messages of [said("doubted"), said("unmeasured")]) {
    const [first, ...others] = messages;
    if (first) warn(others.length > 0 ? `${first} (The same of ${others.length} others.)` : first);
  }
  return reports;
}

/** Texts of several data sets: the first of each, the second of each, and so on. */
function* inTurn(jobs: readonly TokenisedJob[]): Generator<Uint32Array<ArrayBuffer>> {
  const most = Math.max(...jobs.map(({ texts }) => texts.length));
  for (let i = 0; i < most; i++) {
    for (const { texts } of jobs) if (i < texts.length) yield texts[i].ids;
  }
}
