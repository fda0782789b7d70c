/** Work on many latents at a time, begun in their order. */

/**
 * Prepares items one after the other and works on several at a time. What depends on the order of
 * items (a shuffle that goes on from one to the next, B.7) belongs into `prepare`.
 *
 * @param atATime most items in work
 * @param signal nothing more is begun once it is aborted
 * @throws the first error of `prepare` or `work`, or the signal's reason, when all that was in work has
 *   ended
 */
export async function inOrder<T, P>(
  items: Iterable<T>,
  { atATime, signal }: { readonly atATime: number; readonly signal?: AbortSignal },
  prepare: (item: T) => Promise<P>,
  work: (prepared: P) => Promise<void>,
): Promise<void> {
  const working = new Set<Promise<void>>();
  const errors: unknown[] = [];
  try {
    for (const item of items) {
      signal?.throwIfAborted();
      const prepared = await prepare(item);
      while (working.size >= atATime) await Promise.race(working);
      if (errors.length > 0) break;
      const task: Promise<void> = work(prepared)
        .catch((error) => void errors.push(error))
        .finally(() => working.delete(task));
      working.add(task);
    }
  } finally {
    await Promise.all(working);
  }
  if (errors.length > 0) throw errors[0];
}
