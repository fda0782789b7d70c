import { createHash } from "node:crypto";
import { entropyFigure } from "./entropy_figure.ts";
import { type Html, markup, trusted } from "./html.ts";
import { languageSections } from "./language_sections.ts";
import { opening } from "./opening.ts";
import { layerFigure, shareFigure } from "./ownership_figures.ts";
import type { ReportData } from "./report_data.ts";
import style from "./report.css" with { type: "text" };
import script from "./report.js" with { type: "text" };

/** With more layers, the figure of layers takes the page's whole width. */
const LAYERS_BESIDES = 8;

/**
 * The identify step's report.html: one static page without any outside file, readable without
 * scripts, in which all text of the corpus is shown as text.
 *
 * @throws {RangeError} when the per-language arrays do not match `data.languages`.
 */
export function renderReport(data: ReportData): string {
  checkLengths(data);
  const besides = data.layers.length <= LAYERS_BESIDES;
  return markup`<!doctype html>
<html lang="en">
${head(data)}
<body>
<main>
${opening(data)}
<section class="figures" aria-label="Figures">
<div class="${besides ? "ownership" : "stacked"}">${layerFigure(data)}
${shareFigure(data)}</div>
${entropyFigure(data)}
</section>
${languageSections(data)}
${foot(data)}
</main>
<script>${trusted(script)}</script>
</body>
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
function head({ title }: ReportData): Html {
  const hash = createHash("sha256").update(script).digest("base64");
  const policy = "default-src 'none'; style-src 'unsafe-inline'; " +
    `script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  return markup`<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="babelscope">
<title>${title}</title>
<style>${trusted(style)}</style>
</head>`;
}

function foot({ command, options, provenance }: ReportData): Html {
  return markup`<footer><h2>How it was made</h2>
<h3>Command</h3><pre tabindex="0"><code>${command}</code></pre>
<h3>Options</h3>${pairs(options)}
<h3>Provenance</h3>${pairs(provenance)}
</footer>`;
}

function pairs(entries: ReportData["options"]): Html {
  const rows = entries.map(([name, value]) =>
    markup`<div><dt>${name}</dt><dd>${value}</dd></div>
`
  );
  return markup`<dl class="pairs">${rows}</dl>`;
}
