/** A command of the command line, as data: help and parsing follow from it. */
export type CliCommand = {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What stands after the name, for the usage line. */
  readonly usage: string;
  /** The names of the words it takes, in their order; their texts stand among the flags under those names. */
  readonly operands?: readonly string[];
  /**
   * The words that are not its own flags, in their order, stand under this name as one line: see `lineOf`.
   */
  readonly passthrough?: string;
  readonly flags: readonly CliFlag[];
  /** More for its own help, line by line. */
  readonly notes: readonly string[];
  /**
   * Runs it and gives the exit status: 0 done, 1 failed. Throws MintwardenError for what a person should
   * read.
   */
  run(flags: Flags): Promise<number>;
};

/** A flag. `value: null`: it is said or not. */
export type CliFlag = { readonly name: string; readonly value: string | null; readonly help: string };

/** What was said: text for flags with a value, true for those without. */
export type Flags = Readonly<Record<string, string | boolean | undefined>>;

/** The text of a flag, or null where it was not said. */
export function textOf(flags: Flags, name: string): string | null {
  const value = flags[name];
  return typeof value === 'string' ? value : null;
}
