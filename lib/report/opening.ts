import { byTotal, distinctFeatures } from "./belonging.ts";
import { EMPTY, type Html, markup } from "./html.ts";
import { countText, quantityText, rateText } from "./numbers.ts";
import type { ReportData } from "./report_data.ts";

/** What was asked, what was found, and how to read it. */
export function opening(data: ReportData): Html {
  const [unit, source] = data.method.algorithm === "lape"
    ? ["neuron", "Neurons"]
    : ["latent", "SAE"];
  return markup`<header class="opening">
<p class="kicker">babelscope report</p>
<h1>${data.title}</h1>
${finding(data, unit)}
<dl class="asked">
<div><dt>Model</dt><dd>${data.model}</dd></div>
<div><dt>${source}</dt><dd>${data.sae}</dd></div>
<div><dt>Corpus</dt><dd>${data.corpus}: ${corpusSize(data)}</dd></div>
<div><dt>Rules</dt><dd>${rules(data)}</dd></div>
</dl>
${howToRead(data, unit)}
</header>`;
}

function finding(data: ReportData, unit: string): Html {
  const owners = distinctFeatures(data).map((found) => found.owners);
  const latents = `${countText(data.layers.length * data.width)} ${unit}s`;
  const of = `${latents} in ${quantityText(data.layers.length, "layer")}`;
  if (owners.length === 0) {
    return markup`<p class="finding">None of ${of} belongs to a language under these options.</p>`;
  }
  return markup`<p class="finding"><b>${countText(owners.length)}</b> of ${of}
${belonging(owners, data.languages.length)}. ${extremes(data)}</p>`;
}

/** How many languages own a feature, as found in the data. */
function belonging(owners: readonly number[], languages: number): string {
  const most = owners.reduce((a, b) => Math.max(a, b));
  if (most === 1) return `belong to exactly one of ${languages} languages`;
  if (owners.every((count) => count === most)) {
    return `are shared by exactly ${most} of ${languages} languages`;
  }
  return `belong to one or more of ${languages} languages`;
}

function extremes(data: ReportData): Html {
  const order = byTotal(data);
  if (order.length < 2) return EMPTY;
  const named = (g: number) =>
    markup`<bdi>${data.languages[g].name}</bdi> (${data.features[g].length})`;
  return markup`${named(order[0])} has the most, ${named(order[order.length - 1])} the fewest.`;
}

function corpusSize({ languages }: ReportData): string {
  const examples = languages.reduce((sum, { examples }) => sum + examples, 0);
  const tokens = languages.reduce((sum, { tokens }) => sum + tokens, 0);
  return [
    quantityText(languages.length, "language"),
    quantityText(examples, "example"),
    quantityText(tokens, "token"),
  ].join(", ");
}

function rules({ method }: ReportData): string {
  if (method.algorithm === "lape") {
    const [top, filter, bar] = [method.topRate, method.filterRate, method.barRatio]
      .map(rateText);
    return `LAPE: top ${top}, filter ${filter}, bar ${bar}`;
  }
  const [examples, tokens, ratio] = [method.exampleRate, method.tokenRate, method.ratio]
    .map(rateText);
  return `SAE-LAPE: examples ≥ ${examples}, tokens > ${tokens}, owner ≥ ${ratio} of its highest`;
}

/** Which units are candidates and whose they are; spec sections 6.2 and 6.3. */
function rulesInWords({ method }: ReportData): Html {
  if (method.algorithm === "lape") {
    return markup`A neuron is a <b>candidate</b> when its probability in some language is above the
${rateText(method.filterRate)} quantile of all probabilities and its entropy is among the lowest
${rateText(method.topRate)} of all neurons. It <b>belongs</b> to every language in which its
probability is above the ${rateText(method.barRatio)} quantile.`;
  }
  return markup`A latent is a <b>candidate</b> when it fires in at least
${rateText(method.exampleRate)} of some language’s examples and on more than
${rateText(method.tokenRate)} of some language’s tokens. It <b>belongs</b> to every language in
which its probability reaches ${rateText(method.ratio)} of its highest.`;
}

function howToRead(data: ReportData, unit: string): Html {
  const languages = data.languages.length;
  return markup`<div class="how"><h2>How to read this</h2>
<p>The <b>activation probability</b> of a ${unit} in a language is the share of that language’s
tokens on which it fires. Its <b>entropy</b> says how that probability is spread over the
${quantityText(languages, "language")}: 0 when one has it alone, ln ${languages} =
${Math.log(languages).toFixed(2)} when all share it evenly; e<sup>entropy</sup> is the number of
languages that would share it evenly. ${rulesInWords(data)} The <b>features</b> are the candidates
kept under the options at the foot of the page.${certainty(data)}</p></div>`;
}

/** What intervals and q-values say, where there are any. */
function certainty({ features }: ReportData): Html {
  const some = features.flat().some(({ entropyInterval, qValue }) =>
    entropyInterval !== undefined || qValue !== undefined
  );
  if (!some) return EMPTY;
  return markup` In brackets stands where 95 % of resampled documents put the <b>entropy</b>; <b>q</b>
is the share of chance findings among all features with a q as low, chance being documents whose
languages are permuted.`;
}
