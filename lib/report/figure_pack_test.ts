import assert from "node:assert/strict";
import type { Figure, Row } from "../figures/figure.ts";
import { packFigures, unpackFigures } from "./figure_pack.ts";

const FIGURE: Figure = {
  id: "a",
  group: "g",
  title: "</script>",
  see: "lone \ud800 surrogate",
  kind: "bars",
  options: { domain: [0, 1] },
  rows: [{ language: "日本語", value: 0.1 }, { language: null, value: -3e-9 }],
  filters: ["language"],
};

Deno.test("figures come out as they went in", async () => {
  assert.deepEqual(await unpackFigures(await packFigures([FIGURE, { ...FIGURE, rows: [] }])), [
    FIGURE,
    { ...FIGURE, rows: [] },
  ]);
  assert.deepEqual(await unpackFigures(await packFigures([])), []);
});

Deno.test("a column that a row lacks is null there", async () => {
  const rows: Row[] = [{ a: 1 }, { b: "x" }];
  const [figure] = await unpackFigures(await packFigures([{ ...FIGURE, rows }]));
  assert.deepEqual(figure.rows, [{ a: 1, b: null }, { a: null, b: "x" }]);
});

Deno.test("large tables become small lines of ASCII, the same every time", async () => {
  const rows = Array.from(
    { length: 20_000 },
    (_, i) => ({ name: `L${i % 6} (${i % 97})`, iou: 0 }),
  );
  const packed = await packFigures([{ ...FIGURE, rows }]);
  assert.match(packed, /^[A-Za-z0-9+/=]+$/);
  assert.ok(packed.length < 0.05 * JSON.stringify(rows).length, `${packed.length}`);
  assert.equal(packed, await packFigures([{ ...FIGURE, rows }]));
});
