import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { findNnunet } from '../../../src/systems/nnunet-python/python.ts';
import { temporaryFolder } from '../../formats/scans.ts';
import { fakePython } from './python.ts';

const folder = await temporaryFolder();
const answering = (name: string, answer: string) => fakePython(folder, name, '', answer);

it('a Python with nnU-Net is known by the versions of both', async () => {
  const command = await fakePython(folder, 'good');
  expect(await findNnunet(command)).toEqual({ command, nnunet: '2.8.1', torch: '2.15.0' });
});

it.each([
  ['is not given', undefined, /give a Python that has it with --python/],
  ['is not there', join(folder, 'nothing'), /nothing: there is no such program/],
  ['is a folder', folder, /it can't be run as a Python/],
])('a Python that %s is refused with a sentence', async (_, command, sentence) => {
  await expect(findNnunet(command)).rejects.toThrow(sentence);
});

it.each([
  [
    'no nnU-Net',
    '{"nnunetv2": null, "torch": "2.8.0"}',
    /has no nnunetv2. Install it there by '.* -m pip install nnunetv2'/,
  ],
  ['no PyTorch', '{"nnunetv2": "2.6.2", "torch": null}', /has no torch/],
  ['nnU-Net 1', '{"nnunetv2": "1.7.1", "torch": "2.8.0"}', /it has nnunetv2 1.7.1; version 2 is needed/],
  [
    'the PyTorch that nnU-Net excludes',
    '{"nnunetv2": "2.6.2", "torch": "2.9.1+cu128"}',
    /it has torch 2.9.1\+cu128, which nnU-Net excludes/,
  ],
  ['another program in its place', 'usage: -c FILE', /this is no Python/],
])('a Python with %s is refused with a sentence', async (name, answer, sentence) => {
  await expect(findNnunet(await answering(name.replaceAll(' ', '-'), answer))).rejects.toThrow(sentence);
});

it('a Python that fails says why', async () => {
  const command = await fakePython(folder, 'failing');
  await writeFile(command, '#!/bin/sh\necho "a library is missing" >&2\nexit 127\n');
  await expect(findNnunet(command)).rejects.toThrow(/it can't be run as a Python \(a library is missing\)/);
});
