import assert from "node:assert/strict";
import { SYSTEM_CLOCK } from "./clock.ts";

Deno.test("a sleep lasts as long as asked, or until the signal", async () => {
  const before = SYSTEM_CLOCK.now();
  await SYSTEM_CLOCK.sleep(20);
  assert.ok(SYSTEM_CLOCK.now() - before >= 19);

  const stop = new AbortController();
  const asleep = SYSTEM_CLOCK.sleep(60_000, stop.signal);
  stop.abort();
  await asleep;
  assert.ok(SYSTEM_CLOCK.now() - before < 30_000);
});
