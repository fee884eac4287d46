#!/usr/bin/env node
import { main } from '../dist/cli/main.js';
import { watchOutput } from '../dist/cli/output.js';

watchOutput();
process.exitCode = await main(process.argv.slice(2));
