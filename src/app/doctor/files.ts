import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../../config/index.ts';
import { fail, ok, warn, type Finding } from './finding.ts';

/** Who could read or change the files with secrets, and the folders they are in. */
export async function checkFiles(config: Config): Promise<readonly Finding[]> {
  if (process.platform === 'win32') return [];
  const files = [...new Set([...config.secret_files, config.sealing_key_file])];
  const folders = [...new Set([...files.map((file) => dirname(file)), config.state_dir])];
  const findings: Finding[] = [];
  for (const file of files) {
    const mode = await modeOf(file);
    if (mode === null || (mode & 0o077) === 0) continue;
    const isOthers = (mode & 0o007) !== 0;
    const who = isOthers ? 'Every user of this machine' : "The file's group";
    const make = isOthers ? fail : warn;
    findings.push(make('files', `${who} has access to ${file}.`, 'It holds a secret.', `chmod 600 '${file}'`));
  }
  for (const folder of folders) {
    const mode = await modeOf(folder);
    if (mode !== null && (mode & 0o022) !== 0) {
      findings.push(
        fail('files', `Others may write into ${folder}.`, 'They could put their own files in place of ours.', `chmod 700 '${folder}'`),
      );
    }
  }
  const isService = await modeOf(config.state_dir);
  if (isService !== null && (isService & 0o055) !== 0) {
    findings.push(
      warn('files', `Others may look into ${config.state_dir}.`, 'Who asked for what is in there.', `chmod 700 '${config.state_dir}'`),
    );
  }
  return findings.length > 0 ? findings : [ok('files', 'Nobody else has access to the secrets.')];
}

async function modeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).mode;
  } catch {
    // What is not there yet is made with the right mode; what cannot be looked at fails where it is used.
    return null;
  }
}
