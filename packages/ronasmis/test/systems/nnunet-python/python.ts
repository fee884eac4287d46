import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Versions as the question for them is answered. */
const versions = '{"nnunetv2": "2.8.1", "torch": "2.15.0"}';

/**
 * A program in the place of a Python: a shell script that answers for its versions, and does `work` where it is to run the driver.
 * @param work commands, which find the driver's job in `$2`
 */
export async function fakePython(folder: string, name: string, work = '', answer = versions): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, `#!/bin/sh\nif [ "$1" = -c ]; then echo '${answer}'; exit; fi\n${work}\n`);
  await chmod(file, 0o755);
  return file;
}
