/**
 * The paper's claims, held against what was found. A claim holds when its interval says so, does not
 * when the interval says the opposite, and is open when the interval allows both or nothing was measured.
 */
import { wilson } from "../stats/proportion.ts";
import type {
  ClassifierScore,
  Estimate,
  Findings,
  InterventionEffect,
  SteeredTexts,
} from "./findings.ts";

export type Verdict = "holds" | "does not hold" | "open";

export interface Claim {
  readonly claim: string;
  readonly verdict: Verdict;
  /** The numbers that say so, with their controls. */
  readonly evidence: string;
}

/** Accuracy that may be lost against a language identifier and still count as "about as good". */
const MARGIN = 0.02;

/** All claims, in the order of the paper's steps; those whose step has not run are left out. */
export function claimsOf(findings: Findings): Claim[] {
  const { classifiers, interventions } = findings;
  const classifier = (type: string) => classifiers.find((score) => score.type === type);
  const effect = (pattern: RegExp) => interventions.find(({ name }) => pattern.test(name));
  return [
    significance(findings),
    replication(findings),
    classification(classifier("sae-count"), classifier("fasttext")),
    againstNeurons(
      findings,
      classifier("sae-count"),
      classifier("neuron-count"),
      "as published",
    ),
    againstNeurons(
      findings,
      classifier("sae-count-normalized"),
      classifier("neuron-count-normalized"),
      "every score divided by the number of the language's features",
    ),
    suppression("a language's features", effect(/^sae-features_max_-/)),
    suppression("a language's neurons", effect(/^neuron_fixed_0/)),
    amplification(effect(/^sae-features_max_\d/)),
    steering(findings.steered, findings.judge),
  ].flatMap((claim) => claim ?? []);
}

function significance({ features, tested }: Findings): Claim | undefined {
  if (features.length === 0 || features.some(({ significant }) => significant === undefined)) {
    return undefined;
  }
  const all = total(features, ({ features }) => features);
  const significant = total(features, ({ significant }) => significant ?? 0);
  const { low } = wilson(significant, all);
  return {
    claim: "Latents are specific to languages beyond chance.",
    verdict: low > 0.95 ? "holds" : significant === 0 ? "does not hold" : "open",
    evidence: `${significant} of ${all} features have q < 0.05 (permuted labels of documents)` +
      (tested
        ? `; so have ${tested.significant} of all ${tested.tests} latents that fire: most tell ` +
          `languages apart, few belong to one.`
        : "."),
  };
}

function replication({ foundAgain }: Findings): Claim | undefined {
  if (!foundAgain) return undefined;
  const { features, foundAgain: again, rankCorrelation } = foundAgain;
  const share = wilson(again, features);
  return {
    claim: "They are the same on other texts.",
    verdict: share.low > 0.5 ? "holds" : share.high < 0.5 ? "does not hold" : "open",
    evidence: `${again} of ${features} features are found again (${
      percent({ value: again / features, ...share })
    }); rank correlation of the entropies ${rankCorrelation.toFixed(2)}.`,
  };
}

function classification(sae?: ClassifierScore, baseline?: ClassifierScore): Claim | undefined {
  if (!sae || !baseline) return undefined;
  const bar = baseline.accuracy.value - MARGIN;
  return {
    claim: `Counting features tells languages about as well as a language identifier (within ${
      100 * MARGIN
    } points).`,
    verdict: against(sae.accuracy, bar),
    evidence:
      `Accuracy ${percent(sae.accuracy)}, ${baseline.type} ${percent(baseline.accuracy)}, ` +
      `on ${sae.texts} held-out texts.`,
  };
}

function againstNeurons(
  { features }: Findings,
  sae: ClassifierScore | undefined,
  neurons: ClassifierScore | undefined,
  how: string,
): Claim | undefined {
  if (!sae || !neurons) return undefined;
  const apart = sae.accuracy.low > neurons.accuracy.high;
  const opposite = neurons.accuracy.low > sae.accuracy.high;
  return {
    claim: `SAE features tell languages better than neurons (${how}).`,
    verdict: apart ? "holds" : opposite ? "does not hold" : "open",
    evidence: `Accuracy ${percent(sae.accuracy)} by ${
      total(features, ({ features }) => features)
    } features against ${percent(neurons.accuracy)} by ${
      total(features, ({ neurons }) => neurons ?? 0)
    } neurons.`,
  };
}

