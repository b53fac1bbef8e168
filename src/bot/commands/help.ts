import { speakDuration } from '../../domain/duration.ts';
import { MintwardenError } from '../../domain/errors.ts';
import { code, line, list, paragraph, strong } from '../../words/build.ts';
import type { Document } from '../../words/document.ts';
import { closest } from '../closest.ts';
import { defineCommand, type Command, type CommandContext } from '../command.ts';
import { briefUsage, usage, type CommandDescription, type Place } from '../command-description.ts';
import { TOPICS } from './help-topics.ts';

type HelpContext = CommandContext<'policy' | 'commands'>;

function overview(context: HelpContext): Document {
  const bang = context.place === 'control' ? '!' : '';
  const commands = list(
    ...context.commands.map((command) => line`${code(briefUsage(command))}: ${command.summary}`),
  );
  if (context.place === 'dm') {
    return [
      paragraph([
        'Here I tell you of access tokens that speak for you, and you can end them. You need no permission, and no reason.',
      ]),
      commands,
    ];
  }
  return [
    paragraph(
      line`I make access tokens that can do little, for a short time, and tell the user they speak for.`,
    ),
    commands,
    paragraph(
      line`More about one, with examples: ${code(`${bang}help mint`)}. ${code('!mw')} before a command makes sure that I am meant.`,
    ),
  ];
}

function commandHelp(command: CommandDescription, context: HelpContext): Document {
  const policy = context.policy();
  const parameters = command.parameters.map(({ name, help }) => line`${code(name)}: ${help}`);
  const flags = command.flags.map((flag) => {
    const form = flag.kind === 'switch' ? `--${flag.name}` : `--${flag.name} ${flag.placeholder}`;
    const must = flag.required ? ' (required)' : '';
    const times =
      flag.name === 'ttl'
        ? `; ${speakDuration(policy.defaultTtlMs)} if not said, at most ${speakDuration(policy.maxTtlMs)}`
        : '';
    const asked = flag.name === 'reason' && policy.reasonRequired ? ' (policy asks for one)' : '';
    return line`${code(form)}: ${flag.help}${times}${must}${asked}`;
  });
  return [
    paragraph(line`${code(usage(command))}: ${command.summary}`),
    ...(parameters.length + flags.length > 0 ? [list(...parameters, ...flags)] : []),
    paragraph([strong(command.examples.length === 1 ? 'Example:' : 'Examples:')]),
    list(...command.examples.map((example) => [code(example)])),
  ];
}

/** `help [COMMAND]`, in either place. */
export function helpCommand(place: Place): Command {
  return defineCommand({
    name: 'help',
    place,
    summary: 'show this, or more about one command',
    parameters: [
      {
        name: 'COMMAND',
        help:
          place === 'control'
            ? 'the command to explain; or capabilities, or presets'
            : 'the command to explain',
        required: false,
      },
    ],
    flags: [],
    examples:
      place === 'control'
        ? ['!help', '!help mint', '!help capabilities', '!help presets']
        : ['help', 'help revoke'],
    mutates: false,
    allowedWhenExposed: true,
    needs: ['policy', 'commands'],
    async run(context, args) {
      const topic = args.positionals.get('COMMAND')?.replace(/^!/, '').toLowerCase();
      if (topic === undefined) return overview(context);
      const command = context.commands.find((each) => each.name === topic);
      if (command !== undefined) return commandHelp(command, context);
      if (place === 'control' && (topic === 'capabilities' || topic === 'presets'))
        return TOPICS[topic](context.policy());
      const names = [
        ...context.commands.map((each) => each.name),
        ...(place === 'control' ? Object.keys(TOPICS) : []),
      ];
      const meant = closest(topic, names);
      const bang = place === 'control' ? '!' : '';
      throw new MintwardenError(
        'usage',
        `There is no command “${topic.slice(0, 40)}”.`,
        meant === null ? `There are ${names.join(', ')}.` : `Write: \`${bang}help ${meant}\``,
      );
    },
  });
}
