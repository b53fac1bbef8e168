import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../../config/index.ts';
import { seedsFile } from '../paths.ts';
import { fail, type Finding, ok, warn } from './finding.ts';
import { shellQuote } from './shell.ts';

/** Who could read or change the files with secrets, and the folders they are in. */
export async function checkFiles(config: Config): Promise<readonly Finding[]> {
  if (process.platform === 'win32') return [];
  return [...(await secretFiles(config)), ...(await stateFolder(config))];
}

async function secretFiles(config: Config): Promise<readonly Finding[]> {
  const files = [...new Set([...config.secret_files, config.sealing_key_file, seedsFile(config)])];
  const folders = [...new Set(files.map((file) => dirname(file)))];
  const findings: Finding[] = [];
  for (const file of files) {
    const mode = await modeOf(file);
    if (mode === null || (mode & 0o077) === 0) continue;
    const isOthers = (mode & 0o007) !== 0;
    const who = isOthers ? 'Every user of this machine' : "The file's group";
    const make = isOthers ? fail : warn;
    findings.push(
      make('secret-files', `${who} has access to ${file}, which holds a secret.`, {
        command: `chmod 600 ${shellQuote(file)}`,
      }),
    );
  }
  for (const folder of folders) {
    if (((await modeOf(folder)) ?? 0) & 0o022)
      findings.push(
        fail('secret-files', `Others may write into ${folder}.`, {
          command: `chmod 700 ${shellQuote(folder)}`,
        }),
      );
  }
  return findings.length > 0 ? findings : [ok('secret-files', 'Nobody else has access to the secrets.')];
}

async function stateFolder({ state_dir: folder }: Config): Promise<readonly Finding[]> {
  const mode = await modeOf(folder);
  if (mode === null) return [];
  const command = `chmod 700 ${shellQuote(folder)}`;
  if ((mode & 0o022) !== 0) return [fail('state-folder', `Others may write into ${folder}.`, { command })];
  if ((mode & 0o055) !== 0) return [warn('state-folder', `Others may look into ${folder}.`, { command })];
  return [ok('state-folder', `Nobody else may look into ${folder}.`)];
}

async function modeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).mode;
  } catch {
    // What is not there yet is made with the right mode; what cannot be looked at fails where it is used.
    return null;
  }
}