function suppression(what: string, effect?: InterventionEffect): Claim | undefined {
  if (!effect) return undefined;
  const { own, others, controlOwn } = effect;
  const worse = own.low > others.high && (!controlOwn || own.low > controlOwn.high);
  const opposite = own.high < others.low || (controlOwn && own.high < controlOwn.low);
  return {
    claim: `Suppressing ${what} harms that language more than others.`,
    verdict: worse ? "holds" : opposite ? "does not hold" : "open",
    evidence: effectText(effect),
  };
}

function amplification(effect?: InterventionEffect): Claim | undefined {
  if (!effect) return undefined;
  const { own, others } = effect;
  return {
    claim: "Amplifying a language's features harms other languages more than it.",
    verdict: others.low > own.high ? "holds" : others.high < own.low ? "does not hold" : "open",
    evidence: effectText(effect),
  };
}

function effectText(effect: InterventionEffect): string {
  const { name, own, others, controlOwn, controlOthers, dominated, languages } = effect;
  const control = controlOwn && controlOthers
    ? ` As many random ones: ${nats(controlOwn)} on it, ${nats(controlOthers)} on the others.`
    : "";
  return `${name}: ${nats(own)} on the language, ${
    nats(others)
  } on the others (nats per token); the ` +
    `own change is the largest in ${dominated} of ${languages} languages.${control}`;
}

function steering(steered: readonly SteeredTexts[], judge: string): Claim | undefined {
  const multiplier = bestMultiplier(steered);
  if (multiplier === undefined) return undefined;
  const rows = steered.filter((texts) => texts.multiplier === multiplier);
  const share = (hits: number, texts: number): Estimate => ({
    value: hits / texts,
    ...wilson(hits, texts),
  });
  const own = share(total(rows, ({ hits }) => hits), total(rows, ({ texts }) => texts));
  // the same unsteered texts are held against every language, so they have no interval of their own
  const plain = total(rows, (row) => row.plainHits) / total(rows, (row) => row.plainTexts);
  const control = share(
    total(rows, ({ controlHits }) => controlHits),
    total(rows, ({ controlTexts }) => controlTexts),
  );
  const better = own.low > plain && (Number.isNaN(control.value) || own.low > control.high);
  const opposite = own.high < plain;
  return {
    claim: "Adding a language's features makes the model write that language.",
    verdict: better ? "holds" : opposite ? "does not hold" : "open",
    evidence:
      `At multiplier ${multiplier}, the best tried, ${
        percent(own)
      } of the texts are in the language (${judge}); ` +
      `without steering ${(100 * plain).toFixed(1)} %` +
      (Number.isNaN(control.value) ? "." : `, with as many random features ${percent(control)}.`),
  };
}

/** The multiplier under which most texts are in their language. */
export function bestMultiplier(steered: readonly SteeredTexts[]): number | undefined {
  const hits = new Map<number, number>();
  for (const row of steered) {
    hits.set(row.multiplier, (hits.get(row.multiplier) ?? 0) + row.hits);
  }
  return [...hits].sort((a, b) => b[1] - a[1] || Math.abs(a[0]) - Math.abs(b[0]))[0]?.[0];
}

function against(estimate: Estimate, bar: number): Verdict {
  return estimate.low > bar ? "holds" : estimate.high < bar ? "does not hold" : "open";
}

function total<T>(rows: readonly T[], valueOf: (row: T) => number): number {
  return rows.reduce((sum, row) => sum + valueOf(row), 0);
}

/** `97.1 % (96.0 to 98.0)` */
export function percent({ value, low, high }: Estimate): string {
  const [v, l, h] = [value, low, high].map((share) => (100 * share).toFixed(1));
  return `${v} % (${l} to ${h})`;
}

/** `+0.412 (+0.330 to +0.501)` */
export function nats({ value, low, high }: Estimate): string {
  const [v, l, h] = [value, low, high].map((nats) => `${nats < 0 ? "" : "+"}${nats.toFixed(3)}`);
  return `${v} (${l} to ${h})`;
}
