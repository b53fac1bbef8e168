/** What became of a value. As `project` says it, `OTHER_TYPE` is its `MISFIT`, `NOTHING` its `EMPTY`. */
export const SHOWN = 0;
export const NOTHING = 1;
export const OTHER_TYPE = 2;
export type Status = typeof SHOWN | typeof NOTHING | typeof OTHER_TYPE;
