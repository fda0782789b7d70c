/** How much a visitor may ask for at once. */

/** UTF-16 units of a text that is typed. */
export const MOST_TEXT = 4000;

/** Tokens of a text that is tried, or of a prompt. */
export const MOST_TOKENS = 1024;

/** Features that a text is steered by. */
export const MOST_FEATURES = 200;

/** Tokens that are written. */
export const MOST_NEW_TOKENS = 200;
