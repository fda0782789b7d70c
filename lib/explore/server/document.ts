/** A page with its answers, so that it can be read before any script runs. */
import { h } from "preact";
import { renderToString } from "preact-render-to-string";
import { markup, trusted } from "../../report/html.ts";
import type { Backend } from "../backend.ts";
import { fixedAddress } from "../pages/address.ts";
import { Answers } from "../pages/answers.ts";
import { Explorer, titleOf } from "../pages/explorer.ts";
import { parseRoute } from "../pages/route.ts";
import type { Assets } from "./assets.ts";

/** Times a page may ask for more, once it knows the answers so far. */
const MOST_ROUNDS = 4;

/** A page and whether what it shows is there. */
export interface RenderedPage {
  readonly html: string;
  readonly found: boolean;
}

/**
 * Renders the page of an address.
 *
 * @param address path and query
 */
export async function renderPage(
  backend: Backend,
  address: string,
  { script, style }: Assets,
): Promise<RenderedPage> {
  const route = parseRoute(address);
  const answers = new Answers(backend);
  const explorer = h(Explorer, { answers, address: fixedAddress(route) });
  let body = renderToString(explorer);
  for (let round = 0; round < MOST_ROUNDS && await answers.loadMissing(); round++) {
    body = renderToString(explorer);
  }
  const told = answers.all();
  const html = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${titleOf(route)} – babelscope</title>
<link rel="icon" href="data:,">
<style>${trusted(style.content)}</style>
<script type="module" src="${script.path}"></script>
</head>
<body>
<div id="explorer">${trusted(body)}</div>
<script type="application/json" id="told">${trusted(inScript(told))}</script>
</body>
</html>
`;
  const problem = Object.values(told).some((answer) => "problem" in answer);
  return { html: html.source, found: route.page !== "unknown" && !problem };
}

/** JSON that cannot end the element it stands in. */
function inScript(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}
