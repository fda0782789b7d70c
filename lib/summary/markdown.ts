/** The summary as Markdown: the claims first, then the numbers behind them. */
import { bestMultiplier, type Claim, nats, percent } from "./claims.ts";
import type { Findings, InterventionEffect, SteeredTexts } from "./findings.ts";

/** All that was found, for a reader who has ten minutes. */
export function summaryMarkdown(findings: Findings, claims: readonly Claim[]): string {
  return [
    `# Language-specific features of ${findings.model}`,
    `Found on ${findings.foundOn} with the SAEs ${findings.saes}. Brackets hold 95 % intervals: of ` +
    `resampled documents, or Wilson's for shares of features and of written texts, taken as independent.`,
    "## What the paper claims, and whether it holds here",
    table(["claim", "", "evidence"], claims.map(claimRow)),
    ...features(findings),
    ...classifiers(findings),
    ...interventions(findings.interventions),
    ...steered(findings),
  ].join("\n\n") + "\n";
}

function claimRow({ claim, verdict, evidence }: Claim): string[] {
  return [claim, `**${verdict}**`, evidence];
}

function features({ features }: Findings): string[] {
  if (features.length === 0) return [];
  const rows = features.map(({ language, features, significant, neurons }) => [
    language,
    String(features),
    count(significant),
    count(neurons),
  ]);
  return ["## Features per language", table(["language", "features", "q < 0.05", "neurons"], rows)];
}

function classifiers({ classifiers }: Findings): string[] {
  if (classifiers.length === 0) return [];
  const rows = classifiers.map(({ type, texts, accuracy, f1 }) => [
    type,
    percent(accuracy),
    percent(f1),
    String(texts),
  ]);
  return [
    "## Classification of held-out texts",
    table(["classifier", "accuracy", "macro F1", "texts"], rows),
  ];
}

function interventions(effects: readonly InterventionEffect[]): string[] {
  if (effects.length === 0) return [];
  const rows = effects.map((effect) => [
    effect.name,
    nats(effect.own),
    nats(effect.others),
    effect.controlOwn ? nats(effect.controlOwn) : "–",
    effect.controlOthers ? nats(effect.controlOthers) : "–",
    `${effect.dominated} of ${effect.languages}`,
  ]);
  return [
    "## Interventions: change of the mean log-perplexity on held-out texts, nats per token",
    table(
      ["intervention", "own", "others", "random: own", "random: others", "own is largest"],
      rows,
    ),
    ...effects.flatMap(matrix),
    "With random features, and as mean changes of the texts' perplexities, they are in " +
    "`ppl/*/change_matrix.csv`.",
  ];
}

function matrix({ name, matrix: { intervened, impacted, changes } }: InterventionEffect): string[] {
  const rows = intervened.map((language, i) => [
    language,
    ...impacted.map((other, j) => {
      const change = changes[i][j].toFixed(2);
      return other === language ? `**${change}**` : change;
    }),
  ]);
  return [
    `### ${name}: rows are changed, columns suffer`,
    table(["", ...impacted.map((language) => language.slice(0, 3))], rows),
  ];
}

function steered({ steered, judge }: Findings): string[] {
  if (steered.length === 0) return [];
  const multipliers = [...new Set(steered.map(({ multiplier }) => multiplier))];
  const best = bestMultiplier(steered);
  const languages = [...new Set(steered.map(({ language }) => language))];
  const rows = languages.map((language) => {
    const own = steered.filter((row) => row.language === language);
    return [
      language,
      own[0] ? share(own[0].plainHits, own[0].plainTexts) : "–",
      ...multipliers.map((m) => shareAt(own, m)),
      sampleOf(own.find(({ multiplier }) => multiplier === best)),
    ];
  });
  return [
    `## Steered texts: share in the language, says ${judge} (with random features in brackets)`,
    table(
      ["language", "unsteered", ...multipliers.map((m) => `× ${m}`), `a sample at × ${best}`],
      rows,
    ),
  ];
}

function shareAt(rows: readonly SteeredTexts[], multiplier: number): string {
  const row = rows.find((row) => row.multiplier === multiplier);
  if (!row) return "–";
  const control = row.controlTexts > 0 ? ` (${share(row.controlHits, row.controlTexts)})` : "";
  return share(row.hits, row.texts) + control;
}

function share(hits: number, texts: number): string {
  return `${hits}/${texts}`;
}

/** Characters of a sample that are shown. */
const SAMPLE = 60;

function sampleOf(row: SteeredTexts | undefined): string {
  const characters = [...(row?.sample ?? "").replace(/\s+/g, " ").trim()];
  return characters.length > SAMPLE
    ? `${characters.slice(0, SAMPLE).join("")}…`
    : characters.join("");
}

function count(value: number | undefined): string {
  return value === undefined ? "–" : String(value);
}

/** A table; what would end a cell is escaped. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replace(/([\\|`<])/g, "\\$1")).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}
