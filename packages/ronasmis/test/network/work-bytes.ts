/**
 * What oneDNN takes for gradients in bfloat16 beside all tensors, at most: up to 8.4 MB were seen, whatever the volume. What is counted
 * leaves it out; the budget's reserve has room for it.
 */
export const workBytes = { fp32: 0, bf16: 9 * 2 ** 20, fp16: 0 } as const;
