/** Fonts of this machine, by the scripts of what is to be written. */
import { homedir } from "node:os";
import { join } from "node:path";
import { readBytes } from "../data/files.ts";

/** Fonts for a text. */
export interface Fonts {
  /** Their files. */
  readonly buffers: readonly Uint8Array[];
  /** Scripts that none is there for. */
  readonly missing: readonly string[];
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
const EAST_ASIAN = [
  "NotoSansCJK-Regular.ttc",
  "NotoSansCJKsc-Regular.otf",
  "DroidSansFallbackFull.ttf",
  "PingFang.ttc",
  "msyh.ttc",
];

/** Scripts that need a font of their own, by their Unicode names. */
const SCRIPTS: Readonly<Record<string, readonly string[]>> = {
  Han: EAST_ASIAN,
  Hiragana: EAST_ASIAN,
  Katakana: EAST_ASIAN,
  Hangul: EAST_ASIAN,
  ...Object.fromEntries(
    [
      ...["Arabic", "Armenian", "Bengali", "Devanagari", "Ethiopic", "Georgian", "Gujarati"],
      ...["Gurmukhi", "Hebrew", "Kannada", "Khmer", "Lao", "Malayalam", "Mongolian", "Myanmar"],
      ...["Oriya", "Sinhala", "Syriac", "Tamil", "Telugu", "Thaana", "Thai", "Tifinagh"],
    ].map((script) => [script, [`NotoSans${script}-Regular.ttf`, `Noto Sans ${script}.ttf`]]),
  ),
};

let known: Promise<ReadonlyMap<string, string>> | undefined;
const read = new Map<string, Promise<Uint8Array>>();

/** The fonts that a text needs, as far as this machine has them. */
export async function fontsFor(text: string): Promise<Fonts> {
  known ??= fontFiles();
  const files = await known;
  const first = (names: readonly string[]) =>
    names.map((name) => files.get(name.toLowerCase())).find((path) => path !== undefined);
  const wanted = Object.entries(SCRIPTS)
    .filter(([script]) => new RegExp(`\\p{Script=${script}}`, "u").test(text));
  const latin = LATIN.map((name) => first([name])).filter((path) => path !== undefined);
  const paths = [...latin, first(BOLD), ...wanted.map(([, names]) => first(names))];
  const missing = wanted.filter(([, names]) => !first(names)).map(([script]) => script);
  const buffers = [...new Set(paths.filter((path) => path !== undefined))].map((path) => {
    const bytes = read.get(path) ?? readBytes(path);
    read.set(path, bytes);
    return bytes;
  });
  return {
    buffers: await Promise.all(buffers),
    missing: latin.length > 0 ? missing : ["Latin", ...missing],
  };
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
      else if (!found.has(name.toLowerCase())) found.set(name.toLowerCase(), path);
    }
  } catch {
    // a folder that is not there, or that may not be read, has no fonts for us
  }
}
