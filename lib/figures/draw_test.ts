/// <reference lib="dom" />
import assert from "node:assert/strict";
import { parseHTML } from "linkedom";
import { drawFigure } from "./draw.ts";
import type { Figure, Row, Surface } from "./figure.ts";
import { figureOf, type Kinds, slug } from "./kinds.ts";

const WORDS = { id: "test", group: "Test", title: "A title", see: "What to see." };
const LANGUAGES = ["German", "Thai"];

function surface(changes: Partial<Surface> = {}): Surface {
  const { document } = parseHTML("<html><body></body></html>");
  return {
    document: document as unknown as Document,
    width: 600,
    theme: "light",
    tips: false,
    ...changes,
  };
}

/** A small figure of every kind, whose two names are given. */
function figures([first, second]: readonly string[]): Record<keyof Kinds, Figure> {
  const both = [first, second];
  const rows = (make: (name: string, i: number) => Row) => both.map(make);
  const of = <K extends keyof Kinds>(kind: K, options: Kinds[K], own: readonly Row[]) =>
    figureOf(kind, { ...WORDS, title: first, see: `See ${second}` }, options, own);
  return {
    bars: of("bars", {
      category: "layer",
      categories: ["0", "1"],
      categoryTitle: first,
      value: "count",
      valueTitle: second,
      lying: false,
      series: "language",
      seriesNames: both,
      labels: "count",
    }, [
      { language: first, layer: 0, count: 2 },
      { language: second, layer: 0, count: 3 },
      { language: second, layer: 1, count: 4 },
    ]),
    histogram: of("histogram", {
      value: "entropy",
      valueTitle: first,
      countTitle: "features",
      edges: [0, 1, 2],
      series: "language",
      seriesNames: both,
    }, [
      { language: first, entropy: 0.25 },
      { language: first, entropy: 0.75 },
      { language: second, entropy: 1.5 },
    ]),
    matrix: of("matrix", {
      x: "a",
      y: "b",
      columns: both,
      rows: both,
      xTitle: first,
      yTitle: second,
      value: "share",
      valueTitle: first,
      domain: [0, 1],
      scale: "sequential",
      labels: "fixed2",
      symmetric: true,
      framed: true,
    }, [
      { a: first, b: first, share: 1 },
      { a: first, b: second, share: 0.25 },
      { a: second, b: second, share: 1 },
    ]),
    scatter: of("scatter", {
      x: "entropy",
      y: "score",
      xTitle: first,
      yTitle: second,
      series: "language",
      seriesNames: both,
      panel: "scorer",
      panels: [first, second],
      trends: [{ panel: first, slope: 1, intercept: 0, text: second }],
    }, rows((language, i) => ({ language, scorer: first, entropy: i, score: i }))),
    map: of("map", { x: "x", y: "y", series: "language", seriesNames: both }, [
      ...rows((language, i) => ({ language, x: i, y: 0 })),
      { language: null, x: 2, y: 1 },
    ]),
    lines: of(
      "lines",
      {
        x: "step",
        y: "fvu",
        low: "low",
        high: "high",
        xTitle: first,
        yTitle: second,
        series: "language",
        seriesNames: both,
        panel: "panel",
        panels: both,
        dots: true,
      },
      [0, 1].flatMap((step) =>
        rows((language) => ({ language, panel: language, step, fvu: step, low: 0, high: 2 }))
      ),
    ),
    dots: of("dots", {
      category: "language",
      categories: both,
      value: "f1",
      low: "low",
      high: "high",
      valueTitle: first,
      series: "classifier",
      seriesNames: [first, second],
      baseline: 0,
    }, rows((language) => ({ language, classifier: first, f1: 0.5, low: 0.4, high: 0.6 }))),
    radar: of("radar", {
      ray: "language",
      rays: both,
      value: "f1",
      series: "classifier",
      seriesNames: [second],
      panel: "metric",
      panels: [first],
      domain: [0.4, 1],
    }, rows((language) => ({ language, classifier: second, metric: first, f1: 0.7 }))),
    boxes: of("boxes", {
      category: "language",
      categories: both,
      valueTitle: first,
      logarithmic: true,
    }, rows((language) => ({ language, low: 1, q1: 2, median: 3, q3: 4, high: 5 }))),
  };
}

/** Children of the parts of a drawing with a label, e.g. `bar`. */
function marks(drawn: Element, label: string): number {
  const groups = [...drawn.querySelectorAll("g")]
    .filter((group) => group.getAttribute("aria-label") === label);
  // marks of panels lie in a group each
  return groups.flatMap((group) => [...group.querySelectorAll("path,rect,circle,line,text")])
    .length;
}

const FIGURES = figures(LANGUAGES);

Deno.test("every kind has the marks that its rows ask for", () => {
  const count = (kind: keyof Kinds, label: string) =>
    marks(drawFigure(FIGURES[kind], surface()), label);
  assert.equal(count("bars", "bar"), 3);
  assert.equal(count("bars", "text"), 2);
  assert.equal(count("histogram", "rect"), 2);
  assert.equal(count("scatter", "dot"), 2);
  assert.equal(count("scatter", "line"), 1);
  assert.equal(count("map", "dot"), 2);
  assert.equal(count("lines", "line"), 2);
  assert.equal(count("lines", "area"), 2);
  assert.equal(count("lines", "dot"), 4);
  assert.equal(count("dots", "dot"), 2);
  assert.equal(count("radar", "line"), 3 + 1);
  assert.equal(count("boxes", "bar"), 2);
  assert.equal(count("boxes", "tick"), 2);
});

