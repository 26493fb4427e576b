/** Wrong usage or settings, all of it at once. */
export class WrongSettings extends Error {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'WrongSettings'
    this.problems = problems
  }
}
