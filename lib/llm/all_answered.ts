/** Several questions at once. */

/**
 * The answers to all questions. Where one fails, the others are waited for first: they are under way, and
 * paid for.
 *
 * @throws the failure of the first question that has one
 */
export async function allAnswered<T>(questions: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(questions);
  return await Promise.all(questions);
}