Deno.test("bars of numbers and of names end where their values are", () => {
  const drawn = drawFigure(FIGURES.bars, surface());
  const heights = [...drawn.querySelectorAll("g[aria-label=bar] rect")]
    .map((bar) => Number(bar.getAttribute("height")));
  const unit = heights[0] / 2;
  assert.ok(
    heights.every((height, i) => Math.abs(height - unit * [2, 3, 4][i]) < 0.05),
    `${heights}`,
  );
  const sums = [...drawn.querySelectorAll("g[aria-label=text] text")].map((text) =>
    text.textContent
  );
  assert.deepEqual(sums, ["5", "4"]);
});

Deno.test("a matrix is a ground and lines of cells; symmetric ones are drawn on both sides", () => {
  const drawn = drawFigure(FIGURES.matrix, surface());
  const cells = [...drawn.querySelectorAll("g[aria-label=cells] path")]
    .map((path) => path.getAttribute("d"));
  assert.deepEqual(cells, ["M0,0H2V2H0Z", "M1,0.5h1M0,1.5h1"]);
  const numbers = [...drawn.querySelectorAll("g[aria-label=text] text")]
    .map((text) => text.textContent);
  assert.deepEqual(numbers, ["1.00", "0.25", "0.25", "1.00"]);
});

Deno.test("cells that no row has look like paper, and a matrix of hundreds stays small", () => {
  const { matrix } = FIGURES;
  const holed = { ...matrix, rows: matrix.rows.slice(0, 2) };
  const paths = drawFigure(holed, surface()).querySelectorAll("g[aria-label=cells] path");
  assert.deepEqual(
    [...paths].map((path) => path.getAttribute("stroke")).filter(Boolean).toSorted().at(-1),
    "#fbfaf7",
  );
  const names = Array.from({ length: 300 }, (_, i) => `L${i}`);
  const rows = names.flatMap((a, i) => names.slice(i).map((b, j) => ({ a, b, share: j / 600 })));
  const options = { ...matrix.options, columns: names, rows: names };
  const drawn = drawFigure({ ...matrix, options, rows }, surface());
  // 90,000 cells
  assert.ok(drawn.outerHTML.length < 150_000, `${drawn.outerHTML.length}`);
});

Deno.test("the background of a map is one path", () => {
  const { map } = FIGURES;
  const behind = Array.from({ length: 5000 }, (_, i) => ({ language: null, x: i % 70, y: i / 70 }));
  const drawn = drawFigure({ ...map, rows: [...map.rows, ...behind] }, surface());
  const [path] = [...drawn.querySelectorAll("path[stroke-linecap=round]")];
  assert.equal(path.getAttribute("d")?.split("M").length, 5002);
  assert.ok(drawn.outerHTML.length < 120_000);
});

Deno.test("drawings need no style sheet, in every theme and width", () => {
  for (const theme of ["light", "dark", "both"] as const) {
    for (const width of [320, 900]) {
      for (const figure of Object.values(FIGURES)) {
        const drawn = drawFigure(figure, surface({ theme, width }));
        assert.equal(drawn.querySelectorAll("style,[style],foreignObject,script").length, 0);
        assert.equal(drawn.getAttribute("width"), String(width));
        assert.equal(drawn.getAttribute("role"), "img");
        assert.equal(drawn.getAttribute("aria-label"), "German: See Thai");
        assert.equal(drawn.outerHTML.includes("light-dark("), theme === "both");
        assert.ok(!/NaN|undefined|Infinity/.test(drawn.outerHTML), figure.kind);
      }
    }
  }
});

Deno.test("hostile text is text, short, and without what cannot be seen", () => {
  const hostile = [
    `<script>alert(1)</script>"'&]]>\u202e\u0000\ud800`,
    `${"</svg><img src=x onerror=alert(1)>".repeat(30_000)}`,
  ];
  for (const figure of Object.values(figures(hostile))) {
    const started = performance.now();
    const text = drawFigure(figure, surface()).outerHTML;
    assert.ok(performance.now() - started < 3000, figure.kind);
    assert.ok(text.length < 60_000, `${figure.kind}: ${text.length}`);
    const { document } = parseHTML(`<html><body>${text}</body></html>`);
    assert.equal(document.querySelectorAll("script,img,[onerror]").length, 0, figure.kind);
    assert.equal(document.querySelectorAll("svg").length, 1, figure.kind);
    assert.ok(!/[\u202e\0]/.test(text), figure.kind);
    assert.ok(text.isWellFormed(), figure.kind);
  }
});

Deno.test("a figure without rows is drawn, as a filter may leave it", () => {
  for (const figure of Object.values(FIGURES)) {
    const drawn = drawFigure({ ...figure, rows: [] }, surface());
    assert.ok(!/NaN|undefined|Infinity/.test(drawn.outerHTML), figure.kind);
  }
});

Deno.test("a kind without a drawing is refused", () => {
  assert.throws(
    () => drawFigure({ ...FIGURES.bars, kind: "constructor" }, surface()),
    { name: "RangeError", message: "no drawing of kind constructor" },
  );
});

Deno.test("anchors: of any script, signs told apart, never empty", () => {
  assert.equal(slug("Chinese (Traditional)"), "chinese-traditional");
  assert.equal(slug("sae-features_max_-0.2"), "sae-features-max-minus-0-2");
  assert.equal(slug("sae-features_max_0.2"), "sae-features-max-0-2");
  assert.equal(slug("ไทย <x>"), "ไทย-x");
  assert.equal(slug("?!"), "unnamed");
});

Deno.test("filters are the columns that rows have", () => {
  assert.deepEqual(FIGURES.bars.filters, ["language", "layer"]);
  assert.deepEqual(FIGURES.matrix.filters, []);
});
