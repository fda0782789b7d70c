/** opposing: what features' decoder rows point against, and whether the two ever fire together. */
import { join } from "node:path";
import { progress } from "../cli/progress.ts";
import { Checkpoint } from "../data/checkpoint.ts";
import type { Corpus } from "../data/corpora.ts";
import { describeSpec } from "../data/dataset_configs.ts";
import { codeHash } from "../data/manifest.ts";
import { InputError } from "../formats/input_error.ts";
import type { IdentifiedFeatures } from "../identify/lape_result.ts";
import { readActivations } from "../interpret/activations.ts";
import type { Target } from "../sae/target.ts";
import type { RunOptions } from "../session/options.ts";
import { runModel, type RunningModel, type Session } from "../session/session.ts";
import { checkLengths, tokenised, type TokenisedText } from "../session/tokenised.ts";
import { READING_ROOMS } from "../statistics/origin.ts";
import {
  addCounts,
  addFirings,
  type JointFiring,
  type LatentPair,
  noFiring,
  pairsByUnit,
} from "./joint_firing.ts";
import {
  distinctFeatures,
  type LanguageFeatures,
  type LocatedFeature,
  locateFeatures,
} from "./located_features.ts";
import { type DecoderDirections, decoderDirections, type Opposing } from "./opposing.ts";

/** Code that decides the results. */
const OPPOSING_ROOMS = [...READING_ROOMS, "lib/analysis"];

/** A feature, where its decoder row points, and how often it and its opposite fire. */
export interface OpposedFeature extends LocatedFeature {
  /** cos(b_dec, W_dec row) */
  readonly bias: number;
  readonly opposing: Opposing | undefined;
  /** Tokens that it fires on. */
  readonly featureTokens: number;
  /** Tokens that its opposite fires on. */
  readonly opposingTokens: number;
  /** Tokens that both fire on: how often each token id. */
  readonly both: ReadonlyMap<number, number>;
}

/** All features, and by which code. */
export interface OpposedFeatures {
  readonly languages: readonly LanguageFeatures[];
  /** Each feature once, by (layer, index). */
  readonly features: readonly OpposedFeature[];
  /** SHA-256 of the code. */
  readonly code: string;
  /** Undefined when an interrupted run had read all texts. */
  readonly adapter: string | undefined;
  /** To be removed once the results are written. */
  readonly checkpoint: Disposable & { remove(): Promise<void> };
}

/** Directions in JSON, which has no NaN: [index, bias, opposing index, cosine]. */
type StoredDirections = (readonly [number, number | null, number | null, number | null])[];

/** Counts of one data set in JSON. */
interface StoredFiring extends Pick<JointFiring, "feature" | "opposing"> {
  readonly both: readonly (readonly [number, number])[][];
}

type Parts = Checkpoint<StoredDirections | StoredFiring>;

/**
 * Compares decoders, layer by layer, and runs the texts, data set by data set; parts that an
 * interrupted run has finished are taken as they are.
 *
 * @param folder claimed; holds the checkpoint
 * @throws InputError for SAEs without a decoder
 */
export async function opposedFeatures(
  session: Session,
  corpora: readonly Corpus[],
  identified: IdentifiedFeatures,
  folder: string,
  options: RunOptions,
): Promise<OpposedFeatures> {
  const { subject } = session;
  const code = await codeHash(OPPOSING_ROOMS);
  const languages = locateFeatures(identified, subject);
  const features = distinctFeatures(languages);
  const texts = corpora.map((corpus) => tokenised(subject, corpus));
  using undo = new DisposableStack();
  const parts: Parts = undo.use(
    await Checkpoint.open(join(folder, "checkpoint.jsonl"), {
      ...subject.hashes,
      hookpoints: subject.targets.map(({ hookpoint }) => hookpoint.name),
      corpora: corpora.map(({ sha256 }) => sha256),
      lape: identified.sha256,
      code,
    }),
  );
  const directed = await directionsOf(subject.targets, features, parts);
  const pairs = directed.map(({ target, index, opposing }): LatentPair => ({
    target,
    feature: index,
    opposing: opposing?.index ?? index,
  }));
  const adapter = await readTexts(session, corpora, texts, pairs, parts, options);
  const counts = noFiring(pairs);
  for (const i of corpora.keys()) addCounts(counts, fromStored(parts.get(textsKey(i))));
  undo.move();
  return {
    languages,
    features: directed.map((feature, i) => ({
      ...feature,
      featureTokens: counts.feature[i],
      opposingTokens: feature.opposing ? counts.opposing[i] : 0,
      both: feature.opposing ? counts.both[i] : new Map(),
    })),
    code,
    adapter,
    checkpoint: parts,
  };
}

