/**
 * What the user can mend: its message is a whole sentence that names the file or option, what is wrong and the mend.
 * The command line prints the message alone and exits with code 2; any other error is a defect and exits with code 1.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/** Why a file operation failed, in words: Node's message without its code. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.replace(/^[A-Z]+: /, '') : String(error);
}
