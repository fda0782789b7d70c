/** Fonts of this machine, by the scripts of what is to be written. */
import { Buffer } from "node:buffer";
import { homedir } from "node:os";
import { join } from "node:path";
import { readBytes } from "../data/files.ts";

/** A font that lays out text; lengths are in its own units. */
export interface Face {
  readonly unitsPerEm: number;
  hasGlyphForCodePoint(codePoint: number): boolean;
  layout(text: string): {
    readonly glyphs: readonly { readonly path: Outline }[];
    readonly positions: readonly {
      readonly xAdvance: number;
      readonly xOffset: number;
      readonly yOffset: number;
    }[];
  };
}

/** Of a glyph; y grows upwards until it is scaled. */
export interface Outline {
  scale(x: number, y: number): Outline;
  translate(x: number, y: number): Outline;
  toSVG(): string;
}

/** A font file: one face or several by name. */
type FontFile = Face | { getFont(name: string): Face };

/** Fonts for a text. */
export interface Fonts {
  /** Those for Latin letters first. */
  readonly regular: readonly Face[];
  readonly bold: readonly Face[];
  /** Scripts that none is there for. */
  readonly missing: readonly string[];
}

/** A file, and which face of it. */
interface Font {
  readonly file: string;
  readonly face?: string;
}

const FOLDERS = [
  "/usr/share/fonts",
  "/usr/local/share/fonts",
  "/System/Library/Fonts",
  "/Library/Fonts",
  "C:\\Windows\\Fonts",
];
const HOME_FOLDERS = [".fonts", ".local/share/fonts", "Library/Fonts"];

/** Fonts with Latin, Greek and Cyrillic letters: all that are there, since signs are spread over them. */
const LATIN = ["NotoSans-Regular.ttf", "DejaVuSans.ttf", "LiberationSans-Regular.ttf", "Arial.ttf"];
const BOLD = ["NotoSans-Bold.ttf", "DejaVuSans-Bold.ttf", "LiberationSans-Bold.ttf"];
const EAST_ASIAN: readonly Font[] = [
  { file: "NotoSansCJK-Regular.ttc", face: "NotoSansCJKsc-Regular" },
  { file: "NotoSansCJKsc-Regular.otf" },
  { file: "DroidSansFallbackFull.ttf" },
];

/** A script that needs a font of its own: the first that is there. */
interface Script {
  readonly name: string;
  readonly letters: RegExp;
  readonly fonts: readonly Font[];
}

const SCRIPTS: readonly Script[] = [
  {
    name: "East Asian",
    letters: /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u,
    fonts: EAST_ASIAN,
  },
  ...[
    ...["Arabic", "Armenian", "Bengali", "Devanagari", "Ethiopic", "Georgian", "Gujarati"],
    ...["Gurmukhi", "Hebrew", "Kannada", "Khmer", "Lao", "Malayalam", "Mongolian", "Myanmar"],
    ...["Oriya", "Sinhala", "Syriac", "Tamil", "Telugu", "Thaana", "Thai", "Tifinagh"],
  ].map((name) => ({
    name,
    letters: new RegExp(`\\p{Script=${name}}`, "u"),
    fonts: [{ file: `NotoSans${name}-Regular.ttf` }],
  })),
];

let known: Promise<ReadonlyMap<string, string>> | undefined;
const opened = new Map<string, Promise<Face>>();

/** The fonts that a text needs, as far as this machine has them. */
export async function fontsFor(text: string): Promise<Fonts> {
  known ??= fontFiles();
  const files = await known;
  const there = (fonts: readonly Font[]) => fonts.filter(({ file }) => files.has(lower(file)));
  const named = (names: readonly string[]) => there(names.map((file) => ({ file })));
  const open = (fonts: readonly Font[]) =>
    Promise.all(fonts.map((font) => faceOf(files.get(lower(font.file))!, font.face)));
  const wanted = SCRIPTS.filter(({ letters }) => letters.test(text))
    .map(({ name, fonts }) => ({ name, own: there(fonts).slice(0, 1) }));
  const latin = named(LATIN);
  return {
    regular: await open([...latin, ...wanted.flatMap(({ own }) => own)]),
    bold: await open(named(BOLD).slice(0, 1)),
    missing: [
      ...latin.length > 0 ? [] : ["Latin"],
      ...wanted.filter(({ own }) => own.length === 0).map(({ name }) => name),
    ],
  };
}

function faceOf(path: string, face: string | undefined): Promise<Face> {
  const open = async () => {
    const { create } = await import("fontkit");
    const file: FontFile = create(Buffer.from(await readBytes(path)));
    return "getFont" in file && face !== undefined ? file.getFont(face) : file as Face;
  };
  const known = opened.get(path) ?? open();
  opened.set(path, known);
  return known;
}

function lower(file: string): string {
  return file.toLowerCase();
}

/** All font files, by their names in lower case. */
async function fontFiles(): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const folder of [...FOLDERS, ...HOME_FOLDERS.map((name) => join(homedir(), name))]) {
    await gather(folder, found);
  }
  return found;
}

async function gather(folder: string, found: Map<string, string>): Promise<void> {
  try {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = join(folder, name);
      if (isDirectory) await gather(path, found);
      else if (!found.has(lower(name))) found.set(lower(name), path);
    }
  } catch {
    // a folder that is not there, or that may not be read, has no fonts for us
  }
}