async function directionsOf(
  targets: readonly Target[],
  features: readonly LocatedFeature[],
  parts: Parts,
): Promise<(LocatedFeature & DecoderDirections)[]> {
  const used = targets.flatMap(({ hookpoint, sae }, target) => {
    const own = features.filter((feature) => feature.target === target);
    if (own.length === 0) return [];
    const decoder = sae?.decoder;
    if (sae && decoder) return [{ name: hookpoint.name, latents: sae.latents, decoder, own }];
    throw new InputError(
      `${sae?.where ?? hookpoint.name} has no decoder, which opposing needs: give SAEs with one.`,
    );
  });
  const total = used.reduce((sum, { latents }) => sum + latents, 0);
  const shown = progress({ label: "comparing decoder rows", total, unit: "rows" });
  const directed: (LocatedFeature & DecoderDirections)[] = [];
  let done = 0;
  try {
    for (const { name, latents, decoder, own } of used) {
      const key = `directions of ${name}`;
      if (!parts.get(key)) {
        const indices = own.map(({ index }) => index);
        const read = (rows: number) => shown.update(done + rows, name);
        await parts.put(key, stored(await decoderDirections(decoder, latents, indices, read)));
      }
      done += latents;
      const directions = (parts.get(key) as StoredDirections).map(directionsFrom);
      directed.push(...own.map((feature, i) => ({ ...feature, ...directions[i] })));
    }
  } finally {
    shown.done();
  }
  return directed.sort((a, b) => a.layer - b.layer || a.index - b.index);
}

/** @returns what results call the adapter; undefined when there was nothing left to read */
async function readTexts(
  session: Session,
  corpora: readonly Corpus[],
  texts: readonly (readonly TokenisedText[])[],
  pairs: readonly LatentPair[],
  parts: Parts,
  options: RunOptions,
): Promise<string | undefined> {
  const left = [...corpora.keys()].filter((i) => !parts.get(textsKey(i)));
  if (left.length === 0) return undefined;
  using model = await runModel(session, options);
  for (const i of left) checkLengths(corpora[i], texts[i], model.limits.tokens);
  const lengths = left.flatMap((i) => texts[i].map(({ ids }) => ids.length));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const shown = progress({ label: "reading texts", total, unit: "tokens" });
  let done = 0;
  try {
    for (const i of left) {
      const note = describeSpec(corpora[i].spec);
      const read = (tokens: number) => shown.update(done += tokens, note);
      const counts = await firingsOn(model, session.subject.targets, pairs, texts[i], read);
      await parts.put(textsKey(i), toStored(counts));
    }
  } finally {
    shown.done();
  }
  return model.adapter;
}

async function firingsOn(
  model: RunningModel,
  targets: readonly Target[],
  pairs: readonly LatentPair[],
  texts: readonly TokenisedText[],
  read: (tokens: number) => void,
): Promise<JointFiring> {
  const counts = noFiring(pairs);
  const byUnit = pairsByUnit(pairs, targets.length);
  const used = [...targets.keys()].filter((target) => byUnit[target].size > 0);
  const wanted = used.map((target) => new Set(byUnit[target].keys()));
  const usedUnits = used.map((target) => byUnit[target]);
  const at = used.map((target) => targets[target]);
  for await (const own of readActivations(model, at, texts, { wanted })) {
    const { ids } = texts[own.text];
    addFirings(counts, pairs, usedUnits, ids, own.targets);
    read(ids.length);
  }
  return counts;
}

function textsKey(corpus: number): string {
  return `texts ${corpus}`;
}

function stored(directions: readonly DecoderDirections[]): StoredDirections {
  return directions.map(({ index, bias, opposing }) => [
    index,
    Number.isNaN(bias) ? null : bias,
    opposing?.index ?? null,
    opposing?.cosine ?? null,
  ]);
}

function directionsFrom(
  [index, bias, opposing, cosine]: StoredDirections[number],
): DecoderDirections {
  const there = opposing !== null && cosine !== null;
  return { index, bias: bias ?? NaN, opposing: there ? { index: opposing, cosine } : undefined };
}

function toStored({ feature, opposing, both }: JointFiring): StoredFiring {
  return { feature, opposing, both: both.map((tokens) => [...tokens]) };
}

function fromStored(part: StoredDirections | StoredFiring | undefined): JointFiring {
  const { feature, opposing, both } = part as StoredFiring;
  return { feature, opposing, both: both.map((tokens) => new Map(tokens)) };
}
