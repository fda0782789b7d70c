import { createHash } from "node:crypto";
import { contents } from "./contents.ts";
import { EMPTY, type Html, markup, trusted } from "./html.ts";
import { opening } from "./opening.ts";
import { plainOpening } from "./plain_opening.ts";
import type { ReportData } from "./report_data.ts";
import type { PageScript, ReportPage, RunRecord } from "./report_page.ts";
import { reportSections } from "./report_sections.ts";
import palette from "../figures/palette.css" with { type: "text" };
import style from "./report.css" with { type: "text" };

/**
 * report.html: one page without any outside file, readable without scripts, in which all text of
 * corpora, models and explanations is shown as text.
 *
 * @param script what makes the page answer; without it the page can only be read
 * @throws {RangeError} when the per-language arrays of the identification do not match its languages
 */
export function renderReport(page: ReportPage, script?: PageScript): string {
  const { identification } = page;
  if (identification) checkLengths(identification);
  const sections = [
    ...reportSections(page, script !== undefined),
    { id: "made", title: "How it was made", body: making(page) },
  ];
  const choices = {
    languages: languagesOf(page),
    layers: layersOf(page),
    features: identification !== undefined || page.explanations.length > 0,
  };
  const parts = sections.map(({ id, title, body }) =>
    markup`<section class="part" aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
${body}</section>
`
  );
  return markup`<!doctype html>
<html lang="en">
${head(identification?.title ?? page.title, script)}
<body>
<a class="skip" href="#content">To the content</a>
<main id="content">
${identification ? opening(identification) : plainOpening(page)}
${contents(sections, choices)}
<div class="parts">
${parts}</div>
</main>
${script ? scripts(script) : EMPTY}</body>
</html>
`.source;
}

function checkLengths({ languages, features, shareHistogram }: ReportData): void {
  const profiles = features.flat().map((feature) => feature.probabilities);
  for (const list of [features, shareHistogram, ...profiles]) {
    if (list.length === languages.length) continue;
    throw new RangeError(`report: ${list.length} values for ${languages.length} languages`);
  }
}

/** The policy lets the page's own script run and nothing else, and fetch nothing at all. */
function head(title: string, script: PageScript | undefined): Html {
  const hash = createHash("sha256").update(script?.code ?? "").digest("base64");
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; " +
    `script-src ${script ? `'sha256-${hash}'` : "'none'"}; base-uri 'none'; form-action 'none'`;
  return markup`<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="babelscope">
<title>${title}</title>
<style>${trusted(palette + style)}</style>
</head>`;
}

/** The data have a type that no browser runs. */
function scripts({ code, figures }: PageScript): Html {
  return markup`<script type="application/gzip" id="figures">${figures}</script>
<script>${trusted(code)}</script>
`;
}

/** What tables call all languages together. */
const ALL = "all";

function languagesOf({ identification, figures }: ReportPage): string[] {
  if (identification) return identification.languages.map(({ name }) => name);
  return distinct(figures, "language").map(String).filter((name) => name !== ALL).sort();
}

function layersOf({ identification, figures }: ReportPage): number[] {
  if (identification) return [...identification.layers];
  return distinct(figures, "layer").map(Number).sort((a, b) => a - b);
}

function distinct(figures: ReportPage["figures"], column: "language" | "layer") {
  const cells = figures.filter(({ figure }) => figure.filters.includes(column))
    .flatMap(({ figure }) => figure.rows.map((row) => row[column] ?? null));
  return [...new Set(cells)].filter((cell) => cell !== null);
}

function making({ identification, runs }: ReportPage): Html {
  const own = identification
    ? markup`<h3>Command of identify</h3>
<pre tabindex="0"><code>${identification.command}</code></pre>
<h3>Options</h3>${pairs(identification.options)}
<h3>Provenance</h3>${pairs(identification.provenance)}
`
    : EMPTY;
  const others = runs.map(runDetails);
  return markup`${own}<h3>Runs</h3>
${others.length > 0 ? others : markup`<p>No run.json was found.</p>`}`;
}

function runDetails({ path, step, started, seconds, entries }: RunRecord): Html {
  const when = started === "" ? "" : `, ${started.slice(0, 16).replace("T", " ")}`;
  const long = Number.isFinite(seconds) ? `, ${seconds.toFixed(1)} s` : "";
  return markup`<details><summary>${step}: <bdi>${path}</bdi>${when}${long}</summary>
${pairs(entries)}</details>
`;
}

function pairs(entries: ReportData["options"]): Html {
  const rows = entries.map(([name, value]) =>
    markup`<div><dt>${name}</dt><dd>${value}</dd></div>
`
  );
  return markup`<dl class="pairs">${rows}</dl>`;
}
