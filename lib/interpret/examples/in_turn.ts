/** Work on the items of a list, one after the other. */

/** What becomes of each item: files are read in order, and little is in memory at a time. */
export async function inTurn<A, B>(
  items: readonly A[],
  make: (item: A) => Promise<B>,
): Promise<B[]> {
  const made: B[] = [];
  for (const item of items) made.push(await make(item));
  return made;
}
