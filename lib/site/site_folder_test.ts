import assert from "node:assert/strict";
import { join } from "node:path";
import { filesUnder } from "../../tests/support/folders.ts";
import { withFolder } from "../../tests/support/run.ts";
import { integrity, SiteFolder } from "./site_folder.ts";

Deno.test("a folder with other files in it is left as it is", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "thesis.tex"), "\\begin{document}");
    await assert.rejects(SiteFolder.open(folder), /thesis\.tex.*--site-dir\.$/);
    // A manifest of another step does not make it a site.
    await Deno.writeTextFile(join(folder, "run.json"), '{"step": "identify"}');
    await assert.rejects(SiteFolder.open(folder), /holds other files/);
    assert.deepEqual((await filesUnder(folder)).sort(), ["run.json", "thesis.tex"]);
  }));

Deno.test("a site takes the place of an earlier one, also of one that was not finished", () =>
  withFolder(async (folder) => {
    const path = join(folder, "site");
    const first = await SiteFolder.open(path);
    await first.write("data/old.json", "[]");
    await assert.rejects(first.write("other/file", ""), RangeError);
    await Deno.writeTextFile(join(path, "CNAME"), "example.org"); // whoever publishes it may add some
    const second = await SiteFolder.open(path);
    await second.write("index.html", "€");
    const from = join(folder, "weights");
    await Deno.writeTextFile(from, "abc");
    const hashes = await second.copy([{ from, to: "model/weights" }]);
    await second.finish({ live: true });
    assert.deepEqual([second.files, second.bytes], [2, 6]);
    assert.deepEqual((await filesUnder(path)).sort(), [
      ...["CNAME", "index.html", "model/weights", "run.json"],
    ]);
    // The hash of "abc" in FIPS 180-2, appendix B.1, in base64.
    assert.equal(integrity("abc"), "sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    assert.deepEqual(hashes, { "model/weights": integrity("abc") });
  }));
