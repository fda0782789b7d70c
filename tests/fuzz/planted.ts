/** In the place of `inputs.ts`: readers whose process falls silent or comes to an end. */
import { remark } from "../../lib/cli/output.ts";
import type { Job, Said } from "./inputs.ts";

function say(said: Said): void {
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(said) + "\n"));
}

for (const { target, from, to } of JSON.parse(Deno.args[0]) as Job[]) {
  for (let n = from; n < to; n++) {
    say({ kind: "at", target, n });
    if (target === "hangs" && n === 2) { for (;;); }
    if (target === "dies" && n === 1) {
      remark("out of memory");
      Deno.exit(133);
    }
  }
  say({ kind: "done", target, tally: { read: to - from, refused: 0, refusals: [], peak: 0 } });
}
