/**
 * A key for each, whatever reports call their files and tasks: of two with one key React would leave the first on the
 * page for ever.
 */
export function uniqueKeys(names: readonly string[]): string[] {
  const times = new Map<string, number>()
  return names.map((name) => {
    const time = times.get(name) ?? 0
    times.set(name, time + 1)
    return `${time} ${name}`
  })
}
