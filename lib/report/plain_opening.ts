import { type Html, markup } from "./html.ts";
import type { ReportPage } from "./report_page.ts";

/** The top of a page whose results have no identification. */
export function plainOpening({ title, folder, summary, runs }: ReportPage): Html {
  const steps = [...new Set(runs.map(({ step }) => step))].join(", ");
  return markup`<header class="opening">
<p class="kicker">babelscope report</p>
<h1>${title}</h1>
<p class="finding">${summary}</p>
<dl class="asked">
<div><dt>Results</dt><dd><bdi>${folder}</bdi></dd></div>
<div><dt>Steps</dt><dd>${steps || "–"}</dd></div>
</dl>
</header>`;
}
