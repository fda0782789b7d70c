/** What random numbers of a latent are drawn for, as the last part of their seed. */

/** The choice of windows to explain from and to score on. */
export const CHOICE = 1;
/** Windows in which the latent does not fire. */
export const NON_ACTIVATING = 2;
