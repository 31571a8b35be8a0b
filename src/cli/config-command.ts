import { OPTIONS, type Option } from '../config-options.ts';
import type { LoadedConfig } from '../config.ts';

/** Text of `rentfold config`: every option with its value in force, where that came from, and what it is. Secrets are redacted. */
export function configText(loaded: LoadedConfig): string {
  const lines: string[] = [];
  for (const { name, value, from } of loaded.inForce) {
    const option: Option = OPTIONS.find((o) => o.name === name)!;
    lines.push(`# ${option.about}`, `${name}=${value}  (${from})`, '');
  }
  for (const name of loaded.unknown) lines.push(`# warning OPTION_UNKNOWN: ${name} is no option of rentfold; check its spelling`);
  return `${lines.join('\n').trimEnd()}\n`;
}
