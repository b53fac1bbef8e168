import { CAPABILITIES, CAPABILITY } from '../../domain/capability.ts';
import { ENFORCED, unenforced } from '../../domain/enforced.ts';
import type { Preset } from '../../domain/preset.ts';
import { formOf } from '../../words/capability-form.ts';
import { code, line, list, paragraph } from '../../words/build.ts';
import type { Document, Line } from '../../words/document.ts';
import { limitWords } from '../../words/scope-limits.ts';
import type { Policy } from '../../domain/policy.ts';

const NOT_YET = ' (not granted yet)';

/** What may be said after `--can`. */
function capabilities(): Document {
  return [
    paragraph(
      line`After ${code('--can')}, with commas between them. Without ${code('--can')} it is ${code('read')} alone; with it, what is said and no more.`,
    ),
    list(
      ...CAPABILITIES.map((name): Line => {
        const { allows, needs } = CAPABILITY[name];
        const beside = needs.length === 0 ? '' : `; needs ${needs.join(' and ')} beside it`;
        return line`${code(formOf(name))}: ${allows}${beside}${ENFORCED.capabilities.includes(name) ? '' : NOT_YET}`;
      }),
    ),
    paragraph(
      line`A TYPE or KEY may end in ${code('*')}, which stands for any ending. What this version's gateway does not enforce is not granted.`,
    ),
  ];
}

function presetLine(name: string, { explanation, can, limits }: Preset): Line {
  const not = unenforced({ ...limits, v: 1, rooms: 'all', can }, ENFORCED).length > 0 ? NOT_YET : '';
  const limit = limitWords(limits).flatMap((words): Line => ['; ', ...words]);
  return line`${code(`--preset ${name}`)}: ${explanation}. It is ${code(`--can ${can.join(',')}`)}${limit}${not}`;
}

function presets(policy: Policy): Document {
  return [
    paragraph(
      line`A preset says what a holder can do, instead of ${code('--can')}. What is said beside it narrows it further.`,
    ),
    list(...[...policy.presets].map(([name, preset]) => presetLine(name, preset))),
  ];
}

/** What can be asked about that is no command. */
export const TOPICS: Readonly<Record<'capabilities' | 'presets', (policy: Policy) => Document>> = {
  capabilities,
  presets,
};
