import assert from "node:assert/strict";
import type { Row } from "../figures/figure.ts";
import { parseCsv } from "../data/tables.ts";
import { figureCsv } from "./figure_csv.ts";

Deno.test("a figure's rows as CSV, with names and texts quoted where they must be", () => {
  const rows: Row[] = [
    { language: "Thai", "a,b": 0.1 },
    { language: 'say "so"', "a,b": null },
    { language: "two\nlines", "a,b": -1e-7, more: 3 },
  ];
  assert.equal(
    figureCsv({ rows }),
    'language,"a,b",more\nThai,0.1,\n"say ""so""",,\n"two\nlines",-1e-7,3\n',
  );
});

Deno.test("another reader finds the same in it", async () => {
  const rows = [{ text: ',"\n', number: 0.1 + 0.2 }, { text: "หนังสือ", number: 1e21 }];
  const bytes = new TextEncoder().encode(figureCsv({ rows }));
  assert.deepEqual(await parseCsv(bytes, "figure.csv"), {
    text: rows.map(({ text }) => text),
    number: rows.map(({ number }) => String(number)),
  });
});
