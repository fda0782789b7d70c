/** A browser to open pages with, on any machine that can run the tests. */
import chromiumPackage, { inflate } from "@sparticuz/chromium";
import { type Browser, chromium } from "playwright-core";

const INSTALLED = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

const ARGUMENTS = [
  "--no-sandbox",
  "--headless",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** A browser without any GPU. */
export const NO_GPU = ["--disable-gpu"];

/** A browser with WebGPU in software, by SwiftShader, on any machine. */
export const SOFTWARE_WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

function installed(): string | undefined {
  return INSTALLED.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}

/** The package unpacks into the system's temporary folder under fixed names; not here. */
async function unpackInto<T>(folder: string, unpack: () => Promise<T>): Promise<T> {
  const before = Deno.env.get("TMPDIR");
  Deno.env.set("TMPDIR", folder);
  try {
    return await unpack();
  } finally {
    if (before === undefined) Deno.env.delete("TMPDIR");
    else Deno.env.set("TMPDIR", before);
  }
}

/** Headless Chromium with the few libraries it needs, from the pinned npm package. */
async function unpackPackaged(folder: string) {
  const entry = import.meta.resolve("@sparticuz/chromium");
  const archive = new URL("../bin/al2023.tar.br", entry);
  return await unpackInto(folder, async () => ({
    executablePath: await chromiumPackage.executablePath(),
    libraries: `${await inflate(archive.pathname)}/lib`,
  }));
}

/**
 * Runs `use` with a fresh browser: the one at $CHROMIUM, an installed one, or the npm package's.
 *
 * @param graphics its arguments on GPUs
 */
export async function withChromium(
  use: (browser: Browser) => Promise<void>,
  graphics: readonly string[] = NO_GPU,
): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "babelscope-chromium-" });
  try {
    const found = Deno.env.get("CHROMIUM") ?? installed();
    const packaged = found === undefined ? await unpackPackaged(folder) : undefined;
    const browser = await chromium.launch({
      executablePath: found ?? packaged?.executablePath,
      args: [...ARGUMENTS, ...graphics],
      env: { ...Deno.env.toObject(), LD_LIBRARY_PATH: packaged?.libraries ?? "" },
    });
    try {
      await use(browser);
    } finally {
      await browser.close();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
