import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { codeOf, UserError } from '../../base/errors.ts';
import { parseJson, quoted } from '../../base/json.ts';

/** A Python that has nnU-Net, and the versions of both it and its PyTorch. */
export interface NnunetPython {
  readonly command: string;
  readonly nnunet: string;
  readonly torch: string;
}

const versionsSchema = z.object({ nnunetv2: z.string().nullable(), torch: z.string().nullable() });

/** Asks for versions without importing anything: that takes half a minute. */
const question = `
import importlib.metadata, json
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
print(json.dumps({name: version(name) for name in ('nnunetv2', 'torch')}))
`;

/** What a Python has to be given where it can't be asked within this time, in milliseconds. */
const patience = 60_000;

/**
 * Looks whether a Python has an nnU-Net that can be run.
 * @param command its path, or its name where the system finds it by that
 * @throws UserError where it was not given, is not there, is no Python, or lacks nnU-Net or a PyTorch that nnU-Net takes
 */
export async function findNnunet(command: string | undefined): Promise<NnunetPython> {
  if (command === undefined)
    throw new UserError('nnunet-python runs nnU-Net itself: give a Python that has it with --python.');
  const answer = await promisify(execFile)(command, ['-c', question], { timeout: patience }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT')
      throw new UserError(`--python ${command}: there is no such program. Give the path of a Python with nnunetv2.`);
    const why = error instanceof Error ? quoted(lastLine(error.message)) : 'it ended with an error';
    throw new UserError(`--python ${command}: it can't be run as a Python (${why}). Give one with nnunetv2.`);
  });
  const { nnunetv2, torch } = parseJson(
    answer.stdout,
    versionsSchema,
    () =>
      new UserError(`--python ${command}: this is no Python, for it does not run a program. Give one with nnunetv2.`),
  );
  const install = `'${command} -m pip install nnunetv2'`;
  if (nnunetv2 === null)
    throw new UserError(`--python ${command}: this Python has no nnunetv2. Install it there by ${install}.`);
  if (torch === null) throw new UserError(`--python ${command}: this Python has no torch. Install it by ${install}.`);
  if (!nnunetv2.startsWith('2.'))
    throw new UserError(
      `--python ${command}: it has nnunetv2 ${nnunetv2}; version 2 is needed. Install it by ${install}.`,
    );
  if (torch.startsWith('2.9.'))
    throw new UserError(
      `--python ${command}: it has torch ${torch}, which nnU-Net excludes, for its 3D convolutions are many times slower. Install another by '${command} -m pip install "torch!=2.9.*"'.`,
    );
  return { command, nnunet: nnunetv2, torch };
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';
