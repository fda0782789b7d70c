/**
 * The software Vulkan (SwiftShader, with a Vulkan loader) that the npm package @sparticuz/chromium
 * ships: what runs the kernels on a machine that has no Vulkan driver at all.
 */
import { brotliDecompressSync } from "node:zlib";
import { cacheFolder } from "./cache.ts";
import { InputError } from "../formats/input_error.ts";
import { vulkanDevices } from "./vulkan.ts";

/** Name in deno.json, where the version is pinned. */
const PACKAGE = "@sparticuz/chromium";
const LOADER = "libvulkan.so.1";
const DRIVER = "libvk_swiftshader.so";
const MANIFEST = "swiftshader_icd.json";

/**
 * Makes the bundled driver the only one that this process sees. Has to run before the process's
 * first `requestAdapter`. The package is downloaded and unpacked on the first use.
 *
 * @returns the driver and its version, which SwiftShader itself does not tell
 * @throws InputError when this machine cannot use it or it cannot be fetched or unpacked
 */
export async function useBundledVulkan(): Promise<string> {
  const { folder, version } = await unpackedDriver();
  // Never closed: wgpu's own look-up of libvulkan.so.1 finds the library that is already loaded.
  if (vulkanDevices() === undefined) Deno.dlopen(`${folder}/${LOADER}`, {});
  // Newer loaders read VK_DRIVER_FILES first, older ones only VK_ICD_FILENAMES.
  Deno.env.set("VK_DRIVER_FILES", `${folder}/${MANIFEST}`);
  Deno.env.set("VK_ICD_FILENAMES", `${folder}/${MANIFEST}`);
  return `SwiftShader of ${PACKAGE} ${version}`;
}

async function unpackedDriver(): Promise<{ folder: string; version: string }> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
    throw new InputError(
      `The bundled software Vulkan is for x86-64 Linux only (this is ${Deno.build.arch} ` +
        `${Deno.build.os}): install a Vulkan driver, on Debian with ` +
        `"apt-get install mesa-vulkan-drivers".`,
    );
  }
  const packageFolder = await fetchPackage();
  const version = packageVersion(packageFolder);
  const folder = `${cacheFolder()}/swiftshader-${version}`;
  try {
    if (!await exists(`${folder}/${MANIFEST}`)) await unpack(packageFolder, folder);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new InputError(
      `The bundled software Vulkan could not be unpacked into ${folder} (${reason(error)}): ` +
        `point XDG_CACHE_HOME at a folder that can be written.`,
    );
  }
  return { folder, version };
}

/** Root folder of the npm package, downloaded on first use. */
async function fetchPackage(): Promise<URL> {
  // Not a literal, so that Deno does not fetch these 67 MB on machines that have a driver.
  const specifier: string = PACKAGE;
  try {
    await import(specifier);
  } catch (error) {
    throw new InputError(
      `The bundled software Vulkan (npm package ${PACKAGE}) could not be fetched ` +
        `(${reason(error)}): connect to the network once or install a Vulkan driver, on Debian ` +
        `with "apt-get install mesa-vulkan-drivers".`,
    );
  }
  // Only after the import does the specifier resolve to a file.
  return new URL(
    import.meta.resolve(specifier).replace(/(\/@sparticuz\/chromium\/[^/]+\/).*$/, "$1"),
  );
}

/** Deno keeps packages as `<name>/<version>/`. */
function packageVersion(folder: URL): string {
  return folder.pathname.split("/").at(-2)!;
}

/** Unpacks beside the target and renames: another process sees all of it or nothing. */
async function unpack(packageFolder: URL, folder: string): Promise<void> {
  const archive = await Deno.readFile(new URL("bin/swiftshader.tar.br", packageFolder));
  await Deno.mkdir(cacheFolder(), { recursive: true });
  const partial = await Deno.makeTempDir({ dir: cacheFolder(), prefix: "partial-" });
  try {
    for (const file of tarFiles(brotliDecompressSync(archive))) {
      if (file.name === LOADER || file.name === DRIVER) {
        await Deno.writeFile(`${partial}/${file.name}`, file.bytes);
      }
    }
    await Deno.writeTextFile(`${partial}/${MANIFEST}`, manifest(folder));
    await renameUnlessThere(partial, folder);
  } finally {
    await Deno.remove(partial, { recursive: true }).catch(() => {});
  }
}

async function renameUnlessThere(partial: string, folder: string): Promise<void> {
  try {
    await Deno.rename(partial, folder);
  } catch (error) {
    if (!await exists(`${folder}/${MANIFEST}`)) throw error;
  }
}

function manifest(folder: string): string {
  return JSON.stringify({
    file_format_version: "1.0.0",
    ICD: { library_path: `${folder}/${DRIVER}`, api_version: "1.3.0" },
  });
}

/** Regular files of a tar archive (512-byte headers, POSIX.1-1988 ustar), by base name. */
export function* tarFiles(tar: Uint8Array): Generator<{ name: string; bytes: Uint8Array }> {
  const BLOCK = 512;
  const field = (at: number, length: number) =>
    new TextDecoder().decode(tar.subarray(at, at + length)).replace(/\0.*$/s, "").trim();
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0;) {
    const size = parseInt(field(at + 124, 12), 8);
    const regular = ["", "0"].includes(field(at + 156, 1));
    const name = field(at, 100).replace(/^.*\//, "");
    if (regular) yield { name, bytes: tar.subarray(at + BLOCK, at + BLOCK + size) };
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function reason(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0];
}
