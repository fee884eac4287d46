import type { CreateController } from './controller.ts';

interface Entry {
  /** What it is, in a few words. */
  readonly help: string;
  /** Its file is loaded where a controller is made: who only names one, as the command line does, needs no libtorch. */
  readonly load: () => Promise<CreateController>;
}

/**
 * Every controller, by the name that `--controller` and `run.json` have for it; in this order a study compares them. To add one, write its file
 * and an entry here.
 */
const controllers = {
  auto: {
    help: 'reinforce where the search is long enough for it, else the base network alone',
    load: async () => (await import('./auto.ts')).autoController,
  },
  reinforce: {
    help: "an LSTM taught by REINFORCE, the paper's",
    load: async () => (await import('./reinforce.ts')).reinforceController,
  },
  ppo: {
    help: 'the same LSTM taught by proximal policy optimisation',
    load: async () => (await import('./ppo.ts')).ppoController,
  },
  evolution: {
    help: 'mutants of good children',
    load: async () => (await import('./evolution.ts')).evolutionController,
  },
  'near-base': {
    help: 'children near the base network, nothing is learnt',
    load: async () => (await import('./near-base.ts')).nearBaseController,
  },
  random: {
    help: 'any child, nothing is learnt',
    load: async () => (await import('./random.ts')).randomController,
  },
} as const satisfies Readonly<Record<string, Entry>>;

/** What one of our controllers is called. */
export type ControllerName = keyof typeof controllers;

const isName = (name: string): name is ControllerName => Object.hasOwn(controllers, name);

/** All of them, in the order in which a study compares them. */
export const controllerNames: readonly ControllerName[] = Object.keys(controllers).filter(isName);

/** Our controller of this name; undefined where there is none. */
export const controllerCalled = (name: string): ControllerName | undefined => (isName(name) ? name : undefined);

/** What each is, in a few words, for `--help`. */
export const controllerHelp: string = controllerNames.map((name) => `${name} (${controllers[name].help})`).join(', ');

/** What makes a controller of ours. */
export const loadController = (name: ControllerName): Promise<CreateController> => controllers[name].load();
