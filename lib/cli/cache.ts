/** What can be computed again but is kept between runs, in the user's cache folder. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { writeAtomic } from "../data/files.ts";
import type { ByteStore } from "../gpu/self_test.ts";

/** `$XDG_CACHE_HOME/babelscope`, by default `~/.cache/babelscope`. */
export function cacheFolder(): string {
  const base = Deno.env.get("XDG_CACHE_HOME") || join(Deno.env.get("HOME") || "/tmp", ".cache");
  return join(base, "babelscope");
}

/** A store of small values by key. A cache that cannot be written is no cache, not an error. */
export function cachedBytes(folder = join(cacheFolder(), "values")): ByteStore {
  const path = (key: string) => join(folder, createHash("sha256").update(key).digest("hex"));
  return {
    async get(key) {
      try {
        return await Deno.readFile(path(key));
      } catch {
        return undefined;
      }
    },
    async set(key, bytes) {
      try {
        await Deno.mkdir(folder, { recursive: true });
        await writeAtomic(path(key), bytes);
      } catch {
        // Read-only home folders exist; the next run then computes the value again.
      }
    },
  };
}
