import assert from "node:assert/strict";
import { demoReport } from "../../tests/fixtures/report/demo.ts";
import { renderReport } from "./render_report.ts";

const text = (page: string) => page.replace(/<style>.*<\/style>/s, "").replace(/\s+/g, " ");

Deno.test("the demo page fits in 1.5 MB and says what was found", () => {
  const page = renderReport(demoReport());
  assert.ok(new TextEncoder().encode(page).length < 1.5e6);
  // 6 layers of 2,048; totals from the oracle's README.
  assert.match(
    text(page),
    /<b>768<\/b> of 12,288 latents in 6 layers belong to exactly one of 15 languages\. <bdi>Japanese<\/bdi> \(95\) has the most, <bdi>Spanish<\/bdi> \(12\) the fewest\./,
  );
});

Deno.test("the same data give the same page", () => {
  assert.equal(renderReport(demoReport()), renderReport(demoReport()));
});

Deno.test("shared features are counted once and named as shared", () => {
  const data = demoReport();
  const shared = data.features[0].slice(0, 5);
  const features = data.languages.map((_, g) => g < 2 ? shared : []);
  const page = text(renderReport({ ...data, features }));
  assert.match(page, /<b>5<\/b> of 12,288 latents in 6 layers are shared by exactly 2 of 15/);
  const mixed = features.with(2, [data.features[2][0]]);
  assert.match(
    text(renderReport({ ...data, features: mixed })),
    /<b>6<\/b> of .* belong to one or more of 15 languages/,
  );
});

Deno.test("intervals and q-values stand with a feature, and are explained where there are any", () => {
  const data = demoReport();
  assert.doesNotMatch(text(renderReport(data)), /<b>q<\/b>|resampled/);
  const sure = { entropyInterval: { low: 0.0125, high: 0.25 }, qValue: 0.0049 };
  const features = data.features.map((list) => list.map((feature) => ({ ...feature, ...sure })));
  const page = text(renderReport({ ...data, features }));
  assert.match(page, /entropy <b>[\d.]+<\/b> \(0\.013 to 0\.250\) ≈ [\d.]+ languages · q 0\.005 /);
  assert.match(page, /95 % of resampled documents put the <b>entropy<\/b>; <b>q<\/b> is/);
});

Deno.test("no feature at all is a finding too", () => {
  const data = demoReport();
  const page = renderReport({
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
  const page = renderReport({
    ...data,
    languages: data.languages.slice(0, 1),
    features: [data.features[0].map((f) => ({ ...f, probabilities: [f.probability] }))],
    shareHistogram: [25],
  });
  assert.doesNotMatch(page, /NaN|Infinity|undefined/);
});

Deno.test("neurons found by LAPE are called neurons", () => {
  const page = renderReport({
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
    () => renderReport({ ...data, features: data.features.slice(1) }),
    { name: "RangeError", message: "report: 14 values for 15 languages" },
  );
});
