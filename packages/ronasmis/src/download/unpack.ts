import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { codeOf, UserError } from '../base/errors.ts';

/**
 * Unpacks a tar archive into a folder with the system's `tar`.
 * @throws UserError, before anything is unpacked, where the archive has paths that lead out of the folder, or links; and where tar is missing or fails
 */
export async function unpack(archive: string, folder: string, signal?: AbortSignal): Promise<void> {
  // Of a path with a colon but without a slash before it, tar would take the beginning for another machine.
  const file = resolve(archive);
  const names = (await tar(archive, ['-tf', file], signal)).split('\n');
  const outside = names.find((name) => name.startsWith('/') || name.split('/').includes('..'));
  const details = (await tar(archive, ['-tvf', file], signal)).split('\n');
  const special = details.find((line) => line !== '' && !/^[-d]/.test(line));
  if (outside !== undefined || special !== undefined) {
    const what = outside === undefined ? `something that is no file or folder (${special})` : `the path ${outside}`;
    throw new UserError(`${archive}: it holds ${what}, so it is not unpacked. Get the archive from elsewhere.`);
  }
  await tar(archive, ['-xf', file, '-C', folder, '--no-same-owner'], signal);
}

/** What `tar` prints. */
function tar(archive: string, args: readonly string[], signal?: AbortSignal): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn('tar', args, { stdio: ['ignore', 'pipe', 'pipe'], ...(signal && { signal }) });
    const written = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      written.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      written.stderr += text;
    });
    let stopped: Error | undefined;
    child.on('error', (error) => {
      if (codeOf(error) === 'ENOENT')
        fail(new UserError(`${archive}: the program tar, which unpacks it, is missing. Install it.`));
      // Until it has ended it still writes.
      stopped = error;
    });
    child.on('close', (code) => {
      const reason = written.stderr.trim();
      if (code === 0) done(written.stdout);
      else
        fail(stopped ?? new UserError(`${archive}: tar can't unpack it (${reason}). Mend that, or remove the file.`));
    });
  });
}
