/** Refusals of bad input: one sentence, never another error. */
import assert from "node:assert/strict";
import { InputError } from "../../lib/formats/input_error.ts";

/** Asserts that `act` throws or rejects with an InputError of one line that `message` matches. */
export async function refuses(act: () => unknown, message: RegExp): Promise<void> {
  await assert.rejects(async () => await act(), (error: Error) => {
    assert.ok(error instanceof InputError, `${error.stack}`);
    assert.match(error.message, message);
    assert.ok(!error.message.includes("\n") && error.message.endsWith("."), error.message);
    return true;
  });
}

/** Values that a hostile config may hold in the place of any field. */
export const HOSTILE_VALUES: readonly unknown[] = [
  "7",
  "x".repeat(100_000),
  -1,
  0,
  0.5,
  1e308,
  2 ** 40,
  2 ** 53,
  2 ** 60,
  NaN,
  true,
  [],
  [1],
  {},
  null,
  JSON.parse('{"__proto__":{"k":1}}'),
];

/**
 * Asserts that a config whose fields are changed one at a time is opened or refused in one sentence,
 * whatever the values.
 */
export async function survivesHostileFields(
  config: Readonly<Record<string, unknown>>,
  open: (config: unknown) => unknown,
): Promise<void> {
  const changed = Object.keys(config).flatMap((key) =>
    HOSTILE_VALUES.map((value) => ({ ...config, [key]: value }))
  );
  for (const hostile of [...changed, ...HOSTILE_VALUES]) {
    try {
      await open(hostile);
    } catch (error) {
      assert.ok(error instanceof InputError, `${(error as Error).stack}`);
      const { message } = error;
      assert.ok(message.length < 1000 && !message.includes("\n"), message.slice(0, 1000));
    }
  }
}

/** Expects work to be refused in one sentence that names `named` and says why. */
export async function refused(work: Promise<unknown>, named: string, why: RegExp): Promise<void> {
  await assert.rejects(work, (error: Error) => {
    assert.ok(error instanceof InputError, error.stack ?? String(error));
    assert.ok(error.message.includes(named), error.message);
    assert.match(error.message, why);
    assert.match(error.message, /^[^\n]+\.$/);
    return true;
  });
}
