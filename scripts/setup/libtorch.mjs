// Which libtorch is used: the folder that the user names, the machine's own PyTorch, or one that pip fetches.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readIfThere, root, write } from './files.mjs';
import { hasNvidiaDriver } from './requirements.mjs';
import { run, SetupError, say } from './terminal.mjs';

/** What was chosen, for the next set-up and for the loader in packages/libtorch/src. */
const choiceFile = join(root, 'packages/libtorch/build/libtorch.json');

/** The choice of the last set-up, where it still holds: {folder, version, origin, cuda}; undefined otherwise. */
export function rememberedLibtorch() {
  const text = readIfThere(choiceFile);
  const named = process.env.RONASMIS_LIBTORCH;
  if (named) {
    const choice = namedLibtorch(named);
    return text === asText(choice) ? choice : undefined;
  }
  if (!text) return undefined;
  const choice = JSON.parse(text);
  if (choice.origin === 'environment' || inspect(choice.folder)?.version !== choice.version) return undefined;
  return choice.cuda || !hasNvidiaDriver() ? choice : undefined;
}

/** Remembers a choice. */
export function rememberLibtorch(choice) {
  write(choiceFile, asText(choice));
}

/** The libtorch that is on this machine already, or undefined when one has to be fetched. */
export async function libtorchOnThisMachine() {
  const named = process.env.RONASMIS_LIBTORCH;
  return named ? namedLibtorch(named) : await pythonsLibtorch();
}

/** {folder, version, cuda} of a libtorch folder or an installed torch package; undefined when it is neither. */
export function inspect(folder) {
  const library = (name) => ['so', 'dylib'].some((suffix) => existsSync(join(folder, 'lib', `lib${name}.${suffix}`)));
  const headers = ['torch/headeronly/version.h', 'torch/csrc/api/include/torch/version.h'];
  const text = headers.map((header) => readIfThere(join(folder, 'include', header)) ?? '').join('');
  const part = (name) => text.match(new RegExp(`#define TORCH_VERSION_${name} (\\d+)`))?.[1];
  if (!library('torch_cpu') || part('PATCH') === undefined) return undefined;
  return { folder, version: `${part('MAJOR')}.${part('MINOR')}.${part('PATCH')}`, cuda: library('torch_cuda') };
}

/** Why a version of PyTorch is not used; undefined when it is fine. */
function refusal(version) {
  const [major, minor] = version.split('.').map(Number);
  if (major > 2 || (major === 2 && minor >= 10)) return undefined;
  if (major === 2 && minor === 9)
    return `PyTorch ${version} runs 3D convolutions under autocast about 4 times slower (pytorch issues 166122 and 166643)`;
  return `PyTorch ${version} is older than what this was tested with`;
}

function namedLibtorch(named) {
  const folder = resolve(process.env.INIT_CWD ?? '.', named);
  const found = inspect(folder);
  if (!found)
    throw new SetupError(
      `RONASMIS_LIBTORCH names ${folder}, which is no libtorch: it has no lib/libtorch_cpu or no include/torch. Name an unpacked libtorch or the folder site-packages/torch, or unset it to have one fetched.`,
    );
  const reason = refusal(found.version);
  if (reason) throw new SetupError(`RONASMIS_LIBTORCH names ${folder}: ${reason}. Name version 2.10 or newer.`);
  return { ...found, origin: 'environment' };
}

/** The PyTorch of this machine's python3, if it imports and is new enough. */
async function pythonsLibtorch() {
  const question =
    "import importlib.util as u, os\nif u.find_spec('torch'):\n import torch\n print('TORCH ' + os.path.dirname(torch.__file__))";
  const { code, output } = await run('python3', ['-c', question]);
  const folder = output.match(/^TORCH (.+)$/m)?.[1];
  if (!folder) {
    if (code === 0) return undefined;
    if (code !== null) say(`The PyTorch of python3 does not import (${output.trim().split('\n').at(-1)}): not used.`);
    return undefined;
  }
  const found = inspect(folder);
  const reason = found ? refusal(found.version) : `${folder} lacks its libraries or headers`;
  if (reason) say(`The PyTorch of python3 is not used: ${reason}.`);
  else if (hasNvidiaDriver() && !found.cuda) say('The PyTorch of python3 is not used: it cannot use the NVIDIA GPU.');
  else return { ...found, origin: 'python' };
  return undefined;
}

function asText(choice) {
  const { folder, version, origin, cuda } = choice;
  return `${JSON.stringify({ folder, version, origin, cuda })}\n`;
}
