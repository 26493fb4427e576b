/**
 * What keeps the server from starting, in one line for whoever starts it: what is in the way, where, and what to do.
 * Anything else that is thrown during the start is a bug and is shown with its stack.
 */
export class CannotStart extends Error {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.name = 'CannotStart'
  }
}
