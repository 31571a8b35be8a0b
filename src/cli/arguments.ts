import { EXIT_CODES, RentfoldError } from '../errors.ts';

/** Commands, with what `--help` says of each. */
export const COMMANDS = {
  serve: {
    about: 'Folds the log, keeps checkpoints and answers reads (default).',
    usage: 'rentfold serve',
    details: [
      'Restores the newest checkpoint, reads the log from there, folds every change, writes checkpoints and answers on RENTFOLD_HOST:RENTFOLD_PORT.',
      'Options come from the environment and from config/rentfold.json; `rentfold config` shows them all.',
      'SIGTERM or Ctrl-C: the port closes, what was read is folded, a last checkpoint is written.',
    ],
    parameters: [0, 0],
  },
  replay: {
    about: 'Reads the whole log into an empty store, prints a summary and ends.',
    usage: 'rentfold replay',
    details: [
      'Reads from offset zero to the end of the log seen at start, writes checkpoints on the way and one at the end. `rentfold serve` on the same store is then ready at once.',
      'A store whose lineage has already caught up with its log is refused and stays as it is (exit code 5). An unfinished replay is gone on with.',
      'A partition that cannot be understood ends it (exit code 6). Dead letters do not: they are in the summary, and `rentfold dead-letters list` names them.',
      'SIGTERM or Ctrl-C: a last checkpoint is written, and it exits with 1; run it again to go on.',
      'The summary goes to standard output; progress and log go to standard error. No port is opened.',
    ],
    parameters: [0, 0],
  },
  inspect: {
    about: 'Says in words what a checkpoint file holds.',
    usage: 'rentfold inspect [NAME]',
    details: [
      'Without NAME: the lineages and generations in the store, and which one is served.',
      'NAME is a manifest (…/<generation>.json) or a segment (….arrow), as a name in the store or a path of a file.',
    ],
    parameters: [0, 1],
  },
  'dead-letters': {
    about: 'Lists the events that could not be understood, or shows one with its bytes.',
    usage: 'rentfold dead-letters [list | show TOPIC/PARTITION/OFFSET]',
    details: [
      'list: one line each, as of the newest checkpoint. show: everything that is known of one, key and value byte for byte.',
    ],
    parameters: [0, 2],
  },
  config: {
    about: 'Prints every option, its value in force and where that came from; secrets are not shown.',
    usage: 'rentfold config',
    details: ['Exits with 2 and one line per wrong option when the configuration is not usable.'],
    parameters: [0, 0],
  },
} as const;

export type Command = keyof typeof COMMANDS;

export type Arguments =
  | { readonly kind: 'run'; readonly command: Command; readonly parameters: readonly string[] }
  | { readonly kind: 'help'; readonly command: Command | null };

/** Parses what stands behind the program's name. Throws CONFIGURATION_INVALID for an unknown command, flag or number of words. */
export function parseArguments(words: readonly string[]): Arguments {
  const [first = 'serve', ...rest] = words;
  const wantsHelp = words.includes('--help') || words.includes('-h');
  if (first === '--help' || first === '-h' || first === 'help') {
    const named = rest.find(isCommand);
    return { kind: 'help', command: named ?? null };
  }
  if (!isCommand(first)) throw new RentfoldError('CONFIGURATION_INVALID', `\`${first}\` is no command; there are ${Object.keys(COMMANDS).join(', ')} (see rentfold --help)`);
  if (wantsHelp) return { kind: 'help', command: first };
  const flag = rest.find((word) => word.startsWith('-'));
  if (flag !== undefined) throw new RentfoldError('CONFIGURATION_INVALID', `\`${flag}\` is no flag of ${first}; options are set by environment names (see rentfold config)`);
  const [fewest, most] = COMMANDS[first].parameters;
  if (rest.length < fewest || rest.length > most) throw new RentfoldError('CONFIGURATION_INVALID', `usage: ${COMMANDS[first].usage}`);
  return { kind: 'run', command: first, parameters: rest };
}

function isCommand(word: string): word is Command {
  return Object.hasOwn(COMMANDS, word);
}

/** Text of `--help`, for the program or for one command. */
export function helpText(command: Command | null): string {
  if (command !== null) {
    const { usage, about, details } = COMMANDS[command];
    return [`usage: ${usage}`, '', about, '', ...details, ''].join('\n');
  }
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  return [
    'rentfold keeps the financial performance of rental properties up to date from database change events.',
    '',
    'usage: rentfold [COMMAND]',
    '',
    ...Object.entries(COMMANDS).map(([name, { about }]) => `  ${name.padEnd(width)}  ${about}`),
    '',
    '`rentfold COMMAND --help` says more. Exit codes:',
    ...Object.entries(EXIT_CODES).map(([code, meaning]) => `  ${code}  ${meaning}`),
    '',
  ].join('\n');
}
