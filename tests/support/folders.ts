/** Folders that tests make, change and compare. */
import { dirname, join } from "node:path";
import { sha256File } from "../../lib/data/files.ts";

/** Copies the files of a folder and of the folders in it. */
export async function copyFolder(from: string, to: string): Promise<void> {
  for (const name of await filesUnder(from)) {
    await Deno.mkdir(dirname(join(to, name)), { recursive: true });
    await Deno.copyFile(join(from, name), join(to, name));
  }
}

/** Paths of all files under a folder, relative to it, sorted; none if there is no such folder. */
export async function filesUnder(folder: string): Promise<string[]> {
  const found: string[] = [];
  for (const { name, isDirectory } of await entriesOf(folder)) {
    if (!isDirectory) found.push(name);
    else found.push(...(await filesUnder(join(folder, name))).map((inner) => join(name, inner)));
  }
  return found.sort();
}

async function entriesOf(folder: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(folder));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/**
 * SHA-256 of every file under a folder, by relative path: where large files differ, a test should
 * say so without spelling out the difference.
 */
export async function hashesOf(folder: string): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const name of await filesUnder(folder)) hashes[name] = await sha256File(join(folder, name));
  return hashes;
}

/** Writes texts as a corpus: a folder with `<lang>.jsonl`, one text per line. */
export async function writeCorpus(
  folder: string,
  texts: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for (const [lang, list] of Object.entries(texts)) {
    const lines = list.map((text) => JSON.stringify({ text }) + "\n");
    await Deno.writeTextFile(join(folder, `${lang}.jsonl`), lines.join(""));
  }
}

/** Changes one byte of a file, counted from its end. */
export async function changeByte(path: string, fromEnd = 1): Promise<void> {
  const bytes = await Deno.readFile(path);
  bytes[bytes.length - fromEnd] ^= 1;
  await Deno.writeFile(path, bytes);
}

/** A new folder that is gone, with all that is in it, when it is disposed of. */
export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "babelscope-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
