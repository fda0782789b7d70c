import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { inflateSync } from "node:zlib";
import type { Figure } from "../figures/figure.ts";
import { figureOf } from "../figures/kinds.ts";
import { temporaryFolder } from "../../tests/support/folders.ts";
import { figureCsv } from "./figure_csv.ts";
import { fontRemark, writeFigures } from "./figure_files.ts";
import { figureDocument } from "./figure_svg.ts";

function bars(names: readonly string[], id = "bars"): Figure {
  return figureOf(
    "bars",
    { id, group: "Test", title: names[0], see: names.join(" and ") },
    {
      category: "language",
      categories: names,
      categoryTitle: "",
      value: "features",
      valueTitle: "features",
      lying: true,
      series: "language",
      seriesNames: names,
    },
    names.map((language, i) => ({ language, features: i + 1 })),
  );
}

const SCRIPTS = ["English", "हिन्दी", "ไทย", "中文", "한국어", "Русский", "العربية", "日本語"];
const HOSTILE = [
  `<script>"'&]]>\u202e\u0000\ud800\u00a0`,
  "&nbsp;".repeat(200_000),
  "<!--",
  "<![CDATA[",
];

/** Width and height in the header of a PNG, and how many different pixels (RGBA) it has. */
function pngFacts(bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  assert.deepEqual([...bytes.subarray(0, 8)], [137, 80, 78, 71, 13, 10, 26, 10]);
  const pieces: Uint8Array[] = [];
  for (let at = 8; at < bytes.length;) {
    const length = view.getUint32(at);
    const type = new TextDecoder().decode(bytes.subarray(at + 4, at + 8));
    if (type === "IDAT") pieces.push(bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const pixels = inflateSync(Buffer.concat(pieces));
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  assert.equal(pixels.length, height * (1 + 4 * width));
  return { width, height };
}

Deno.test("PNG and PDF have the size of the drawing, and a page", async () => {
  await using folder = await temporaryFolder();
  const figure = bars(["German", "Thai"]);
  const { width, height } = figureDocument(figure);
  const { files, withoutFont } = await writeFigures([figure], folder.path, ["svg", "png", "pdf"]);
  assert.deepEqual(files, ["bars.csv", "bars.svg", "bars.png", "bars.pdf"]);
  assert.deepEqual(withoutFont, []);
  const png = await Deno.readFile(`${folder.path}/bars.png`);
  assert.deepEqual(pngFacts(png), { width: 2 * width, height: 2 * height });
  const pdf = new TextDecoder("latin1").decode(await Deno.readFile(`${folder.path}/bars.pdf`));
  assert.match(pdf, /^%PDF-1\.\d/);
  assert.match(pdf, /%%EOF\s*$/);
  assert.equal(pdf.match(/\/Type \/Page\b/g)?.length, 1);
  assert.ok(pdf.includes(`/MediaBox [0 0 ${width * 0.75} ${height * 0.75}]`));
  assert.match(pdf, /\/Title \d+ 0 R/);
  assert.ok(pdf.includes("(German)"));
  assert.equal(
    await Deno.readTextFile(`${folder.path}/bars.csv`),
    "language,features\nGerman,1\nThai,2\n",
  );
});

Deno.test("the same figure is the same files", async () => {
  await using folder = await temporaryFolder();
  const [a, b] = [`${folder.path}/a`, `${folder.path}/b`];
  for (const path of [a, b]) await writeFigures([bars(["German"])], path, ["svg", "png", "pdf"]);
  for (const format of ["svg", "png", "pdf"]) {
    assert.deepEqual(
      await Deno.readFile(`${a}/bars.${format}`),
      await Deno.readFile(`${b}/bars.${format}`),
    );
  }
});

Deno.test("letters of each script that a font is here for are drawn, and others told of", async () => {
  await using folder = await temporaryFolder();
  const figures = SCRIPTS.map((name, i) => bars([name], `script-${i}`));
  const written = await writeFigures([...figures, bars([""], "nothing")], folder.path, [
    "png",
    "pdf",
  ]);
  const size = async (name: string) => (await Deno.stat(`${folder.path}/${name}.pdf`)).size;
  for (const i of SCRIPTS.keys()) {
    // outlines of letters make the page longer
    assert.ok(await size(`script-${i}`) > await size("nothing"), SCRIPTS[i]);
  }
  const remark = fontRemark(written);
  assert.equal(remark === undefined, written.withoutFont.length === 0);
  assert.match(
    fontRemark({ files: [], withoutFont: ["Thai", "Han"] }) ?? "",
    /^PNG and PDF show Thai, Han letters as empty boxes, .*install the Noto fonts/,
  );
});

Deno.test("hostile text stays text in every format", async () => {
  await using folder = await temporaryFolder();
  const figure = bars(HOSTILE);
  await writeFigures([figure], folder.path, ["svg", "png", "pdf"]);
  const svg = await Deno.readTextFile(`${folder.path}/bars.svg`);
  // that the PNG was drawn says that it is well-formed; here, what is in it
  const names = new Set([...svg.matchAll(/<\/?([^\s/>]+)/g)].map(([, name]) => name));
  for (const name of names) {
    assert.ok(["svg", "title", "desc", "rect", "text", "g", "path", "line"].includes(name), name);
  }
  assert.ok(svg.length < 30_000);
  assert.ok(!/[\u202e\0]/.test(svg));
  pngFacts(await Deno.readFile(`${folder.path}/bars.png`));
});

Deno.test("long titles and sentences are broken into lines that fit", () => {
  const figure = { ...bars(["German"]), title: "word ".repeat(40), see: "word ".repeat(80) };
  const narrow = figureDocument(figure, { width: 320 });
  const wide = figureDocument(figure, { width: 900 });
  assert.ok(narrow.height > wide.height + 50);
  assert.equal(narrow.svg.match(/<svg/g)?.length, 1);
});

Deno.test("dark paper is dark", () => {
  assert.ok(figureDocument(bars(["German"]), { theme: "dark" }).svg.includes(`fill="#15171a"`));
  assert.equal(figureCsv({ rows: [] }), "\n");
});
