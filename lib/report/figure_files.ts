/** Figures as files: SVG, PNG and PDF to print, CSV to calculate with. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { initWasm, Resvg } from "@resvg/resvg-wasm";
import { readBytes, writeAtomic } from "../data/files.ts";
import { figureCsv } from "./figure_csv.ts";
import type { Figure } from "../figures/figure.ts";
import { labelText } from "../figures/figure_text.ts";
import { type Fonts, fontsFor } from "./figure_fonts.ts";
import { type FigureDocument, figureDocument } from "./figure_svg.ts";
import { outlined } from "./outlined_text.ts";

/** What figures are written as, beside CSV. */
export const FIGURE_FORMATS = ["svg", "png", "pdf"] as const;
export type FigureFormat = typeof FIGURE_FORMATS[number];

/** What was written. */
export interface WrittenFigures {
  /** Names of files in the folder. */
  readonly files: readonly string[];
  /** Scripts that PNG and PDF show as empty boxes: this machine has no font. */
  readonly withoutFont: readonly string[];
}

/** Pixels of a PNG per CSS pixel. */
const PNG_SCALE = 2;
/** Points of a PDF per CSS pixel. */
const POINTS = 0.75;

/**
 * Writes `<id>.<format>` and `<id>.csv` of each figure.
 *
 * @param progress told how many figures are written
 * @throws InputError when a file cannot be written
 */
export async function writeFigures(
  figures: readonly Figure[],
  folder: string,
  formats: readonly FigureFormat[],
  progress: (done: number) => void = () => {},
): Promise<WrittenFigures> {
  const files: string[] = [];
  const withoutFont = new Set<string>();
  const write = async (name: string, content: string | Uint8Array) => {
    await writeAtomic(join(folder, name), content);
    files.push(name);
  };
  for (const [i, figure] of figures.entries()) {
    const drawn = figureDocument(figure);
    await write(`${figure.id}.csv`, figureCsv(figure));
    if (formats.includes("svg")) await write(`${figure.id}.svg`, `${drawn.svg}\n`);
    if (formats.includes("png") || formats.includes("pdf")) {
      const fonts = await fontsFor(drawn.svg);
      for (const script of fonts.missing) withoutFont.add(script);
      using picture = await pictureOf(drawn, fonts);
      if (formats.includes("png")) await write(`${figure.id}.png`, picture.png());
      if (formats.includes("pdf")) await write(`${figure.id}.pdf`, await picture.pdf(figure));
    }
    progress(i + 1);
  }
  return { files, withoutFont: [...withoutFont] };
}

/** A sentence for the reader of figures with empty boxes; none if all could be drawn. */
export function fontRemark({ withoutFont }: WrittenFigures): string | undefined {
  if (withoutFont.length === 0) return undefined;
  return `PNG and PDF show ${
    withoutFont.join(", ")
  } letters as empty boxes, since no font here has ` +
    `them; install the Noto fonts (Debian: fonts-noto-core, fonts-noto-cjk) and write them again.`;
}

/** A figure that is read by the renderer. */
interface Picture extends Disposable {
  png(): Uint8Array;
  /** A page of the figure's size. Letters are outlines, so that no reader needs their fonts. */
  pdf(words: Pick<Figure, "title" | "see">): Promise<Uint8Array>;
}

let started: Promise<void> | undefined;

async function pictureOf({ svg, width, height }: FigureDocument, fonts: Fonts): Promise<Picture> {
  started ??= start();
  await started;
  const zoom = { mode: "zoom", value: PNG_SCALE } as const;
  const drawn = new Resvg(outlined(svg, fonts), { fitTo: zoom });
  return {
    png() {
      const image = drawn.render();
      const bytes = image.asPng();
      image.free();
      return bytes;
    },
    pdf: (words) => pdfOf(drawn.toString(), { width, height, ...words }),
    // memory of WebAssembly is not collected
    [Symbol.dispose]: () => drawn.free(),
  };
}

/** Loads the renderer, which is WebAssembly in a file of its package. */
async function start(): Promise<void> {
  const wasm = new URL("index_bg.wasm", import.meta.resolve("@resvg/resvg-wasm"));
  await initWasm(await readBytes(fileURLToPath(wasm)));
}

async function pdfOf(
  svg: string,
  { width, height, title, see }: Pick<Figure, "title" | "see"> & Omit<FigureDocument, "svg">,
): Promise<Uint8Array> {
  const { default: PdfDocument } = await import("pdfkit");
  const { default: drawSvg } = await import("svg-to-pdfkit");
  const page = new PdfDocument({
    size: [width * POINTS, height * POINTS],
    margin: 0,
    lang: "en",
    displayTitle: true,
    // the same figure is the same file, whenever it is written
    info: {
      Title: labelText(title, 200),
      Subject: labelText(see, 400),
      Creator: "babelscope",
      CreationDate: new Date(0),
    },
  });
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const ended = new Promise((resolve, reject) => {
    page.on("data", (piece: Uint8Array<ArrayBuffer>) => pieces.push(piece));
    page.on("end", resolve);
    page.on("error", reject);
  });
  drawSvg(page, svg, 0, 0);
  page.end();
  await ended;
  return await new Blob(pieces).bytes();
}
