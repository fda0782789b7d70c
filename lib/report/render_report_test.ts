import assert from "node:assert/strict";
import { demoReport } from "../../tests/fixtures/report/demo.ts";
import { hostilePage } from "../../tests/fixtures/report/hostile.ts";
import { demoPage, pageOf } from "../../tests/fixtures/report/page.ts";
import { drawFigures } from "./draw_figures.ts";
import { renderReport } from "./render_report.ts";
import type { ReportData } from "./report_data.ts";

/** A page of an identification alone. */
const rendered = (identification: ReportData) =>
  renderReport({
    title: "Results",
    summary: "",
    folder: "results",
    identification,
    claims: [],
    evaluation: [],
    explanations: [],
    figures: [],
    runs: [],
  });

const text = (page: string) => page.replace(/<style>.*<\/style>/s, "").replace(/\s+/g, " ");

Deno.test("the demo page fits in 1.5 MB and says what was found", () => {
  const page = rendered(demoReport());
  assert.ok(new TextEncoder().encode(page).length < 1.5e6);
  // 6 layers of 2,048; totals from the oracle's README.
  assert.match(
    text(page),
    /<b>768<\/b> of 12,288 latents in 6 layers belong to exactly one of 15 languages\. <bdi>Japanese<\/bdi> \(95\) has the most, <bdi>Spanish<\/bdi> \(12\) the fewest\./,
  );
});

Deno.test("the whole page of the demo fits in 5 MB; the same data give the same one", async () => {
  const page = await pageOf(demoPage());
  assert.ok(new TextEncoder().encode(page).length < 5e6);
  assert.equal(page, await pageOf(demoPage()));
});

Deno.test("a page without a script says nothing of what only a script can do", () => {
  const { figures, ...parts } = demoPage();
  const page = renderReport({ ...parts, figures: drawFigures(figures) });
  assert.doesNotMatch(page, /<script|data-save/);
  assert.match(page, /script-src 'none'/);
  assert.match(text(page), /<tr><td>Bulgarian<\/td><td>0<\/td><td>5<\/td><\/tr>/, "has the tables");
});

Deno.test("a page of nothing but a training says what was trained", () => {
  const page = renderReport({
    ...{
      title: "Training of sparse autoencoders",
      summary: "2 sparse coders trained",
      folder: "x",
    },
    ...{ claims: [], evaluation: [], explanations: [], figures: [] },
    runs: [{ path: "run.json", step: "train-sae", started: "", seconds: NaN, entries: [] }],
  });
  assert.match(text(page), /<h1>Training of sparse autoencoders<\/h1> <p class="finding">2 sparse/);
  assert.match(text(page), /<dt>Steps<\/dt><dd>train-sae<\/dd>/);
  assert.doesNotMatch(text(page), /id="claims"|id="features"|NaN|undefined/);
});

Deno.test("no markup comes from texts, wherever they stand", async () => {
  const page = await pageOf(hostilePage());
  assert.equal(page.match(/<script/g)?.length, 2);
  assert.equal(page.match(/<\/script>/g)?.length, 2);
  assert.equal(page.match(/<\/style>/g)?.length, 1);
  assert.doesNotMatch(page, /<img|<!--|\p{Bidi_Control}|\p{Cs}/u);
});

Deno.test("shared features are counted once and named as shared", () => {
  const data = demoReport();
  const shared = data.features[0].slice(0, 5);
  const features = data.languages.map((_, g) => g < 2 ? shared : []);
  const page = text(rendered({ ...data, features }));
  assert.match(page, /<b>5<\/b> of 12,288 latents in 6 layers are shared by exactly 2 of 15/);
  const mixed = features.with(2, [data.features[2][0]]);
  assert.match(
    text(rendered({ ...data, features: mixed })),
    /<b>6<\/b> of .* belong to one or more of 15 languages/,
  );
});

Deno.test("intervals and q-values stand with a feature, and are explained where there are any", () => {
  const data = demoReport();
  assert.doesNotMatch(text(rendered(data)), /<b>q<\/b>|resampled/);
  const sure = { entropyInterval: { low: 0.0125, high: 0.25 }, qValue: 0.0049 };
  const features = data.features.map((list) => list.map((feature) => ({ ...feature, ...sure })));
  const page = text(rendered({ ...data, features }));
  assert.match(page, /entropy <b>[\d.]+<\/b> \(0\.013 to 0\.250\) ≈ [\d.]+ languages · q 0\.005 /);
  assert.match(page, /95 % of resampled documents put the <b>entropy<\/b>; <b>q<\/b> is/);
});

Deno.test("no feature at all is a finding too", () => {
  const data = demoReport();
  const page = rendered({
    ...data,
    features: data.languages.map(() => []),
    candidates: [],
    shareHistogram: data.languages.map(() => 0),
  });
  assert.match(page, /None of 12,288 latents in 6 layers belongs to a language/);
  assert.doesNotMatch(page, /NaN|Infinity|undefined/);
});

Deno.test("one language alone has a page", () => {
  const data = demoReport();
  const page = rendered({
    ...data,
    languages: data.languages.slice(0, 1),
    features: [data.features[0].map((f) => ({ ...f, probabilities: [f.probability] }))],
    shareHistogram: [25],
  });
  assert.doesNotMatch(page, /NaN|Infinity|undefined/);
});

Deno.test("neurons found by LAPE are called neurons", () => {
  const page = rendered({
    ...demoReport(),
    method: { algorithm: "lape", topRate: 0.01, filterRate: 0.95, barRatio: 0.95 },
  });
  assert.match(page, /12,288 neurons/);
  assert.match(page, /95\u00a0% quantile/);
  assert.doesNotMatch(text(page), /A latent/);
});

Deno.test("arrays that do not match the languages are refused", () => {
  const data = demoReport();
  assert.throws(
    () => rendered({ ...data, features: data.features.slice(1) }),
    { name: "RangeError", message: "report: 14 values for 15 languages" },
  );
});
