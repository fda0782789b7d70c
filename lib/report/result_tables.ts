/** What the steps found, as tables of the page: claims, replication, classifiers, interventions, texts. */
import type { Claim, Verdict } from "../summary/claims.ts";
import type {
  ClassifierScore,
  Estimate,
  Findings,
  InterventionEffect,
  SteeredTexts,
} from "../summary/findings.ts";
import { EMPTY, type Html, type HtmlValue, markup } from "./html.ts";
import { countText, decimalText, percentText } from "./numbers.ts";
import type { EvaluatedSae, ReplicationResult } from "./report_page.ts";
import { clipText } from "./visible_text.ts";

/** Characters of a written text that are shown. */
const TEXT_LIMIT = 280;

/** Told by shape and word, not by colour alone. */
const SIGNS: Record<Verdict, string> = { holds: "✓", "does not hold": "✗", open: "?" };

/** The paper's claims with their verdicts and the numbers behind them. */
export function claimsTable(claims: readonly Claim[]): Html {
  const rows = claims.map(({ claim, verdict, evidence }) =>
    markup`<tr><td><span class="verdict ${verdict.replaceAll(" ", "-")}"><span aria-hidden="true">${
      SIGNS[verdict]
    }</span> ${verdict}</span></td>
<th scope="row">${claim}</th><td>${evidence}</td></tr>
`
  );
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="Claims">
<table class="claims"><thead><tr><th scope="col">Here it</th><th scope="col">Claim</th>
<th scope="col">Evidence</th></tr></thead><tbody>${rows}</tbody></table></div>
`;
}

/** Per language, how sure its features are: more than chance, and found again in other texts. */
export function certaintyTable(
  { features }: Pick<Findings, "features">,
  replication: ReplicationResult | undefined,
): Html {
  const tested = features.some(({ significant }) => significant !== undefined);
  const neurons = features.some(({ neurons }) => neurons !== undefined);
  const again = (language: string) =>
    replication?.languages.find((other) => other.language === language);
  const columns: [string, (language: Findings["features"][number]) => HtmlValue][] = [
    ["Features", ({ features }) => countText(features)],
    ...(tested ? [["q < 0.05", ({ significant = 0 }) => countText(significant)] as Column] : []),
    ...(replication ? againColumns(again) : []),
    ...(neurons ? [["Neurons", ({ neurons = 0 }) => countText(neurons)] as Column] : []),
  ];
  const all = again("all");
  const rows = features.map((row) => [row.language, ...columns.map(([, valueOf]) => valueOf(row))]);
  const sum = all &&
    markup`<p class="scale">Over all languages ${countText(all.both)} of ${
      countText(all.first)
    } features are found again in <b>${replication?.corpus ?? ""}</b> (Jaccard ${
      decimalText(all.jaccard, 3)
    }; rank correlation of the entropies ${decimalText(all.correlation, 3)}).</p>
`;
  return markup`${sum ?? EMPTY}${
    numbersTable("Certainty per language", ["Language", ...columns.map(([name]) => name)], rows)
  }`;
}

type Column = [string, (language: Findings["features"][number]) => HtmlValue];

function againColumns(
  again: (language: string) => ReplicationResult["languages"][number] | undefined,
): Column[] {
  return [
    ["Found again", ({ language }) => countText(again(language)?.both ?? 0)],
    ["In the other texts", ({ language }) => countText(again(language)?.second ?? 0)],
    ["Jaccard", ({ language }) => decimalText(again(language)?.jaccard ?? NaN, 3)],
    [
      "Rank correlation of entropies",
      ({ language }) => decimalText(again(language)?.correlation ?? NaN, 3),
    ],
  ];
}

/** Classifiers, best first. */
export function classifiersTable(classifiers: readonly ClassifierScore[]): Html {
  return markup`${
    lead(
      "Texts that were not used to find the features. Brackets hold 95 % intervals of resampled texts.",
    )
  }${classifierRows(classifiers)}`;
}

function classifierRows(classifiers: readonly ClassifierScore[]): Html {
  return numbersTable(
    "Classifiers",
    ["Classifier", "Accuracy", "Macro F1", "Texts"],
    classifiers.map(({ type, texts, accuracy, f1 }) => [
      type,
      shareText(accuracy),
      shareText(f1),
      countText(texts),
    ]),
  );
}

/** What interventions do to a model's mean log-perplexity. */
export function interventionsTable(effects: readonly InterventionEffect[]): Html {
  return markup`${
    lead(
      "Change of the mean log-perplexity when a language’s features are changed, in nats per token: " +
        "above 0 the model predicts worse. Brackets hold 95 % intervals of resampled documents.",
    )
  }${interventionRows(effects)}`;
}

function interventionRows(effects: readonly InterventionEffect[]): Html {
  return numbersTable(
    "Interventions",
    [
      ...["Intervention", "The language itself", "All others", "Random features: itself"],
      ...["Random features: others", "Own change is the largest"],
    ],
    effects.map((effect) => [
      effect.name,
      natsText(effect.own),
      natsText(effect.others),
      effect.controlOwn ? natsText(effect.controlOwn) : "–",
      effect.controlOthers ? natsText(effect.controlOthers) : "–",
      `${effect.dominated} of ${effect.languages}`,
    ]),
  );
}

/** Per language, how many texts are in it under each multiplier, and one of them. */
export function steeredTable(steered: readonly SteeredTexts[]): Html {
  const multipliers = [...new Set(steered.map(({ multiplier }) => multiplier))]
    .sort((a, b) => a - b);
  const languages = Map.groupBy(steered, ({ language }) => language);
  const rows = [...languages].map(([language, texts]) => {
    const best = texts.reduce((a, b) => b.hits / b.texts > a.hits / a.texts ? b : a);
    const cells = multipliers.map((multiplier) => {
      const row = texts.find((text) => text.multiplier === multiplier);
      return row === undefined
        ? "–"
        : `${share(row.hits, row.texts)} (${share(row.controlHits, row.controlTexts)})`;
    });
    const sample = markup`<bdi class="sample">${clipText(best.sample, TEXT_LIMIT)}</bdi>`;
    return [language, share(best.plainHits, best.plainTexts), ...cells, sample];
  });
  const heads = multipliers.map((multiplier) => `× ${multiplier} (random)`);
  const header = ["Language", "Unsteered", ...heads, "A text at the best of them"];
  return markup`${
    lead(
      "Share of written texts that are in the language, as a language identifier judges; in brackets with " +
        "as many random features.",
    )
  }${numbersTable("Steered texts", header, rows)}`;
}

/** Names of evaluation.json's values, as far as a page shows them. */
const EVALUATED: readonly (readonly [key: string, name: string, digits: number])[] = [
  ["fvu", "FVU", 4],
  ["l0", "L0", 1],
  ["dead_share", "Dead share", 4],
  ["ce_original", "CE", 3],
  ["ce_sae", "CE with SAE", 3],
  ["ce_zero", "CE zeroed", 3],
  ["ce_recovered_zero", "CE recovered", 3],
  ["kl_sae", "KL with SAE", 4],
  ["kl_recovered_zero", "KL recovered", 3],
];

/** SAEs and how good they are. */
export function evaluationTable(saes: readonly EvaluatedSae[]): Html {
  const shown = EVALUATED.filter(([key]) =>
    saes.some(({ values }) => (values[key] ?? null) !== null)
  );
  return numbersTable(
    "Evaluation of the SAEs",
    ["Hookpoint", ...shown.map(([, name]) => name)],
    saes.map(({ hookpoint, values }) => [
      hookpoint,
      ...shown.map(([key, , digits]) => decimalText(values[key] ?? NaN, digits)),
    ]),
  );
}

/** What to know before reading a table. */
export function lead(text: string): Html {
  return markup`<p class="scale">${text}</p>
`;
}

/** A table whose first column names its rows. */
export function numbersTable(
  name: string,
  header: readonly string[],
  rows: readonly (readonly HtmlValue[])[],
): Html {
  const heads = header.map((text) => markup`<th scope="col">${text}</th>`);
  const lines = rows.map(([first, ...cells]) =>
    markup`<tr><th scope="row"><bdi>${first}</bdi></th>${
      cells.map((cell) => markup`<td>${cell}</td>`)
    }</tr>
`
  );
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${name}">
<table class="numbers"><thead><tr>${heads}</tr></thead><tbody>${lines}</tbody></table></div>
`;
}

function share(hits: number, texts: number): string {
  return texts === 0 ? "–" : percentText(hits / texts);
}

/** `97.1 % (96.0 to 98.0)` */
function shareText({ value, low, high }: Estimate): string {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return percentText(value);
  return `${percentText(value)} (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;
}

/** `+0.41 (+0.33 to +0.50)` */
function natsText({ value, low, high }: Estimate): string {
  const signed = (nats: number) => `${nats < 0 ? "−" : "+"}${Math.abs(nats).toFixed(3)}`;
  if (!Number.isFinite(low) || !Number.isFinite(high)) return signed(value);
  return `${signed(value)} (${signed(low)} to ${signed(high)})`;
}
