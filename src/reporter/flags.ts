import { parseArgs } from 'node:util'
import { closestWord } from '../closest-word.ts'

export interface Flag {
  readonly type: 'string' | 'boolean'
  /** How the help calls what follows it. */
  readonly value?: string
  readonly short?: string
  readonly multiple?: true
  readonly help: string
}

export type Flags = Readonly<Record<string, Flag>>

export type FlagValues<F extends Flags> = {
  [Name in keyof F]?: F[Name] extends { multiple: true }
    ? string[]
    : F[Name] extends { type: 'string' }
      ? string
      : boolean
}

/** Reads a command's flags. All that is wrong with them is added to `problems`, and left out. */
export function readFlags<F extends Flags>(flags: F, own: readonly string[], problems: string[], positional = '') {
  const { values, tokens } = parseArgs({
    args: [...own],
    options: flags,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })

  for (const token of tokens) {
    if (token.kind === 'positional')
      problems.push(`unexpected argument ${JSON.stringify(token.value)}${positional && `; ${positional}`}`)
    if (token.kind !== 'option') continue
    const flag = Object.hasOwn(flags, token.name) ? flags[token.name] : undefined
    if (flag === undefined) {
      const guess = closestWord(token.name, Object.keys(flags))
      problems.push(`unknown flag ${token.rawName}${guess ? `; did you mean --${guess}?` : ''}`)
    } else if (flag.type === 'string' ? token.value === undefined : token.value !== undefined) {
      problems.push(`${token.rawName} ${token.value === undefined ? 'needs a value' : 'takes no value'}`)
    }
  }
  // parseArgs is not strict, so that all mistakes are named together. What has the wrong type was one of them.
  const wellTyped = Object.entries(values).filter(([name, value]) => {
    const type = Object.hasOwn(flags, name) && flags[name]?.type
    return [value].flat().every((one) => (type === 'string' ? typeof one === 'string' : typeof one === 'boolean'))
  })
  return Object.fromEntries(wellTyped) as FlagValues<F>
}
