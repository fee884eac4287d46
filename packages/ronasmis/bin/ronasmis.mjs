#!/usr/bin/env node
import { preload } from '@ronasmis/libtorch/loading';

// Verbs that compute load libtorch, which takes as long as loading all else: both are done side by side.
const computing = ['search', 'resume', 'predict', 'evaluate', 'export', 'study', 'doctor'];
if (computing.includes(process.argv[2])) preload();
const { watchOutput } = await import('../dist/cli/output.js');
const { main } = await import('../dist/cli/main.js');

watchOutput();
process.exitCode = await main(process.argv.slice(2));
