/** A volume `[batch, channel, depth, height, width]` of which only the memory is known. */
export interface CountedTensor {
  readonly shape: CountedShape;
  /** Of an element. */
  readonly bytes: number;
  readonly block: Block;
  /** What made it, where a gradient flows back to it. */
  readonly step: Step | null;
}
export type CountedShape = readonly [batch: number, channels: number, depth: number, height: number, width: number];

/** Memory that is given back when nothing refers to it any more. */
interface Block {
  readonly bytes: number;
  references: number;
}

/** An operation of the forward pass, as the backward pass needs it. */
interface Step {
  readonly operation: Operation;
  /** What has come back so far. */
  gradient?: Block | undefined;
}

/** What an operation does with memory. */
export interface Operation {
  readonly inputs: readonly CountedTensor[];
  readonly shape: CountedShape;
  /** Of an element of the result. */
  readonly bytes: number;
  /** What the backward pass needs, beside `keptBytes`. */
  readonly keeps?: readonly CountedTensor[];
  /** Whether the backward pass needs the result, too. */
  readonly keepsResult?: boolean;
  readonly keptBytes?: number;
  /** Inputs from here on are given the result's own gradient in the backward pass, or a part of it; those before get one of their own. */
  readonly passedFrom?: number;
  /** Work space, on either way. */
  readonly forwardBytes?: number;
  readonly backwardBytes?: number;
  /** Of the gradient of its weights, which lasts until the optimiser has used it. */
  readonly weightBytes?: number;
}

/** Counts the memory of operations, in the order in which libtorch takes and frees it. */
export interface MemoryTape {
  /** A tensor without a gradient. */
  input(shape: CountedShape, bytes: number): CountedTensor;
  apply(operation: Operation): CountedTensor;
  /** As libtorch's `scope`: frees what `body` made but does not return. */
  scope(body: () => CountedTensor): CountedTensor;
  /** The backward pass from a loss of these logits, after which nothing is left but the gradients of the weights. */
  backward(logits: readonly CountedTensor[]): void;
  /** The most bytes that were in use at once. */
  peakBytes(): number;
}

/** @param keepsGraph whether there will be a backward pass */
export function openTape(keepsGraph: boolean): MemoryTape {
  let inUse = 0;
  let peak = 0;
  const make = (bytes: number): Block => {
    inUse += bytes;
    peak = Math.max(peak, inUse);
    return { bytes, references: 1 };
  };
  const drop = (block: Block): void => {
    block.references -= 1;
    if (block.references === 0) inUse -= block.bytes;
  };
  const hold = (block: Block): Block => {
    block.references += 1;
    return block;
  };
  const workSpace = (bytes = 0): void => {
    peak = Math.max(peak, inUse + bytes);
  };

  const steps: { readonly step: Step; readonly kept: readonly Block[] }[] = [];
  let open: Block[] = [];

  /** Adds a gradient to what has come back to a tensor of so many bytes: in place where nobody else refers to the sum so far, as autograd does. */
  const accumulate = (step: Step, gradient: Block, bytes: number): void => {
    const sum = step.gradient;
    if (sum === undefined) step.gradient = gradient;
    else if (sum.references === 1 && sum.bytes === bytes) drop(gradient);
    else {
      step.gradient = make(bytes);
      drop(sum);
      drop(gradient);
    }
  };
  const stepBack = ({ step, kept }: (typeof steps)[number]): void => {
    const { gradient, operation } = step;
    const { inputs, passedFrom = inputs.length, backwardBytes, weightBytes = 0 } = operation;
    if (gradient === undefined) {
      for (const block of kept) drop(block);
      return;
    }
    const needed = inputs.map(({ step, block }, at) => {
      if (step === null) return null;
      return { step, bytes: block.bytes, gradient: at >= passedFrom ? hold(gradient) : make(block.bytes) };
    });
    make(weightBytes);
    workSpace(backwardBytes);
    drop(gradient);
    step.gradient = undefined;
    for (const block of kept) drop(block);
    for (const back of needed) if (back) accumulate(back.step, back.gradient, back.bytes);
  };

  return {
    input: (shape, bytes) => {
      const block = make(bytes * elements(shape));
      open.push(block);
      return { shape, bytes, block, step: null };
    },
    apply: (operation) => {
      const { shape, bytes, keeps = [], keepsResult = false, keptBytes = 0, forwardBytes } = operation;
      const block = make(bytes * elements(shape));
      open.push(block);
      workSpace(forwardBytes);
      if (!keepsGraph) return { shape, bytes, block, step: null };
      const step: Step = { operation };
      steps.push({
        step,
        kept: [
          ...keeps.map((tensor) => hold(tensor.block)),
          ...(keepsResult ? [hold(block)] : []),
          ...(keptBytes ? [make(keptBytes)] : []),
        ],
      });
      return { shape, bytes, block, step };
    },
    scope: (body) => {
      const outer = open;
      open = [];
      const result = body();
      for (const block of open) if (block !== result.block) drop(block);
      if (open.includes(result.block)) outer.push(result.block);
      open = outer;
      return result;
    },
    backward: (logits) => {
      const kept = logits.map(({ block }) => hold(block));
      for (const block of open) drop(block);
      for (const { step, block } of logits) if (step) step.gradient = make(block.bytes);
      for (const block of kept) drop(block);
      for (const entry of steps.toReversed()) stepBack(entry);
    },
    peakBytes: () => peak,
  };
}

export function elements(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}
