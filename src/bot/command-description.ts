/** As many optional flags are shown in an overview. */
const MAX_BRIEF_FLAGS = 6;

/**
 * Where a command is given: by an administrator in the control room, or by a person in their DM with the bot.
 */
export type Place = 'control' | 'dm';

/** A word that a command takes, in its order. */
export type Parameter = { readonly name: string; readonly help: string; readonly required: boolean };

/** The grant a command is about. */
export const GRANT_ID: Parameter = {
  name: 'ID',
  help: 'the grant’s id, or its first four characters or more',
  required: true,
};

/**
 * A flag. `switch` has no value; `value` takes one word; `list` one or several, with commas; `text` all words
 * up to the next flag.
 */
export type Flag = {
  readonly name: string;
  readonly kind: 'switch' | 'value' | 'list' | 'text';
  /** What stands for its value in the usage line. */
  readonly placeholder: string;
  readonly help: string;
  readonly required: boolean;
  /** A flag that may be said in the place of a required one. */
  readonly alternative?: string;
};

/** A flag that is said or not. */
export function switchFlag(name: string, help: string): Flag {
  return { name, kind: 'switch', placeholder: '', help, required: false };
}

/** An optional flag with a value. */
export function flag(name: string, kind: 'value' | 'list' | 'text', placeholder: string, help: string): Flag {
  return { name, kind, placeholder, help, required: false };
}

/** Where an operator's token goes. Only commands given at the machine have it; see `operatorCommands`. */
export const OUT_FLAG: Flag = flag(
  'out',
  'value',
  'FILE',
  'write the token into a new file that only you can read',
);

/** A command as data: parsing, help and errors follow from it. */
export type CommandDescription = {
  readonly name: string;
  readonly place: Place;
  /** One line, without a full stop. */
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  readonly flags: readonly Flag[];
  readonly examples: readonly string[];
  /** Changes something: the command counts as seen before its answer is sent. */
  readonly mutates: boolean;
  /** Taken even while the control room is not private: it tells little or takes power away. */
  readonly allowedWhenExposed: boolean;
};

/** `!mint USER --rooms ROOMS [--read-only] …` */
export function usage(command: CommandDescription): string {
  const bang = command.place === 'control' ? '!' : '';
  const parameters = command.parameters.map(({ name, required }) => (required ? name : `[${name}]`));
  const flags = command.flags.map((flag) => {
    const text = flag.kind === 'switch' ? `--${flag.name}` : `--${flag.name} ${flag.placeholder}`;
    return flag.required ? text : `[${text}]`;
  });
  return [`${bang}${command.name}`, ...parameters, ...flags].join(' ');
}

/** The form in one line of an overview: a command of many flags shows the first of them. */
export function briefUsage(command: CommandDescription): string {
  const optional = command.flags.filter((flag) => !flag.required);
  if (optional.length <= MAX_BRIEF_FLAGS) return usage(command);
  const shown = [...command.flags.filter((flag) => flag.required), ...optional.slice(0, MAX_BRIEF_FLAGS)];
  return `${usage({ ...command, flags: shown })} […]`;
}
