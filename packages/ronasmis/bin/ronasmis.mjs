#!/usr/bin/env node
import { preload } from '@ronasmis/libtorch/loading';

// Verbs that compute load libtorch, which takes as long as loading all else: both are done side by side.
const computing = ['search', 'resume', 'predict', 'evaluate', 'export', 'study', 'doctor'];
const [verb, ...words] = process.argv.slice(2);
if (computing.includes(verb) && !words.some((word) => ['-h', '--help'].includes(word))) preload();
const { watchOutput } = await import('../dist/cli/output.js');
const { main } = await import('../dist/cli/main.js');

watchOutput();
process.exitCode = await main(process.argv.slice(2));
